"""Means over clips with their 95 % bootstrap intervals."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from components.core.base.seeds import rng


@dataclass(frozen=True)
class Interval:
    """A mean over n clips and its 95 % bootstrap interval."""

    mean: float
    lo: float
    hi: float
    n: int


@dataclass(frozen=True)
class Resampling:
    """How intervals are made: so many resamples, drawn from this seed."""

    samples: int
    seed: int


def interval(values: Iterable[float], how: Resampling) -> Interval | None:
    """The mean of the finite values and its percentile bootstrap interval (Efron 1979); None if there is none.

    Clips are resampled as if independent. Equal numbers of clips are resampled alike, so rows stay comparable.
    """
    finite = np.asarray([value for value in values if np.isfinite(value)], float)
    if not finite.size:
        return None
    draws = rng(how.seed, "evaluate", "bootstrap", finite.size).integers(finite.size, size=(how.samples, finite.size))
    lo, hi = np.quantile(finite[draws].mean(axis=1), (0.025, 0.975))
    return Interval(float(finite.mean()), float(lo), float(hi), int(finite.size))
