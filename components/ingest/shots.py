"""Where one shot ends and the next begins, in a stream."""

from collections import deque
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
THUMB_PX = 32
MEMORY_FRAMES = 12
STAND_OUT = 3.0
"""A cut differs this many times more than anything in the memory, so that fast motion and low rates are none."""


def number(frames: Iterable[Image], difference: float, longest_frames: int) -> Iterator[tuple[int, Image]]:
    """Each frame with the number of its piece: a new one at each cut, and after `longest_frames` without one.

    Args:
        frames: RGB.
        difference: mean grey levels between two frames' thumbnails above which they may be a cut.
        longest_frames: the most frames that a piece has.
    """
    memory: deque[float] = deque([0.0], maxlen=MEMORY_FRAMES)
    last, piece, length = None, 0, 0
    for frame in frames:
        thumb = cv2.resize(frame, (THUMB_PX, THUMB_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
        change = 0.0 if last is None else float(np.abs(thumb - last).mean())
        if (change > difference and change > STAND_OUT * max(memory)) or length == longest_frames:
            piece, length = piece + 1, 0
        yield piece, frame
        memory.append(change)
        last, length = thumb, length + 1
