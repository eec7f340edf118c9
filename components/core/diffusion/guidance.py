"""Guidance by three branches: nothing given, the reference (the companion) given, the reference and the audio given."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

Array = Any  # a torch.Tensor or a numpy.ndarray


class Branch(Enum):
    """What the model is given; the values are (keep_companion, keep_audio)."""

    NULL = (False, False)
    REFERENCE = (True, False)
    FULL = (True, True)

    @property
    def keep_companion(self) -> bool:
        """Whether this branch sees the companion or the reference frames."""
        return self.value[0]

    @property
    def keep_audio(self) -> bool:
        """Whether this branch hears the audio."""
        return self.value[1]


@dataclass(frozen=True)
class Guidance:
    """Scales of the guidance: 1 follows the model as it is, more follows the condition harder.

    Attributes:
        reference: scale of the reference's pull.
        audio: scale of the audio's pull.
    """

    reference: float
    audio: float

    def __post_init__(self) -> None:
        for name, scale in (("reference", self.reference), ("audio", self.audio)):
            if not 0 <= scale <= 20:
                raise ValueError(f"guidance.{name} is {scale}, expected 0 to 20")

    def at(self, t: float) -> "Guidance":
        """The scales at time t in [0, 1]: the same at every time."""
        if not 0 <= t <= 1:
            raise ValueError(f"t is {t}, expected 0 to 1")
        return self

    def weights(self) -> dict[Branch, float]:
        """The guided prediction as a weighted sum of the branches' predictions; the weights add up to 1."""
        values = (1 - self.reference, self.reference - self.audio, self.audio)
        return dict(zip(Branch, values, strict=True))


def branches(guidance: Guidance) -> tuple[Branch, ...]:
    """The branches that count, in the order of `Branch`: with both scales 1 that is FULL alone."""
    return tuple(branch for branch, weight in guidance.weights().items() if weight != 0)


def guided(null: Array, ref: Array, full: Array, s_ref: float, s_audio: float) -> Array:
    """null + s_ref (ref - null) + s_audio (full - ref), of predictions of z_0 or of v (it is linear).

    A branch that `branches` does not name may be None.
    """
    predictions = dict(zip(Branch, (null, ref, full), strict=True))
    weights = Guidance(s_ref, s_audio).weights()
    terms = [weight * predictions[branch] for branch, weight in weights.items() if weight != 0]
    return sum(terms[1:], start=terms[0])
