"""The section `experts` of params.yaml."""

from dataclasses import dataclass

from components.core.models.fit import Fit
from components.core.models.frontend import FrontEndConfig
from components.core.models.identity import IdentityConfig
from components.core.models.lips import LipsConfig
from components.core.models.sync import FRAMES, SyncConfig
from components.experts.augment import PictureAugment, SpeechAugment


@dataclass(frozen=True)
class FrontEndParams:
    """The front end from speech to lips.

    Attributes:
        clips: stretches of the footage's speech in a batch.
        recitals: stretches of recitals beside them, where there are any.
        frames: video frames of each.
        correlation_weight: of 1 - Pearson's r beside the smooth L1 loss.
        footage_gradient: share of the footage's gradient that goes on into what the front end hears, where there are
            recitals; 0 leaves that to them.
        dropout: share of the blocks' hidden units left out in a step.
    """

    model: FrontEndConfig
    fit: Fit
    clips: int
    recitals: int
    frames: int
    correlation_weight: float
    footage_gradient: float
    dropout: float
    speech: SpeechAugment

    def __post_init__(self) -> None:
        if self.clips < 1 or self.recitals < 0 or self.frames < 2:
            raise ValueError(
                f"clips {self.clips} must be positive, recitals {self.recitals} not negative and frames {self.frames} "
                "at least 2"
            )
        if self.correlation_weight < 0:
            raise ValueError(f"correlation_weight {self.correlation_weight} must not be negative")
        if not 0 <= self.dropout < 1 or not 0 <= self.footage_gradient <= 1:
            raise ValueError(
                f"dropout {self.dropout} must be in [0, 1) and footage_gradient {self.footage_gradient} in [0, 1]"
            )


@dataclass(frozen=True)
class SyncParams:
    """Guide and judge of lip sync.

    Attributes:
        clips: stretches in a batch.
        frames: of each; frames - 4 windows of it are each other's hard negatives.
        temperature: of the contrastive loss at the start; it is learnt.
    """

    model: SyncConfig
    fit: Fit
    clips: int
    frames: int
    temperature: float
    speech: SpeechAugment
    picture: PictureAugment

    def __post_init__(self) -> None:
        if self.clips < 1 or self.frames < FRAMES + 1:
            raise ValueError(f"clips {self.clips} must be positive and frames {self.frames} more than {FRAMES}")
        if not 0 < self.temperature <= 1:
            raise ValueError(f"temperature {self.temperature} must be in (0, 1]")


@dataclass(frozen=True)
class IdentityParams:
    """Guide and judge of identity.

    Attributes:
        images: in a batch.
        margin_rad: the angle by which the right speaker must win.
        scale: of the logits.
        hide_mouth: share of the images whose mouth is painted over, so that lips don't count.
    """

    model: IdentityConfig
    fit: Fit
    images: int
    margin_rad: float
    scale: float
    hide_mouth: float
    picture: PictureAugment

    def __post_init__(self) -> None:
        if self.images < 1 or self.scale <= 0:
            raise ValueError(f"images {self.images} and scale {self.scale} must be positive")
        if not 0 <= self.margin_rad < 1.57 or not 0 <= self.hide_mouth <= 1:
            raise ValueError(
                f"margin_rad {self.margin_rad} must be in [0, 1.57) and hide_mouth {self.hide_mouth} in [0, 1]"
            )


@dataclass(frozen=True)
class LipsParams:
    """Guide and judge of what the lips do.

    Attributes:
        clips: in a batch.
        frames: of each, anywhere in it.
        correlation_weight: of 1 - Pearson's r within a clip beside the smooth L1 loss.
    """

    model: LipsConfig
    fit: Fit
    clips: int
    frames: int
    correlation_weight: float
    picture: PictureAugment

    def __post_init__(self) -> None:
        if self.clips < 1 or self.frames < 2 or self.correlation_weight < 0:
            raise ValueError(
                f"clips {self.clips} must be positive, frames {self.frames} at least 2 and correlation_weight "
                f"{self.correlation_weight} not negative"
            )


@dataclass(frozen=True)
class ExpertsParams:
    """All that this stage may be told."""

    frontend: FrontEndParams
    sync: SyncParams
    identity: IdentityParams
    lips: LipsParams
