"""The pictures of the result: those of the source at their own times, cut or extended as the length policy says."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.base.errors import UserError
from components.core.media.video import LONGEST_S, Frame, MediaError
from components.dub.options import Extend, Length

Image = NDArray[np.uint8]

TOLERANCE_S = 1e-3
"""Speech that outlasts the last frame by less than this is not worth another frame."""
PINGPONG_BYTES = 256_000_000
"""What the frames that pingpong may play back and forth can hold: at 720p in 4:2:0 the last 61 frames."""


@dataclass(frozen=True)
class Picture:
    """One picture of the result."""

    rgb: Image
    """(h, w, 3), as displayed."""
    time_s: float
    """When it starts to show; the first one's is 0."""
    duration_s: float
    stored: Any = None
    """The source's own av.VideoFrame, not turned, in its own pixel format; None where there is none."""
    before: Image | None = None
    """What `rgb` was before it was edited; None where it was not."""
    edited: tuple[slice, slice] | None = None
    """Rows and columns outside of which the edit changed nothing."""

    @property
    def end_s(self) -> float:
        return self.time_s + self.duration_s

    @property
    def nbytes(self) -> int:
        """Of its pixels, as displayed and as stored."""
        planes = self.stored.planes if self.stored else ()
        return self.rgb.nbytes + int(sum(plane.buffer_size for plane in planes))


def steady(frames: Iterable[Frame], path: Path) -> Iterator[Frame]:
    """The frames as they are.

    Raises:
        MediaError: one would show for longer than LONGEST_S, as where timestamps are corrupt.
    """
    time_s = 0.0
    for frame in frames:
        if frame.time_s - time_s > LONGEST_S:
            raise MediaError("unreadable", f"{path.name}: time jumps from {time_s:.1f} s to {frame.time_s:.1f} s")
        time_s = frame.time_s
        yield frame


def timeline(
    frames: Iterable[Frame], rate_fps: float, speech_s: float, length: Length, extend: Extend, video_s: float = 0.0
) -> Iterator[Picture]:
    """The pictures of the result in order.

    Args:
        frames: of the source.
        rate_fps: its rate, at which it also goes on where it is extended.
        speech_s: length of the speech.
        length, extend: the policy.
        video_s: until when the last frame is shown; where that is before it, it is shown for a usual step.

    Raises:
        UserError: the speech is longer than the video, and `extend` is "fail".
    """
    limit_s = float("inf") if length == "video" else speech_s - TOLERANCE_S
    memory = _Memory(extend) if length == "speech" else None
    last = None
    for whole in _timed(frames, 1 / rate_fps, video_s):
        if whole.time_s >= limit_s:
            return
        picture = replace(whole, duration_s=min(whole.duration_s, limit_s + 1 / rate_fps - whole.time_s))
        if memory:
            memory.keep(picture)
        last = picture
        yield picture
    if memory and last and last.end_s < limit_s:
        if extend == "fail":
            raise UserError(
                "the video ends before the speech",
                got=f"{last.end_s:.2f} s of video, {speech_s:.2f} s of speech",
                fix="Allow --extend hold or pingpong, or choose --length video or shortest.",
            )
        yield from _until(limit_s, memory, last, 1 / rate_fps)


def _timed(frames: Iterable[Frame], usual_s: float, end_s: float) -> Iterator[Picture]:
    """Each frame lasts until the next; the last one until the end, and where that is before it as long as usual."""
    before = None
    for frame in frames:
        if before:
            yield Picture(before.rgb, before.time_s, frame.time_s - before.time_s, before.stored)
        before = frame
    if before:
        left_s = end_s - before.time_s
        yield Picture(before.rgb, before.time_s, left_s if left_s > 0 else usual_s, before.stored)


class _Memory:
    """The last pictures, as far as the extension needs them."""

    def __init__(self, extend: Extend) -> None:
        self._pingpong = extend == "pingpong"
        self._pictures: deque[Picture] = deque()
        self._bytes = 0

    def keep(self, picture: Picture) -> None:
        self._pictures.append(picture)
        self._bytes += picture.nbytes
        while len(self._pictures) > 1 and (not self._pingpong or self._bytes > PINGPONG_BYTES):
            self._bytes -= self._pictures.popleft().nbytes

    def play(self) -> Iterator[Picture]:
        """Endlessly: the last picture, or all of them backwards and forwards, no turning point shown twice."""
        pictures = list(self._pictures)
        return cycle([*pictures[-2::-1], *pictures[1:]] or pictures)


def _until(limit_s: float, memory: _Memory, last: Picture, duration_s: float) -> Iterator[Picture]:
    start_s = last.end_s
    for index, picture in enumerate(memory.play()):
        time_s = start_s + index * duration_s
        if time_s >= limit_s:
            return
        yield replace(picture, time_s=time_s, duration_s=duration_s)
