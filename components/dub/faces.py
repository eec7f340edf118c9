"""Whose lips are to be dubbed: the faces of a video, which of them talks, and what to show a user who has to say."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.base import files
from components.core.base.errors import UserError
from components.core.media import video
from components.core.media.face import FaceMesh
from components.dub.follow import squared
from components.dub.sync import SyncExpert
from components.dub.talk import MOST_FACES, talker, talks
from components.dub.tracks import REACH, Face, Follower, Looks

Image = NDArray[np.uint8]

SURVEY_S = 6.0
SURVEY_EVERY_S = 0.25
PERSISTENT = 0.4
"""A face in at least this share of the survey's pictures is one that a user may mean."""
SHEET_PX = 160


@dataclass
class Sight:
    """One face of the survey."""

    first: Face
    last: Face
    portrait: Image
    count: int = 1


@dataclass(frozen=True)
class Choice:
    """The face to dub.

    Attributes:
        face: where it is first, None where the first seconds show none; then it is the largest that comes.
        count: how many faces there are.
        why: it is this one, in words.
        looks: of it, as far as it has been looked at.
    """

    face: Face | None
    count: int
    why: str
    looks: Looks = field(default_factory=Looks)

    def follower(self) -> Follower:
        """One that follows it from the first picture on."""
        return Follower(self.face, looks=self.looks)


def choose(path: Path, number: int | None, sheet: Path, pixel_width: float, editor: Path) -> Choice:
    """The face to dub, from the first seconds of the video, in square pixels.

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
    faces = [sight.first for sight in sights]
    if number is None and len(faces) <= 1:
        return Choice(faces[0] if faces else None, len(faces), "the only one" if faces else "the largest that comes")
    if number is not None and number <= len(faces):
        return Choice(faces[number - 1], len(faces), f"--face {number}")
    listed = ", ".join(f"{i}: {f.size_px:.0f} px high at ({f.x_px:.0f}, {f.y_px:.0f})" for i, f in enumerate(faces, 1))
    if number is not None:
        got = f"{len(faces)} faces ({listed})" if faces else "no face at all"
        raise UserError(f"{path} has no face {number}", got=got)
    expert = SyncExpert.beside(editor)
    if (found := talker(talks(path, faces, pixel_width, expert))) is not None:
        index, judge = found
        why = f"number {index + 1} of {len(faces)}: its mouth moves with the sound ({judge})"
        return Choice(faces[index], len(faces), why)
    write_sheet(sheet, sights)
    raise UserError(
        f"{path} shows {len(faces)} faces ({listed}) and it is not clear which of them talks",
        fix=f"Say which with --face N, counted from the left; {sheet} shows them.",
    )


def survey(path: Path, pixel_width: float = 1.0) -> list[Sight]:
    """The faces of the first seconds that stay, from left to right, each where it was first seen."""
    due_s, pictures = 0.0, 0
    seen: list[Sight] = []
    with FaceMesh(static=True, faces=MOST_FACES) as mesh:
        for frame in _beginning(path, SURVEY_S):
            if frame.time_s < due_s:
                continue
            due_s, pictures = frame.time_s + SURVEY_EVERY_S, pictures + 1
            rgb = squared(frame.rgb, pixel_width)
            for face in map(Face.of, mesh.detect(rgb)):
                same = [known for known in seen if known.last.distance(face) < REACH]
                if same:
                    nearest = min(same, key=lambda known: known.last.distance(face))
                    nearest.last, nearest.count = face, nearest.count + 1
                else:
                    seen.append(Sight(face, face, _portrait(rgb, face)))
    stay = [known for known in seen if known.count >= PERSISTENT * pictures]
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


def _beginning(path: Path, seconds: float) -> Iterator[video.Frame]:
    for frame in video.frames(path):
        if frame.time_s > seconds:
            return
        yield frame


def _portrait(rgb: Image, face: Face) -> Image:
    """The face and its surroundings, SHEET_PX square."""
    zoom = SHEET_PX / (1.6 * face.size_px)
    shift = SHEET_PX / 2 - zoom * np.array([face.x_px, face.y_px])
    matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
    return np.asarray(cv2.warpAffine(rgb, matrix, (SHEET_PX, SHEET_PX), flags=cv2.INTER_AREA), np.uint8)
