"""Whose lips are to be dubbed: the faces of a video, which of them talks, and what to show a user who has to say."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.base import files
from components.core.base.errors import UserError
from components.core.media import FPS, video
from components.core.media.face import FaceMesh
from components.dub.follow import Shots, squared
from components.dub.sync import SyncExpert
from components.dub.talk import MOST_FACES, Talk, talker, talks
from components.dub.tracks import ALIKE, REACH, Face, Follower, Looks

Image = NDArray[np.uint8]

SURVEY_S = 6.0
"""So much is surveyed, from the first face on."""
SURVEY_EVERY_S = 0.25
PERSISTENT = 0.4
"""Who is in at least this share of the pictures of a shot is no passer-by."""
TURN = 0.15
"""Who is in at least this share of all pictures, in which people may take turns, is one that a user may mean."""
SHEET_PX = 160


@dataclass
class Shot:
    """Pictures from one cut to the next.

    Attributes:
        start_frame, start_s: the first of them, in the video.
        pictures: how many of them are surveyed.
    """

    start_frame: int = 0
    start_s: float = 0.0
    pictures: int = 0


@dataclass
class Sight:
    """One face of the survey.

    Attributes:
        shot: in which it is first.
        time_s: of the picture in which it is first.
        first, last: where it is in the first and the last picture in which it is.
        portrait: SHEET_PX square.
        looks: of it.
        pictures: numbers of those of the survey in which it is.
    """

    shot: Shot
    time_s: float
    first: Face
    last: Face
    portrait: Image
    looks: Looks = field(default_factory=Looks)
    pictures: set[int] = field(default_factory=set)

    def join(self, other: "Sight") -> None:
        """The other is the same one, later."""
        self.looks.join(other.looks)
        self.pictures |= other.pictures

    def __str__(self) -> str:
        where = f"({self.first.x_px:.0f}, {self.first.y_px:.0f})"
        return f"{self.first.size_px:.0f} px high at {where} at {self.time_s:.1f} s"


@dataclass(frozen=True)
class Choice:
    """The face to dub.

    Attributes:
        face: where it is first, None where the survey shows none; then it is the largest that comes.
        count: how many faces there are.
        why: it is this one, in words.
        since_frame: its first shot begins with this picture; in those before, another may be in its place.
        looks: of it, as far as it has been looked at.
    """

    face: Face | None
    count: int
    why: str
    since_frame: int = 0
    looks: Looks = field(default_factory=Looks)

    def follower(self) -> Follower:
        """One that follows it from the first picture on."""
        return Follower(self.face, looks=self.looks, since_frame=self.since_frame)


def choose(path: Path, number: int | None, sheet: Path, pixel_width: float, editor: Path) -> Choice:
    """The face to dub, from the first seconds with faces, in square pixels.

    Args:
        path: the video.
        number: of the face that the user wants, if they say.
        sheet: where the picture of the faces goes, if it is needed.
        pixel_width: width over height of a pixel as displayed.
        editor: the model, beside which may be a sync expert.

    Raises:
        UserError: there are several, no `number`, and it is not clear which of them talks: it lists them and writes
            a picture of them to `sheet`; or there are fewer than `number`.
    """
    sights = survey(path, pixel_width)
    if not sights and number is None:
        return Choice(None, 0, "the largest that comes")
    if number is None and len(sights) == 1:
        return _choice(sights, 0, "the only one")
    if number is not None and number <= len(sights):
        return _choice(sights, number - 1, f"--face {number}")
    listed = ", ".join(f"{i}: {sight}" for i, sight in enumerate(sights, 1))
    if number is not None:
        got = f"{len(sights)} faces ({listed})" if sights else "no face at all"
        raise UserError(f"{path} has no face {number}", got=got)
    if (found := talker(watch(path, sights, pixel_width, SyncExpert.beside(editor)))) is not None:
        index, judge = found
        why = f"number {index + 1} of {len(sights)}: its mouth moves with the sound ({judge})"
        return _choice(sights, index, why)
    write_sheet(sheet, sights)
    raise UserError(
        f"{path} shows {len(sights)} faces ({listed}) and it is not clear which of them talks",
        fix=f"Say which with --face N, counted from the left; {sheet} shows them.",
    )


def _choice(sights: list[Sight], index: int, why: str) -> Choice:
    return Choice(sights[index].first, len(sights), why, sights[index].shot.start_frame)


def watch(path: Path, sights: list[Sight], pixel_width: float, expert: SyncExpert | None) -> list[Talk]:
    """How the mouths of the faces move, from where the first of them is seen on."""
    start_s = min(sight.time_s for sight in sights)
    followers = []
    for sight in sights:
        since_frame = max(0, math.ceil((sight.shot.start_s - start_s) * FPS - 1e-6))
        followers.append(Follower(sight.first, looks=sight.looks, since_frame=since_frame))
    return talks(path, followers, start_s, pixel_width, expert)


def survey(path: Path, pixel_width: float = 1.0) -> list[Sight]:
    """The faces of the first seconds with faces that stay, from left to right, each where it was first seen.

    Where none stays in these, the next seconds with faces are surveyed. Within a shot a face is the same by its place,
    in another shot by what it looks like.
    """
    shots, shot, due_s = Shots(), Shot(), 0.0
    seen, pictures = list[Sight](), 0
    with FaceMesh(static=True, faces=MOST_FACES) as mesh:
        for number, frame in enumerate(video.frames(path)):
            if shots.begins(frame.rgb):
                shot = Shot(number, frame.time_s)
            if frame.time_s < due_s:
                continue
            due_s = frame.time_s + SURVEY_EVERY_S
            if seen and frame.time_s > seen[0].time_s + SURVEY_S:
                if people := _people(seen, pictures):
                    return people
                seen, pictures, shot = [], 0, Shot(shot.start_frame, shot.start_s)
            rgb = squared(frame.rgb, pixel_width)
            found = mesh.detect(rgb)
            if seen or found:
                pictures, shot.pictures = pictures + 1, shot.pictures + 1
            for landmarks in found:
                face = Face.of(landmarks)
                same = [known for known in seen if known.shot is shot and known.last.distance(face) < REACH]
                if not same:
                    same = [Sight(shot, frame.time_s, face, face, _portrait(rgb, face))]
                    seen += same
                nearest = min(same, key=lambda known: known.last.distance(face))
                nearest.last = face
                nearest.looks.learn(rgb, landmarks)
                nearest.pictures.add(pictures)
    return _people(seen, pictures)


def _people(seen: list[Sight], pictures: int) -> list[Sight]:
    """Those who stay, from left to right; who looks like one of an earlier shot is that one."""
    people: list[Sight] = []
    for sight in seen:
        if len(sight.pictures) < PERSISTENT * sight.shot.pictures:
            continue
        others = [known for known in people if known.pictures.isdisjoint(sight.pictures)]
        nearest = min(others, key=lambda known: known.looks.apart(sight.looks), default=None)
        if nearest and nearest.looks.apart(sight.looks) <= ALIKE:
            nearest.join(sight)
        else:
            people.append(sight)
    stay = [known for known in people if len(known.pictures) >= TURN * pictures]
    return sorted(stay, key=lambda known: known.first.x_px)


def write_sheet(path: Path, sights: list[Sight]) -> None:
    """A picture of the faces with their numbers."""
    tiles = []
    for number, sight in enumerate(sights, 1):
        tile = cv2.cvtColor(sight.portrait, cv2.COLOR_RGB2BGR)
        for colour, width in (((0, 0, 0), 5), ((255, 255, 255), 2)):
            cv2.putText(tile, str(number), (8, 34), cv2.FONT_HERSHEY_SIMPLEX, 1.1, colour, width, cv2.LINE_AA)
        tiles.append(tile)
    with files.replacing(path) as temporary:
        temporary.write_bytes(cv2.imencode(".png", np.hstack(tiles))[1].tobytes())


def _portrait(rgb: Image, face: Face) -> Image:
    """The face and its surroundings, SHEET_PX square."""
    zoom = SHEET_PX / (1.6 * face.size_px)
    shift = SHEET_PX / 2 - zoom * np.array([face.x_px, face.y_px])
    matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
    return np.asarray(cv2.warpAffine(rgb, matrix, (SHEET_PX, SHEET_PX), flags=cv2.INTER_AREA), np.uint8)
