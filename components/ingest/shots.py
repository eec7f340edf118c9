"""Where one piece of a file ends and the next begins."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from components.core.media.shots import Cuts

Image = NDArray[np.uint8]


def number(frames: Iterable[Image], difference: float, longest_frames: int) -> Iterator[tuple[int, Image]]:
    """Each frame with the number of its piece: a new one at each cut, and after `longest_frames` without one.

    Args:
        frames: RGB.
        difference: mean grey levels between two frames' thumbnails above which they may be a cut.
        longest_frames: the most frames that a piece has.
    """
    cuts, piece, length = Cuts(difference), 0, 0
    for frame in frames:
        if cuts.begins(frame) or length == longest_frames:
            piece, length = piece + 1, 0
        yield piece, frame
        length += 1
