"""The pairs section of params.yaml."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Relight:
    """Relighting of both sides of a pair, so that the editor learns to keep any light (paper, appendix B.4).

    Attributes:
        share: of pairs that are relit.
        gain, gamma: largest factor up or down; slope: largest brightness ramp from left to right.
    """

    share: float
    gain: float
    gamma: float
    slope: float

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share {self.share} must lie in [0, 1]")
        if min(self.gain, self.gamma) < 1 or not 0 <= self.slope < 1:
            raise ValueError(
                f"gain {self.gain} and gamma {self.gamma} must be at least 1, slope {self.slope} in [0, 1)"
            )


@dataclass(frozen=True)
class Params:
    """How companions are made.

    Attributes:
        per_crop: companions of each real crop, each with other speech.
        steps, guidance_reference, guidance_audio: of the generator's sampling.
        relight: see `Relight`.
        per_shard: companions in one tar.
    """

    per_crop: int
    steps: int
    guidance_reference: float
    guidance_audio: float
    relight: Relight
    per_shard: int

    def __post_init__(self) -> None:
        if min(self.per_crop, self.steps, self.per_shard) < 1:
            raise ValueError(
                f"per_crop {self.per_crop}, steps {self.steps} and per_shard {self.per_shard} must be positive"
            )
