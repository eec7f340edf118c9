"""The faces over time, each with an id for as long as it is followed, and which of them is the one to dub."""

from dataclasses import astuple, dataclass
from itertools import product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.media import geometry

Floats = NDArray[np.floating[Any]]
Image = NDArray[np.uint8]

REACH = 0.8
"""A face moves by less than this share of its size between two pictures."""
SAME = 0.25
"""Two faces whose centres are nearer than this are one that was found twice."""
KEPT_FRAMES = 12
"""A face that comes back to its place after so many pictures at most is the same one."""
MOST_TRACKS = 8
REGIONS = ((4.8, 6.0, 3.6, 5.0), (4.8, 6.0, 7.0, 8.4), (2.3, 3.2, 4.5, 7.5), (0.0, 1.0, 3.0, 9.0))
"""Cheeks, forehead and hair: top, bottom, left and right in units of the crop. Speech does not move them."""
LOOKS_PX = 48
ALIKE = 3.0
"""Colours that differ by more are not clearly those of the same person. In ten clips of real people and three of the
studio 98 % of a take's later frames are nearer than this to its earlier ones, and no frame of another take is: the
nearest of 2,460 was 4.2 away. A tenth more light makes 2 to 5 of difference."""


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

    def change(self, other: "Face") -> float:
        """The distance and by how much one is the larger: a mesh may find one face twice, in two sizes."""
        return self.distance(other) + float(abs(np.log(self.size_px / other.size_px)))


class Looks:
    """What the chosen face looks like: its colours, as often as they were learned.

    This is no network that knows people: it tells a person from others in the light of the same scene, and where it
    is not sure it says no.
    """

    def __init__(self) -> None:
        self._known: list[Floats] = []

    @property
    def known(self) -> bool:
        """Whether anything was learned: until then, a face is the chosen one by its place alone."""
        return bool(self._known)

    def learn(self, rgb: Image, landmarks: Floats) -> None:
        """These are its landmarks (478, 3) in a picture (h w 3)."""
        self._known.append(colours(rgb, landmarks))

    def join(self, other: "Looks") -> None:
        """Learns all that the other has learned."""
        self._known += other._known

    def apart(self, other: "Looks") -> float:
        """Mean `difference` of all that the other has learned, in units of CIELAB."""
        return float(np.mean([self._nearest(one) for one in other._known]))

    def difference(self, rgb: Image, landmarks: Floats) -> float:
        """From the most alike of what was learned, in units of CIELAB."""
        return self._nearest(colours(rgb, landmarks))

    def _nearest(self, one: Floats) -> float:
        return float(np.sqrt(np.square(np.stack(self._known) - one).mean(1)).min())


def colours(rgb: Image, landmarks: Floats) -> Floats:
    """Mean L, a and b of each of the REGIONS, (12,)."""
    crop = geometry.warp(rgb, geometry.alignment(landmarks[None], LOOKS_PX)[0], LOOKS_PX)
    lab = cv2.cvtColor(crop.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    edges = np.rint(np.array(REGIONS) * LOOKS_PX / geometry.UNITS).astype(int)
    means = [lab[top:bottom, left:right].mean((0, 1)) for top, bottom, left, right in edges]
    return np.concatenate(means)


@dataclass
class Track:
    """A face for as long as it is followed: no further than to the next cut.

    Attributes:
        number: its id, from 1.
        start_frame, stop_frame: first and one past the last picture in which it was seen.
        chosen: whether it is the one to dub.
        compared: in how many pictures it was compared with the looks of the chosen one.
        difference: mean of these, in units of CIELAB.
        x_px, y_px, size_px: where it was last.
    """

    number: int
    start_frame: int
    stop_frame: int
    chosen: bool
    compared: int
    difference: float
    x_px: float
    y_px: float
    size_px: float

    @property
    def face(self) -> Face:
        """Where it was last."""
        return Face(self.x_px, self.y_px, self.size_px)

    def seen(self, face: Face, frame: int) -> None:
        """It is there in this picture."""
        self.x_px, self.y_px, self.size_px, self.stop_frame = face.x_px, face.y_px, face.size_px, frame + 1

    def compare(self, difference: float) -> None:
        """It differs so much from the chosen one in a further picture."""
        self.compared += 1
        self.difference += (difference - self.difference) / self.compared

    @property
    def reason(self) -> str:
        """Why it is dubbed, or is not."""
        if not self.compared:
            return "the chosen face" if self.chosen else "beside or before the chosen face"
        found = "like" if self.chosen else "not clearly"
        return f"{found} the chosen face: colours differ by {self.difference:.1f}, {ALIKE:.0f} is the most"


class Follower:
    """Picks one face out of those detected, picture after picture.

    The first that it picks is the one at `face`. Within a shot that one is followed by its place; after a gap or a cut
    a face is taken for it where it looks like it, and no other there does.

    Args:
        face: the one to follow, or None to begin with the largest.
        alone: whether there is only one in the whole video; then whatever comes, it is the one.
        looks: of the one to follow.
        since_frame: in the pictures before this one nobody is it.
    """

    SHAPE = (MOST_TRACKS, 9)
    """Of what `state` returns."""

    def __init__(
        self, face: Face | None, alone: bool = False, looks: Looks | None = None, since_frame: int = 0
    ) -> None:
        self._face, self._alone, self._looks, self._since_frame = face, alone, looks or Looks(), since_frame
        self._frame, self._count, self._begun = 0, 0, False
        self.tracks: list[Track] = []

    def pick(self, faces: list[Floats], rgb: Image | None = None, cut: bool = False) -> Floats | None:
        """The landmarks of the followed face, or None where it is not there. `faces` has the largest first.

        Args:
            faces: landmarks (478, 3) of each in the next picture.
            rgb: the picture, without which no face looks like another.
            cut: whether a new shot begins with it.
        """
        self.tracks = [] if cut else [one for one in self.tracks if self._frame - one.stop_frame <= KEPT_FRAMES]
        here = self._matched([Face.of(landmarks) for landmarks in faces])
        if self._frame >= self._since_frame and not any(track.chosen for track in here):
            self._choose(here, faces, rgb)
        self._frame += 1
        self.tracks = sorted(self.tracks, key=lambda one: -one.stop_frame)[:MOST_TRACKS]
        return next((landmarks for landmarks, track in zip(faces, here, strict=True) if track.chosen), None)

    def _matched(self, faces: list[Face]) -> list[Track]:
        """The track of each: the nearest within reach, else a new one."""
        pairs = product(range(len(self.tracks)), range(len(faces)))
        near = sorted((self.tracks[one].face.change(faces[other]), one, other) for one, other in pairs)
        found, taken = dict[int, Track](), set[int]()
        for _, one, other in near:
            if one in taken or other in found:
                continue
            if self.tracks[one].face.distance(faces[other]) <= REACH:
                found[other] = self.tracks[one]
                taken.add(one)
        for index, face in enumerate(faces):
            if index not in found:
                self._count += 1
                where = (face.x_px, face.y_px, face.size_px)
                found[index] = Track(self._count, self._frame, self._frame, False, 0, 0.0, *where)
                self.tracks.append(found[index])
            found[index].seen(face, self._frame)
        return [found[index] for index in range(len(faces))]

    def _choose(self, here: list[Track], faces: list[Floats], rgb: Image | None) -> None:
        """Makes one of the tracks that are here the chosen one, where it is clear which."""
        if self._alone or (self._begun and self._looks.known):
            may = [one for one, points in zip(here, faces, strict=True) if self._alone or self._alike(one, points, rgb)]
        elif self._face is None:
            may = here[:1]
        else:
            distances = [self._face.distance(track.face) for track in here]
            may = [here[int(np.argmin(distances))]] if min(distances, default=np.inf) <= REACH else []
        if may and (self._alone or all(may[0].face.distance(one.face) < SAME for one in may)):
            self.tracks = [track for track in self.tracks if not track.chosen]  # where it was is over
            may[0].chosen = self._begun = True

    def _alike(self, track: Track, landmarks: Floats, rgb: Image | None) -> bool:
        if rgb is None:
            return False
        track.compare(self._looks.difference(rgb, landmarks))
        return track.difference <= ALIKE

    def state(self) -> Floats:
        """Where the tracks are, for `restore`; NaN beyond the last of them."""
        rows = np.full(self.SHAPE, np.nan)
        for row, track in zip(rows, self.tracks, strict=False):
            row[:] = astuple(track)
        return rows

    def restore(self, rows: Floats) -> None:
        """Goes on as the follower did whose `state` this was after the same picture."""
        known = rows[np.isfinite(rows[:, 0])]
        self.tracks = [
            Track(int(number), int(start), int(stop), bool(chosen), int(compared), *where)
            for number, start, stop, chosen, compared, *where in known.tolist()
        ]
        self._frame += 1
        self._count = max([self._count, *(track.number for track in self.tracks)])
        self._begun = self._begun or any(track.chosen for track in self.tracks)
