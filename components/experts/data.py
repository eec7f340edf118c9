"""Which speakers an expert learns from, and stretches of their clips."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor

from components.core.base.errors import UserError
from components.core.media import MEL_PER_FRAME
from components.core.media.crops import Crop
from components.core.media.mel import SILENCE

log = logging.getLogger(__name__)
MIN_SPEAKERS = 4
"""Two for the guide and two for the judge: to tell people apart takes two."""


@dataclass(frozen=True)
class Recital:
    """A stretch of speech without a picture: log-mel (4f, 80), and what the lips do at each frame (f, k)."""

    mel: NDArray[np.float32]
    tracks: NDArray[np.float32]


@dataclass(frozen=True)
class Material:
    """What an expert learns from.

    Attributes:
        crops: of training speakers.
        recitals: speech without pictures, for the front end alone.
        portraits: (l s s 3) crops of people without speech, for the identity experts alone.
    """

    crops: Sequence[Crop]
    recitals: Sequence[Recital] = ()
    portraits: Sequence[NDArray[np.uint8]] = ()


@dataclass(frozen=True)
class Halves:
    """What guide and judge learn from: no person is in both."""

    guide: Material
    judge: Material


def halves(material: Material) -> Halves:
    """Speakers in the order of their names go to guide and judge by turns, and so do portraits; recitals to neither.

    Raises:
        UserError: fewer than four speakers.
    """
    speakers = sorted({crop.speaker for crop in material.crops})
    if len(speakers) < MIN_SPEAKERS:
        raise UserError(
            "guide and judge can't learn from different people",
            got=f"{len(speakers)} training speakers",
            expected=f"at least {MIN_SPEAKERS}",
            fix="Add footage of other people to data/footage, or the studio's (`dubstrap studio`).",
        )
    guides = set(speakers[::2])
    parts = ([crop for crop in material.crops if (crop.speaker in guides) is guide] for guide in (True, False))
    guide, judge = (Material(part, (), material.portraits[turn::2]) for turn, part in enumerate(parts))
    return Halves(guide, judge)


class Stretch(NamedTuple):
    """Frames start .. start + length of a crop; the length is that of its `Stretches`."""

    crop: int
    start: int


class Stretches:
    """Stretches of `frames` frames of crops, with `context` mel rows at either side of their sound.

    Crops that are too short are left out; what lies before and after a crop is silence.

    Raises:
        UserError: all crops are too short.
    """

    def __init__(self, crops: Sequence[Crop], frames: int, context: int) -> None:
        self.crops = [crop for crop in crops if len(crop.frames) >= frames]
        self.frames, self.context = frames, context
        if not self.crops:
            longest = max((len(crop.frames) for crop in crops), default=0)
            raise UserError(
                "no crop is long enough to train on",
                got=f"{len(crops)} crops of at most {longest} frames",
                expected=f"{frames} frames",
                fix="Lower experts.frontend.frames and experts.sync.frames, or add longer clips to data/footage.",
            )
        if len(self.crops) < len(crops):
            log.info(
                "%d of %d crops are shorter than %d frames: left out", len(crops) - len(self.crops), len(crops), frames
            )
        pad = ((context, context), (0, 0))
        self._mels = [np.pad(crop.mel, pad, constant_values=SILENCE) for crop in self.crops]

    def draw(self, count: int, rng: np.random.Generator) -> list[Stretch]:
        """Random stretches, of different crops as far as there are enough."""
        order = np.concatenate([rng.permutation(len(self.crops)) for _ in range(-(-count // len(self.crops)))])[:count]
        return [Stretch(int(i), int(rng.integers(len(self.crops[i].frames) - self.frames + 1))) for i in order]

    def mel(self, stretches: Sequence[Stretch]) -> Float[Tensor, "b m bins"]:
        """Log-mel with its context, 4 * frames + 2 * context rows each."""
        rows = MEL_PER_FRAME * self.frames + 2 * self.context
        starts = [(crop, MEL_PER_FRAME * start) for crop, start in stretches]
        return torch.from_numpy(np.stack([self._mels[crop][row : row + rows] for crop, row in starts]))


def separation(same: NDArray[np.floating[Any]], different: NDArray[np.floating[Any]]) -> float:
    """AUC: the chance that one of `same` is above one of `different`."""
    labels = np.repeat([1, 0], [len(same), len(different)])
    return float(roc_auc_score(labels, np.concatenate([same, different])))
