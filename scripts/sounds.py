"""The trials of scripts/hearing.py, and what they change in a log-mel: levels, resolution, distortion and pace."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.core.base import seeds
from components.core.media import MEL_BINS, MEL_PER_FRAME
from components.core.media.mel import HIGH_DB, LOW_DB, SILENCE

if TYPE_CHECKING:
    from components.experts.data import Material, Recital

Floats = NDArray[np.float32]
RANKS = np.linspace(0, 1, 33)
"""Quantiles by which levels are described."""
PIECE_FRAMES = 250
"""Of a recital under one distortion, 10 s."""


@dataclass(frozen=True)
class Trial:
    """What is changed about the front end's training.

    Attributes:
        level: every clip's levels are the studio's, band by band, in training and in use.
        distort: the sound of recitals and footage is distorted, once before the training.
        bands: that are left of the log-mel's 80.
        model: size of the network; the recipe's where empty.
    """

    level: bool = False
    distort: bool = False
    bands: int = MEL_BINS
    model: Mapping[str, Any] | None = None

    def prepared(self, mel: Floats, quantiles: Floats) -> Floats:
        """What the network gets of a whole clip's log-mel (m, 80)."""
        coarse = blurred(mel, self.bands)
        return levelled(coarse, quantiles) if self.level else coarse


TRIALS = {
    "recipe": Trial(),
    "levels": Trial(level=True),
    "distortion": Trial(distort=True),
    "levels, distortion": Trial(level=True, distort=True),
    "levels, distortion, 16 bands": Trial(level=True, distort=True, bands=16),
    "levels, distortion, 16 bands, small": Trial(True, True, 16, {"width": 48, "dilations": (1, 2)}),
}


def material_of(trial: Trial, material: "Material", quantiles: Floats, seed: int) -> "Material":
    """What the trial learns from, a function of the seed."""
    from components.experts.data import Recital

    recitals = []
    for number, recital in enumerate(material.recitals):
        rng, pieces = seeds.rng(seed, "hearing", number), []
        for start in range(0, len(recital.tracks), PIECE_FRAMES):
            stop = start + PIECE_FRAMES
            rows = recital.mel[start * MEL_PER_FRAME : stop * MEL_PER_FRAME]
            piece = Recital(rows, recital.tracks[start:stop])
            if trial.distort:
                piece = stretched(replace(piece, mel=distorted(rows, rng)), rng.uniform(0.8, 1.25))
            pieces.append(replace(piece, mel=trial.prepared(piece.mel, quantiles)))
        joined = (np.concatenate([getattr(piece, name) for piece in pieces]) for name in ("mel", "tracks"))
        recitals.append(Recital(*joined))
    sounds = [
        distorted(crop.mel, seeds.rng(seed, "hearing", crop.crop_id)) if trial.distort else crop.mel
        for crop in material.crops
    ]
    crops = [
        replace(crop, mel=trial.prepared(mel, quantiles)) for crop, mel in zip(material.crops, sounds, strict=True)
    ]
    return replace(material, crops=crops, recitals=recitals)


def levelled(mel: Floats, quantiles: Floats) -> Floats:
    """The log-mel (m, 80) with every band's values mapped, in their order, to `quantiles` (33, 80) at RANKS."""
    own = np.quantile(mel, RANKS, axis=0)
    bands = [np.interp(mel[:, band], own[:, band], quantiles[:, band]) for band in range(mel.shape[1])]
    return np.stack(bands, 1).astype(np.float32)


def blurred(mel: Floats, bands: int) -> Floats:
    """The log-mel (m, 80) with the mean power of `bands` neighbourhoods in place of its own bands."""
    return np.repeat(pooled(mel, bands), MEL_BINS // bands, axis=1)


def pooled(mel: Floats, bands: int, rows: int = 1) -> Floats:
    """Log of the mean power of neighbourhoods (m / rows, bands) of a log-mel (m, 80), in its own unit."""
    return _log(_power(mel).reshape(len(mel) // rows, rows, bands, -1).mean((1, 3)))


def distorted(mel: Floats, rng: np.random.Generator) -> Floats:
    """The log-mel (m, 80) as another voice, room, microphone and much noise would have it, all in step."""
    from scipy.signal import lfilter

    bands = np.arange(MEL_BINS)
    voice = (bands - MEL_BINS / 2) * (1 + rng.uniform(-0.1, 0.1)) + MEL_BINS / 2 + rng.uniform(-6, 6)
    below = voice.clip(0, MEL_BINS - 1.01).astype(int)
    part = (voice.clip(0, MEL_BINS - 1.01) - below).astype(np.float32)
    power = _power(mel[:, below] * (1 - part) + mel[:, below + 1] * part)
    wet, decay = 0.4 * rng.uniform() ** 2, rng.uniform(0.5, 0.93)  # of 10 ms: reverberation times of .1 to .95 s
    power = (1 - wet) * power + wet * lfilter([1], [1, -decay], power, axis=0)
    ripple = np.convolve(rng.normal(size=MEL_BINS + 12), np.ones(13) / np.sqrt(13), "valid") * rng.uniform(0, 6)
    microphone_db = ripple + rng.uniform(-8, 8) * (bands / MEL_BINS - 0.5) + rng.uniform(-10, 10)
    power = power * 10 ** (microphone_db / 10)
    slope = 10 ** (rng.uniform(0, 2.5) * (0.5 - bands / MEL_BINS))
    noise = power.mean() * 10 ** -rng.uniform(0.5, 4) * slope / slope.mean()  # 5 to 40 dB below the speech
    return _log(power + noise * rng.exponential(size=power.shape))


def stretched(recital: "Recital", rate: float) -> "Recital":
    """The recital at another pace, its tracks with it; pitch and vowels stay."""
    frames = round(len(recital.tracks) * rate)
    parts = []
    for values, count in ((recital.mel, frames * MEL_PER_FRAME), (recital.tracks, frames)):
        at = (np.arange(count) + 0.5) / rate - 0.5
        rows = np.arange(len(values))
        columns = [np.interp(at, rows, values[:, column]) for column in range(values.shape[1])]
        parts.append(np.stack(columns, 1).astype(np.float32))
    return replace(recital, mel=parts[0], tracks=parts[1])


def _log(power: NDArray[Any]) -> Floats:
    """Log-mel of mel power in which 1 is the floor."""
    return (np.log10(np.maximum(power, 1)) * 20 / (HIGH_DB - LOW_DB) + SILENCE).astype(np.float32)


def _power(mel: Floats) -> NDArray[Any]:
    return np.asarray(10 ** ((mel - SILENCE) * (HIGH_DB - LOW_DB) / 20))
