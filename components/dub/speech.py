"""The new speech, as the editor hears it, a little at a time."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.media import MEL_BINS, MEL_HZ, MEL_PER_FRAME, RATE_HZ, audio, mel
from components.core.media.video import MediaError

Mel = NDArray[np.float32]

SILENT_DBFS = -60.0
SHORTEST_S = 0.2
"""Less than this is no word."""


class Speech:
    """Speech from time 0, the first frame of the video, of which only what is being said is in memory.

    Args:
        rows: its log-mel (n, 80) at 100 Hz, in blocks.
        duration_s: its length.
    """

    def __init__(self, rows: Iterable[Mel], duration_s: float) -> None:
        self.duration_s = duration_s
        self._coming = iter(rows)
        self._first = 0
        self._heard = np.zeros((0, MEL_BINS), np.float32)

    @classmethod
    def load(cls, path: Path) -> "Speech":
        """The speech of any audio or video file.

        Raises:
            MediaError: the file holds no sound, is silent or too short.
        """
        samples, power = 0, 0.0
        for block in audio.stream(path):
            samples += block.shape[1]
            power += float(np.square(block, dtype=np.float64).sum())
        duration_s = samples / RATE_HZ
        if duration_s < SHORTEST_S:
            raise MediaError("too_short", f"{path} holds {duration_s:.2f} s of sound, expected at least {SHORTEST_S} s")
        if not power / samples > 10 ** (SILENT_DBFS / 10):
            raise MediaError("silent", f"{path} is silent, expected speech louder than {SILENT_DBFS:.0f} dBFS")
        return cls(mel.stream(block[0] for block in audio.stream(path)), duration_s)

    def rows(self, times_s: NDArray[np.floating[Any]], context: int) -> Mel:
        """(4 f + 2 context, 80): four rows from each frame's time on, and `context` rows before the first and after the
        last of these.

        The model learned this at 25 fps, where the rows are simply consecutive. At any other rate each frame still
        hears exactly its own time, so lips and speech can not drift apart. Where there is no speech it is silence.
        What lies before the first of these rows is forgotten: no later call may begin before it.
        """
        first = np.rint(np.asarray(times_s) * MEL_HZ).astype(int)
        own = (first[:, None] + np.arange(MEL_PER_FRAME)).ravel()
        around = np.arange(1, context + 1)
        index = np.concatenate([own[0] - around[::-1], own, own[-1] + around])
        self._hear(int(index.min()), int(index.max()))
        inside = (index >= 0) & (index < self._first + len(self._heard))
        assert index[inside].min(initial=self._first) >= self._first, "speech is heard in order"
        known = self._heard[np.where(inside, index - self._first, 0)] if inside.any() else np.zeros((1, MEL_BINS))
        return np.asarray(np.where(inside[:, None], known, mel.SILENCE), np.float32)

    def _hear(self, first: int, last: int) -> None:
        """Has rows first..last in memory, as far as there are any, and none before them."""
        blocks, ready = [self._heard], self._first + len(self._heard)
        while ready <= last and (block := next(self._coming, None)) is not None:
            blocks.append(block)
            ready += len(block)
        gone = max(0, min(first, ready) - self._first)
        self._heard = np.concatenate(blocks)[gone:]
        self._first += gone
