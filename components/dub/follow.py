"""Which face is dubbed, and where it is in every picture: found, followed and smoothed with bounded look-ahead."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.base.errors import UserError
from components.core.media import geometry, video
from components.core.media.face import FaceMesh
from components.core.media.geometry import SMOOTH_RADIUS_FRAMES
from components.dub.report import Clock
from components.dub.timeline import Picture

Floats = NDArray[np.floating[Any]]

MOST_FACES = 6
SURVEY_S = 6.0
SURVEY_EVERY_S = 0.25
PERSISTENT = 0.4
"""A face in at least this share of the survey's pictures is one that a user may mean."""
REACH = 0.8
"""A face moves by less than this share of its size between two pictures."""


@dataclass(frozen=True)
class Face:
    """Where a face is."""

    x_px: float
    y_px: float
    size_px: float
    """The longer side of the box around its landmarks."""

    @classmethod
    def of(cls, landmarks: Floats) -> "Face":
        """The face with these landmarks (478, 3)."""
        low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
        x, y = (low + high) / 2
        return cls(float(x), float(y), float((high - low).max()))

    def distance(self, other: "Face") -> float:
        """Between the centres, in sizes of the larger one."""
        return float(np.hypot(self.x_px - other.x_px, self.y_px - other.y_px)) / max(self.size_px, other.size_px)


@dataclass(frozen=True)
class Seen:
    """A picture and the face in it.

    Attributes:
        picture: the picture.
        transform: (2, 3) from the picture to the crop, or None where there is no face to dub: a gap.
        begins: whether a run of pictures of one face begins here: the first, after a gap, or after a cut.
    """

    picture: Picture
    transform: Floats | None
    begins: bool


def choose(path: Path, number: int | None) -> tuple[Face | None, int]:
    """The face to dub, and how many faces there are, from the first seconds of the video.

    The face is None where those seconds show none; then it is the largest that comes.

    Raises:
        UserError: there are several and no `number`, or fewer than `number`; it lists them.
    """
    faces = _survey(path)
    if number is None and len(faces) <= 1:
        return (faces[0] if faces else None), len(faces)
    if number is not None and number <= len(faces):
        return faces[number - 1], len(faces)
    listed = ", ".join(f"{i}: {f.size_px:.0f} px high at ({f.x_px:.0f}, {f.y_px:.0f})" for i, f in enumerate(faces, 1))
    if number is None:
        raise UserError(
            f"{path} shows {len(faces)} faces ({listed})", fix="Say which with --face N, counted from the left."
        )
    raise UserError(f"{path} has no face {number}", got=f"{len(faces)} faces ({listed})" if faces else "no face at all")


def _survey(path: Path) -> list[Face]:
    """The faces of the first seconds that stay, from left to right, each where it was first seen."""
    due_s, pictures = 0.0, 0
    seen: list[list[Face]] = []
    with FaceMesh(static=True, faces=MOST_FACES) as mesh:
        for frame in video.frames(path):
            if frame.time_s > SURVEY_S:
                break
            if frame.time_s < due_s:
                continue
            due_s, pictures = frame.time_s + SURVEY_EVERY_S, pictures + 1
            for face in map(Face.of, mesh.detect(frame.rgb)):
                same = [known for known in seen if known[-1].distance(face) < REACH]
                if same:
                    min(same, key=lambda known: known[-1].distance(face)).append(face)
                else:
                    seen.append([face])
    stay = [known[0] for known in seen if len(known) >= PERSISTENT * pictures]
    return sorted(stay, key=lambda face: face.x_px)


class Follower:
    """Picks one face out of those detected, picture after picture.

    Args:
        face: the one to follow, or None to begin with the largest.
        alone: whether there is only one; then wherever it jumps, at a cut, it is the one.
    """

    def __init__(self, face: Face | None, alone: bool) -> None:
        self._last, self._alone = face, alone

    def pick(self, faces: list[Floats]) -> Floats | None:
        """The landmarks of the followed face, or None where it is not there. `faces` has the largest first."""
        if not faces:
            return None
        if self._last is None or (self._alone and len(faces) == 1):
            chosen = faces[0]
        else:
            last = self._last
            chosen = min(faces, key=lambda landmarks: last.distance(Face.of(landmarks)))
            if not self._alone and last.distance(Face.of(chosen)) > REACH:
                return None
        self._last = Face.of(chosen)
        return chosen


def track(
    pictures: Iterable[Picture], follower: Follower, mesh: FaceMesh, size_px: int, clock: Clock
) -> Iterator[Seen]:
    """Every picture with its smoothed transform, `SMOOTH_RADIUS_FRAMES` pictures late.

    The smoothing is `geometry.smooth` itself on as much of the stream as it looks at, so the result is the one of the
    whole track.
    """
    radius = SMOOTH_RADIUS_FRAMES
    near: deque[tuple[Picture | None, Floats | None]] = deque([(None, None)] * radius, maxlen=2 * radius + 1)
    for picture in chain(pictures, [None] * radius):
        transform = None
        if picture:
            with clock("track"):
                landmarks = follower.pick(mesh.detect(picture.rgb))
                transform = None if landmarks is None else geometry.alignment(landmarks[None], size_px)[0]
        near.append((picture, transform))
        middle = near[radius][0] if len(near) > 2 * radius else None
        if middle:
            with clock("track"):
                seen = _smoothed(middle, [found for _, found in near], size_px)
            yield seen


def _smoothed(picture: Picture, near: list[Floats | None], size_px: int) -> Seen:
    """The picture in the middle of `near`."""
    middle = len(near) // 2
    if near[middle] is None:
        return Seen(picture, None, begins=False)
    valid = np.array([transform is not None for transform in near])
    transforms = np.stack([np.eye(2, 3) if transform is None else transform for transform in near])
    run = geometry.runs(transforms, valid, size_px)
    smooth = geometry.smooth(transforms, valid, size_px)
    return Seen(picture, smooth[middle], begins=bool(run[middle - 1] != run[middle]))
