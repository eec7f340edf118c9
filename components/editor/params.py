"""The bootstrap and editor sections of params.yaml: rounds, what the phases share, and a part of its own for each."""

from dataclasses import dataclass

from components.core.models.dubber import Architecture
from components.core.models.fit import Fit
from components.core.models.learning import Drawing, Objective
from components.core.models.lora import Band


@dataclass(frozen=True)
class Bootstrap:
    """How often the editor is trained.

    Attributes:
        rounds: 1 is the paper's; from the second on the companions are made by the editor of the round before.
    """

    rounds: int

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError(f"rounds {self.rounds} must be positive")


@dataclass(frozen=True)
class Common:
    """What every phase trains on.

    Attributes:
        architecture: of the transformer.
        references: pictures of the real clip that each frame is given beside the companion; as the generator's.
        exact_share: of the pairs, those that were filmed twice rather than made by a model (the paper adds rendered
            pairs); counts only where the footage has such.
        paste_share: of the other inputs, those that are not a companion but the real clip with its mouth taken from
            another moment of the same clip. Companions are softer than real video; without this the editor learns
            that sharp lips are right lips, and leaves a real video as it is.
        paste_gap_frames: how far away that moment is, at least and at most.
        cover_share: of the samples before which, on both sides, a hand or whatever else is before a face in another
            clip is put, so that the editor leaves such things alone. Where no clip has any, nothing is.
        relight_share: of the samples in a light drawn anew, on both sides, instead of the pair's own.
    """

    architecture: Architecture
    references: int
    exact_share: float
    paste_share: float
    paste_gap_frames: tuple[int, int]
    cover_share: float
    relight_share: float

    def __post_init__(self) -> None:
        if self.references < 1:
            raise ValueError(f"references {self.references} must be positive")
        for name in ("exact_share", "paste_share", "cover_share", "relight_share"):
            _share(name, getattr(self, name))
        if not 1 <= self.paste_gap_frames[0] <= self.paste_gap_frames[1]:
            raise ValueError(f"paste_gap_frames {self.paste_gap_frames} must be at least 1 and rise")


@dataclass(frozen=True)
class Structure:
    """High noise, full weights: where the mouth is and what it does.

    Attributes:
        from_generator: whether training begins with the generator's weights (`start`), or with random ones.
        lips_weight: `Lip`'s.
        hole_weight: of the cross-entropy of the hole where it is known.
    """

    fit: Fit
    drawing: Drawing
    objective: Objective
    from_generator: bool
    lips_weight: float
    hole_weight: float

    def __post_init__(self) -> None:
        _weights(self.lips_weight, self.hole_weight)


@dataclass(frozen=True)
class Lip:
    """Middle noise, LoRA: the lips say the speech.

    Attributes:
        sync_weight: of the sync guide's 1 - cosine on decoded windows.
        lips_weight: of the squared error of the lips' measures, as the lips guide reads them.
        hole_weight: `Structure`'s.
        own_share: of the samples that begin with the structure phase's own result (`DubberLearner`).
    """

    fit: Fit
    drawing: Drawing
    objective: Objective
    rank: int
    band: Band
    sync_weight: float
    lips_weight: float
    hole_weight: float
    own_share: float

    def __post_init__(self) -> None:
        _rank(self.rank)
        _weights(self.sync_weight, self.lips_weight, self.hole_weight)
        _share("own_share", self.own_share)


@dataclass(frozen=True)
class Texture:
    """Low noise, LoRA: the person's own skin, lips and teeth.

    Attributes:
        identity_weight, perceptual_weight: of the guide's 1 - cosine and of the distance of its features, both on the
            samples without audio only. `drawing.drop_audio` is their share (paper: 0.5).
        lips_weight: `Lip`'s, on the others.
        hole_weight: `Structure`'s.
        own_share: `Lip`'s.
    """

    fit: Fit
    drawing: Drawing
    objective: Objective
    rank: int
    band: Band
    identity_weight: float
    perceptual_weight: float
    lips_weight: float
    hole_weight: float
    own_share: float

    def __post_init__(self) -> None:
        _rank(self.rank)
        _weights(self.identity_weight, self.perceptual_weight, self.lips_weight, self.hole_weight)
        _share("own_share", self.own_share)


def _rank(value: int) -> None:
    if value < 1:
        raise ValueError(f"rank {value} must be positive")


def _weights(*values: float) -> None:
    if min(values) < 0:
        raise ValueError(f"the weight {min(values)} of a loss must not be negative")


def _share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} {value} must lie in [0, 1]")
