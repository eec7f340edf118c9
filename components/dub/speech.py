"""The new speech, as the editor hears it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.media import MEL_HZ, MEL_PER_FRAME, RATE_HZ, audio, mel
from components.core.media.video import MediaError

SILENT_DBFS = -60.0
SHORTEST_S = 0.2
"""Less than this is no word."""


@dataclass(frozen=True)
class Speech:
    """Speech from time 0, the first frame of the video, to `duration_s`."""

    mel: NDArray[np.float32]
    """(m, 80) at 100 Hz."""
    duration_s: float

    @classmethod
    def load(cls, path: Path) -> "Speech":
        """The speech of any audio or video file.

        Raises:
            MediaError: the file holds no sound, is silent or too short.
        """
        samples = audio.load(path)
        duration_s = len(samples) / RATE_HZ
        if duration_s < SHORTEST_S:
            raise MediaError("too_short", f"{path} holds {duration_s:.2f} s of sound, expected at least {SHORTEST_S} s")
        loudness_dbfs = audio.loudness_dbfs(samples)
        if not loudness_dbfs > SILENT_DBFS:
            raise MediaError("silent", f"{path} is silent, expected speech louder than {SILENT_DBFS:.0f} dBFS")
        return cls(mel.log_mel(samples), duration_s)

    def rows(self, times_s: NDArray[np.floating[Any]], context: int) -> NDArray[np.float32]:
        """(4 f + 2 context, 80): four rows from each frame's time on, and `context` rows before the first and after the
        last of these.

        The model learned this at 25 fps, where the rows are simply consecutive. At any other rate each frame still
        hears exactly its own time, so lips and speech can not drift apart. Where there is no speech it is silence.
        """
        first = np.rint(np.asarray(times_s) * MEL_HZ).astype(int)
        own = (first[:, None] + np.arange(MEL_PER_FRAME)).ravel()
        around = np.arange(1, context + 1)
        index = np.concatenate([own[0] - around[::-1], own, own[-1] + around])
        inside = (index >= 0) & (index < len(self.mel))
        return np.where(inside[:, None], self.mel[index.clip(0, len(self.mel) - 1)], np.float32(mel.SILENCE))
