"""Speech with exact lips and no picture: data/recitals, where the front end learns to hear (docs/contracts.md)."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from components.core.base.errors import UserError
from components.core.media import MEL_BINS, MEL_PER_FRAME, audio, mel
from components.experts.data import Recital


def load(data: Path) -> list[Recital]:
    """The recitals in `data`/recitals, in the order of their names; none where the folder is absent.

    Raises:
        UserError: sound without tracks, or of another length.
    """
    found = []
    for sound in sorted((data / "recitals").glob("*.flac")):
        beside = sound.with_suffix(".npz")
        if not beside.is_file():
            raise UserError(f"{sound} has no tracks", expected=f"{beside}", fix="Remove the file, or add its tracks.")
        with np.load(beside) as arrays:
            tracks = arrays["tracks"].astype(np.float32)
        found.append(Recital(mel.for_frames(audio.load(sound), len(tracks)), tracks))
    if len({recital.tracks.shape[1] for recital in found}) > 1:
        shapes = sorted({recital.tracks.shape[1] for recital in found})
        raise UserError(f"{data / 'recitals'} does not agree on what a track is", got=f"tracks of {shapes} columns")
    return found


def digest(recitals: Sequence[Recital]) -> str:
    """One text for what they hold."""
    content = hashlib.sha256()
    for recital in recitals:
        content.update(recital.mel.tobytes() + recital.tracks.tobytes())
    return content.hexdigest()


class Recitals:
    """Stretches of `frames` frames of recitals, with `context` mel rows at either side and standardised tracks."""

    def __init__(self, recitals: Sequence[Recital], frames: int, context: int) -> None:
        self.frames, self.context = frames, context
        self._mels = [recital.mel for recital in recitals]
        tracks = np.concatenate([recital.tracks for recital in recitals]) if recitals else np.zeros((1, 1), np.float32)
        mean, std = tracks.mean(0), tracks.std(0).clip(min=1e-3)
        self._tracks = [(recital.tracks - mean) / std for recital in recitals]
        self.width = tracks.shape[1]

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Float[Tensor, "b m bins"], Float[Tensor, "b f k"]]:
        """`count` random stretches, every place equally likely: mel (4 * frames + 2 * context rows) and tracks."""
        around = -(-self.context // MEL_PER_FRAME)
        room = np.array([max(0, len(tracks) - self.frames - 2 * around) for tracks in self._tracks])
        rows = MEL_PER_FRAME * self.frames + 2 * self.context
        mels, tracks = (
            [np.zeros((0, rows, MEL_BINS), np.float32)],
            [np.zeros((0, self.frames, self.width), np.float32)],
        )
        for which in rng.choice(len(room), size=count, p=room / room.sum()) if count else []:
            start = around + int(rng.integers(room[which]))
            row = MEL_PER_FRAME * start - self.context
            mels.append(self._mels[which][None, row : row + rows])
            tracks.append(self._tracks[which][None, start : start + self.frames])
        return torch.from_numpy(np.concatenate(mels)), torch.from_numpy(np.concatenate(tracks))
