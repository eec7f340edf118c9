"""The occluders section of params.yaml."""

from dataclasses import dataclass

from components.core.models.fit import Fit
from components.core.models.occluder import OccluderConfig


@dataclass(frozen=True)
class Augment:
    """How far each picture is varied, by as much either way.

    Attributes:
        shift: a share of the crop's size.
        zoom: a share of its scale.
        turn_deg: rotation.
        light: contrast and brightness, as a share of the full range.
        colour: gain of each channel, in nepers, once of the face alone and once of the whole picture.
        mixed: share of the pictures whose channels are each a mixture of all three, and of those whose saturation is
            anything from none to 1.7 of its own, each time that they get another colour.
        noise: standard deviation of each pixel in grey levels, at most.
        blur: share of the pictures that lose half of their resolution.
        shadow: share with a shadow or a light on one side.
        marks: share with stains such as beards, another one with lines, one with folds, and one with a mouth of any
            shape.
        backdrop: share whose surroundings are replaced.
        pasted: share before which something is put.
    """

    shift: float
    zoom: float
    turn_deg: float
    light: float
    colour: float
    mixed: float
    noise: float
    blur: float
    shadow: float
    marks: float
    backdrop: float
    pasted: float

    def __post_init__(self) -> None:
        for name in ("mixed", "blur", "shadow", "marks", "backdrop", "pasted"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} {getattr(self, name)} must lie in [0, 1]")
        if not (0 <= self.shift < 0.5 and 0 <= self.zoom < 0.5 and 0 <= self.light < 1):
            raise ValueError(f"shift {self.shift}, zoom {self.zoom} must be in [0, 0.5), light {self.light} in [0, 1)")
        for name in ("turn_deg", "colour", "noise"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} {getattr(self, name)} must not be negative")


@dataclass(frozen=True)
class Params:
    """What the occluder expert is and how it is trained.

    Attributes:
        model, fit, augment: see their classes.
        batch: pictures in a batch.
        hidden: share of them in which something is before the lower face already, where there are any.
        dice_weight: of the Dice loss of a batch beside the cross-entropy of its pixels.
    """

    model: OccluderConfig
    fit: Fit
    augment: Augment
    batch: int
    hidden: float
    dice_weight: float

    def __post_init__(self) -> None:
        if self.batch < 1 or self.dice_weight < 0:
            raise ValueError(f"batch {self.batch} must be positive and dice_weight {self.dice_weight} not negative")
        if not 0 <= self.hidden <= 1:
            raise ValueError(f"hidden {self.hidden} must lie in [0, 1]")
