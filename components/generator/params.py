"""The generator section of params.yaml."""

from dataclasses import dataclass

from components.core.models.dubber import Architecture
from components.core.models.fit import Fit
from components.core.models.learning import Drawing, Objective


@dataclass(frozen=True)
class Params:
    """What the generator is and how it is trained.

    Attributes:
        architecture: of the transformer.
        references: pictures of the same clip that each frame is given: an average and the nearest
            (core/media/references.py).
        fit, drawing, objective: see their classes.
        check_clips: held-out clips on which the finished generator is measured.
        check_steps: sampling steps of that measurement.
    """

    architecture: Architecture
    references: int
    fit: Fit
    drawing: Drawing
    objective: Objective
    check_clips: int
    check_steps: int

    def __post_init__(self) -> None:
        if self.references < 1:
            raise ValueError(f"references {self.references} must be positive")
        if self.check_clips < 1 or self.check_steps < 1:
            raise ValueError(f"check_clips {self.check_clips} and check_steps {self.check_steps} must be positive")
