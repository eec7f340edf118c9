"""Whose lips are to be dubbed: the faces of a video, which of them talks, and what to show a user who has to say."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.base import files
from components.core.base.errors import UserError
from components.core.media import MEL_HZ, RATE_HZ, audio, mel, video
from components.core.media import face as landmarks_of
from components.core.media.face import MEASURES, FaceMesh
from components.core.media.video import MediaError
from components.dub.follow import REACH, Face, Floats, squared

Image = NDArray[np.uint8]

MOST_FACES = 6
SURVEY_S = 6.0
SURVEY_EVERY_S = 0.25
PERSISTENT = 0.4
"""A face in at least this share of the survey's pictures is one that a user may mean."""
TALK_S = 8.0
"""So much of the beginning decides who talks."""
MOVES = 0.03
"""Standard deviation of the lip opening, in distances of the eyes: speech has 0.05 to 0.14, rest below 0.01."""
STILL = 0.35
"""A mouth that moves less than this share of another's is at rest beside it."""
IN_STEP, AHEAD = 0.35, 0.25
"""Correlation of opening and loudness that a talker has at least, and by how much it beats other mouths that move."""
IN_STEP_ALONE = 0.2
"""The same where every other mouth rests."""
ENOUGH_S = 1.5
LAGS_S = 0.12
SHEET_PX = 160


@dataclass
class Sight:
    """One face of the survey."""

    first: Face
    last: Face
    portrait: Image
    count: int = 1


@dataclass
class Talk:
    """How a face's mouth moves."""

    last: Face
    times_s: list[float] = field(default_factory=list)
    openings: list[float] = field(default_factory=list)
    in_step: float = 0.0
    """Correlation of its opening with the loudness of the sound."""

    @property
    def motion(self) -> float:
        """Standard deviation of its opening."""
        return float(np.std(self.openings)) if self.openings else 0.0


@dataclass(frozen=True)
class Choice:
    """The face to dub.

    Attributes:
        face: where it is first, None where the first seconds show none; then it is the largest that comes.
        count: how many faces there are.
        why: it is this one, in words.
    """

    face: Face | None
    count: int
    why: str


def choose(path: Path, number: int | None, sheet: Path, pixel_width: float = 1.0) -> Choice:
    """The face to dub, from the first seconds of the video, in square pixels.

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
        found = f"{len(faces)} faces ({listed})" if faces else "no face at all"
        raise UserError(f"{path} has no face {number}", got=found)
    if (index := clear(talks(path, faces, pixel_width))) is not None:
        return Choice(faces[index], len(faces), f"number {index + 1} of {len(faces)}: its mouth moves with the sound")
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


def talks(path: Path, faces: list[Face], pixel_width: float = 1.0) -> list[Talk]:
    """How each face's mouth moves in the first seconds, and how well that goes with the video's own sound."""
    found = [Talk(face) for face in faces]
    with FaceMesh(faces=MOST_FACES) as mesh:
        for frame in _beginning(path, TALK_S):
            for landmarks in mesh.detect(squared(frame.rgb, pixel_width)):
                face = Face.of(landmarks)
                talk = min(found, key=lambda known: known.last.distance(face))
                if talk.last.distance(face) < REACH and talk.times_s[-1:] != [frame.time_s]:
                    opening = landmarks_of.measures(landmarks[None])[0, MEASURES.index("opening")]
                    talk.last = face
                    talk.times_s.append(frame.time_s)
                    talk.openings.append(float(opening))
    loudness = _loudness(path)
    for talk in found:
        talk.in_step = _in_step(np.array(talk.times_s), np.array(talk.openings), loudness)
    return found


def clear(talks: list[Talk]) -> int | None:
    """The one that talks: its mouth moves, and every other's rests or is less in step with the sound; else None."""
    order = sorted(range(len(talks)), key=lambda index: -talks[index].in_step)
    moving = [index for index in order if talks[index].motion >= MOVES]
    for index in moving[:1]:
        one, others = talks[index], [talks[other] for other in order if other != index]
        alone = all(other.motion < STILL * one.motion for other in others)
        leads = all(other.motion < MOVES or other.in_step <= one.in_step - AHEAD for other in others)
        if (alone and one.in_step >= IN_STEP_ALONE) or (leads and one.in_step >= IN_STEP):
            return index
    return None


def write_sheet(path: Path, sights: list[Sight]) -> None:
    """A picture of the faces with their numbers."""
    tiles = []
    for number, sight in enumerate(sights, 1):
        tile = cv2.cvtColor(sight.portrait, cv2.COLOR_RGB2BGR)
        for colour, width in (((0, 0, 0), 5), ((255, 255, 255), 2)):
            cv2.putText(tile, str(number), (8, 34), cv2.FONT_HERSHEY_SIMPLEX, 1.1, colour, width, cv2.LINE_AA)
        tiles.append(tile)
    with files.replacing(path) as temporary:
        cv2.imwrite(str(temporary), np.hstack(tiles))


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


def _loudness(path: Path) -> NDArray[np.float32] | None:
    """Mean log-mel of the first seconds, smoothed over syllables, at MEL_HZ; None without sound."""
    heard: list[NDArray[np.float32]] = []
    try:
        for block in audio.stream(path):
            heard.append(block[0])
            if sum(map(len, heard)) > (TALK_S + 1) * RATE_HZ:
                break
    except MediaError:
        return None
    rows = mel.log_mel(np.concatenate(heard))[:, :60].mean(1)  # above lie hiss and sibilants
    return np.asarray(np.convolve(rows, np.hanning(13) / np.hanning(13).sum(), "same"), np.float32)


def _in_step(times_s: Floats, openings: Floats, loudness: NDArray[np.float32] | None) -> float:
    """The best correlation of opening and loudness within LAGS_S; 0 where there is too little of either."""
    if loudness is None or len(times_s) < 12 or np.ptp(times_s) < ENOUGH_S:
        return 0.0
    found = [0.0]
    for lag in range(-round(LAGS_S * MEL_HZ), round(LAGS_S * MEL_HZ) + 1, 2):
        index = np.rint(times_s * MEL_HZ).astype(int) + lag
        inside = (index >= 0) & (index < len(loudness))
        heard = loudness[index[inside]]
        if inside.sum() >= 12 and np.std(heard) > 0 and np.std(openings[inside]) > 0:
            found.append(float(np.corrcoef(openings[inside], heard)[0, 1]))
    return max(found)
