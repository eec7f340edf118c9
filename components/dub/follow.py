"""Where the face is in every picture: found, followed and smoothed with bounded look-ahead; where it is not, why."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.media import face as landmarks_of
from components.core.media import geometry
from components.core.media.geometry import SMOOTH_RADIUS_FRAMES
from components.core.media.shots import Cuts
from components.dub.journal import Records
from components.dub.report import Clock
from components.dub.timeline import Picture
from components.dub.tracks import Follower, Track

Floats = NDArray[np.floating[Any]]

TURNED_DEG = 50.0
"""A face turned further to the side has no mouth to edit: half of it is hidden."""
FOUND, NO_FACE, OTHER_FACE, TURNED = range(4)
REASONS = ("", "no face found", "the chosen face is not there", "the face is turned away")
CUT_PX = 240
"""Cuts are looked for in pictures of about this size."""
WARM_UP = 50
"""Pictures before the first new one that a tracker sees after a journal, so that it knows where the face was."""


@dataclass(frozen=True)
class Seen:
    """A picture and the face in it.

    Attributes:
        picture: the picture.
        transform: (2, 3) from the picture to the crop, or None where there is no face to dub: a gap.
        pose: (3,) of the face, degrees; of no meaning in a gap.
        begins: whether a run of pictures of one face begins here: the first, after a gap, or after a cut.
        reason: of the gap, else empty.
    """

    picture: Picture
    transform: Floats | None
    begins: bool
    pose: Floats
    reason: str = ""


class Mesh(Protocol):
    """What finds faces: `FaceMesh`."""

    def detect(self, rgb: NDArray[np.uint8]) -> list[Floats]:
        """Landmarks (478, 3) of each face, the largest first."""

    def reset(self) -> None:
        """Forgets the picture before."""


class Once:
    """A mesh that is shown a video's beginning twice and looks once: the second time it says what it found.

    So the second time it finds what a new mesh would, since its own memory goes on where the first look ended.

    Args:
        mesh: which looks.
        most: pictures that it remembers; where the first look takes more of them, the second is one of its own.
    """

    def __init__(self, mesh: Mesh, most: int) -> None:
        self._mesh, self._most = mesh, most
        self._found, self._looked, self._second = deque[list[Floats]](), 0, False

    def detect(self, rgb: NDArray[np.uint8]) -> list[Floats]:
        """As the mesh's."""
        if self._second:
            return self._found.popleft() if self._found else self._mesh.detect(rgb)
        found = self._mesh.detect(rgb)
        self._looked += 1
        if self._looked <= self._most:
            self._found.append(found)
        return found

    def reset(self) -> None:
        """As the mesh's; what it found before it knows that already."""
        if not (self._second and self._found):
            self._mesh.reset()

    def again(self, knows: bool) -> None:
        """From here on the pictures come from the first one on; unless it `knows` them, it looks at all of them."""
        self._second = True
        if not knows or self._looked > self._most:
            self._found.clear()
            self._mesh.reset()


class Shots:
    """Says of one picture after the other whether a new shot begins with it."""

    def __init__(self) -> None:
        self._cuts = Cuts()

    def begins(self, rgb: NDArray[np.uint8]) -> bool:
        """Whether one does; looked for in a small picture."""
        step = max(1, min(rgb.shape[:2]) // CUT_PX)
        size = (max(1, rgb.shape[1] // step), max(1, rgb.shape[0] // step))
        return self._cuts.begins(np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_NEAREST), np.uint8))


@dataclass(frozen=True)
class Place:
    """Where the face is in one picture, before smoothing.

    Attributes:
        code: FOUND, or the number of a reason.
        cut: whether a new shot begins with this picture.
        transform: (2, 3) from the picture, its pixels made square, to the crop; of no meaning where not FOUND.
        pose: (3,) degrees; likewise.
    """

    code: int
    cut: bool
    transform: Floats = field(default_factory=lambda: np.eye(2, 3))
    pose: Floats = field(default_factory=lambda: np.zeros(3))


NOWHERE = Place(NO_FACE, False)


class Tracker:
    """Finds the face in one picture after the other.

    Its `tracks` are all that the follower has had, by their numbers.

    Args:
        mesh: the detector.
        follower: which of the faces.
        size_px: of the crop.
        pixel_width: width over height of a pixel as displayed.
        records: what an earlier run found, and where this one writes what it finds.
    """

    SHAPE = (11 + int(np.prod(Follower.SHAPE)),)
    """Of a record: code, cut, the transform, the pose, and the follower's state."""

    def __init__(self, mesh: Mesh, follower: Follower, size_px: int, pixel_width: float, records: Records) -> None:
        self._mesh, self._follower, self._size_px = mesh, follower, size_px
        self._pixel_width = pixel_width
        self._records, self._shots = records, Shots()
        self.tracks = dict[int, Track]()

    def place(self, rgb: NDArray[np.uint8]) -> Place:
        """The place of the face in the next picture."""
        cut = self._shots.begins(rgb)
        known = self._records.next()
        if known is None:
            place, state = self._found(rgb, cut), self._follower.state()
            record = [place.code, place.cut, *place.transform.ravel(), *place.pose, *state.ravel()]
            self._records.add(np.array(record))
        else:
            if self._records.left < WARM_UP:
                self._mesh.detect(squared(rgb, self._pixel_width))
            place = Place(int(known[0]), bool(known[1]), known[2:8].reshape(2, 3), known[8:11])
            self._follower.restore(known[11:].reshape(Follower.SHAPE))
        self.tracks |= {track.number: track for track in self._follower.tracks}
        return place

    def _found(self, rgb: NDArray[np.uint8], cut: bool) -> Place:
        if cut:
            self._mesh.reset()  # else it looks where the face of the last shot was
        picture = squared(rgb, self._pixel_width)
        faces = self._mesh.detect(picture)
        landmarks = self._follower.pick(faces, picture, cut)
        if landmarks is None:
            return Place(OTHER_FACE if faces else NO_FACE, cut)
        pose = landmarks_of.pose(landmarks[None])[0]
        if abs(pose[0]) > TURNED_DEG:
            return Place(TURNED, cut)
        return Place(FOUND, cut, geometry.alignment(landmarks[None], self._size_px)[0], pose)

    def smoothed(self, picture: Picture, near: list[Place]) -> Seen:
        """The picture in the middle of `near`, its face's place without jitter."""
        middle = len(near) // 2
        if near[middle].code != FOUND:
            return Seen(picture, None, False, near[middle].pose, REASONS[near[middle].code])
        valid, cuts = (np.array(values) for values in zip(*((p.code == FOUND, p.cut) for p in near), strict=True))
        transforms = np.stack([place.transform for place in near])
        run = geometry.runs(transforms, valid, self._size_px, cuts)
        smooth = geometry.smooth(transforms, valid, self._size_px, cuts)
        wide = squared_width(picture.rgb, self._pixel_width) / picture.rgb.shape[1]
        to_square = np.array([[wide, 0, (wide - 1) / 2], [0, 1, 0], [0, 0, 1]])  # centres of pixels, not their edges
        begins = bool(run[middle - 1] != run[middle])
        return Seen(picture, smooth[middle] @ to_square, begins, near[middle].pose)


def squared(rgb: NDArray[np.uint8], pixel_width: float) -> NDArray[np.uint8]:
    """The picture stretched so that its pixels are square, since a squeezed face is none to a detector."""
    width = squared_width(rgb, pixel_width)
    return rgb if width == rgb.shape[1] else np.asarray(cv2.resize(rgb, (width, rgb.shape[0])), np.uint8)


def squared_width(rgb: NDArray[np.uint8], pixel_width: float) -> int:
    """How wide `squared` makes it."""
    return round(rgb.shape[1] * pixel_width)


def track(pictures: Iterable[Picture], tracker: Tracker, clock: Clock) -> Iterator[Seen]:
    """Every picture with its smoothed transform, `SMOOTH_RADIUS_FRAMES` pictures late.

    The smoothing is `geometry.smooth` itself on as much of the stream as it looks at, so the result is the one of the
    whole track.
    """
    radius = SMOOTH_RADIUS_FRAMES
    near: deque[tuple[Picture | None, Place]] = deque([(None, NOWHERE)] * radius, maxlen=2 * radius + 1)
    for picture in chain(pictures, [None] * radius):
        with clock("track"):
            near.append((picture, tracker.place(picture.rgb) if picture else NOWHERE))
            middle = near[radius][0] if len(near) > 2 * radius else None
            seen = tracker.smoothed(middle, [place for _, place in near]) if middle else None
        if seen:
            yield seen
