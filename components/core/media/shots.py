"""Where one shot ends and the next begins, in a stream."""

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

THUMB_PX = 32
MEMORY_FRAMES = 12
STAND_OUT = 3.0
"""A cut differs this many times more than anything in the memory, so that fast motion and low rates are none."""
DIFFERENCE = 24.0
"""Mean grey levels between two frames' thumbnails: hard cuts have 30 to 90, a turning head below 12."""


class Cuts:
    """Says of each frame that it is given whether a new shot begins there.

    Args:
        difference: mean grey levels between two frames' thumbnails above which they may be a cut.
    """

    def __init__(self, difference: float = DIFFERENCE) -> None:
        self._difference = difference
        self._memory: deque[float] = deque([0.0], maxlen=MEMORY_FRAMES)
        self._last: NDArray[np.float32] | None = None

    def begins(self, rgb: NDArray[np.uint8]) -> bool:
        """Whether this frame, which follows the one given before, is the first of a new shot."""
        thumb = cv2.resize(rgb, (THUMB_PX, THUMB_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
        change = 0.0 if self._last is None else float(np.abs(thumb - self._last).mean())
        cut = change > self._difference and change > STAND_OUT * max(self._memory)
        self._memory.append(change)
        self._last = thumb
        return cut
