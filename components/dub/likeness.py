"""What the person looks like with the lips that the speech asks for: the references of core/media/references.py.

The bank is filled from the first seconds of the face in a pass of its own, so memory does not grow with its length.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.core.media import FPS, MEL_BINS, MEL_PER_FRAME, audio, face, geometry, mel, video
from components.core.media.references import Bank, References, standard, videos
from components.core.media.video import MediaError
from components.dub.ahead import Stages
from components.dub.faces import Choice
from components.dub.follow import (
    NO_FACE,
    OTHER_FACE,
    REASONS,
    TURNED,
    TURNED_DEG,
    Floats,
    Mesh,
    Shots,
    squared,
)
from components.dub.model import Editor

Image = NDArray[np.uint8]

BANK_S = 12.0
"""So much fills the bank from the face's first picture on: a dozen sentences, in which a mouth takes every shape."""
BANK_FRAMES = 300
LEARN_EVERY = 5
"""Of so many frames of the bank one is remembered as what the face looks like."""
AHEAD_FRAMES = 2
"""Pictures that decoding is ahead of looking for the face."""
HEARD_FRAMES = 250
"""Frames of speech that are heard at once."""


class Likeness:
    """Finds references.

    Args:
        bank: the person's frames.
        wanted: (n 2) standardised opening and width that the speech asks for, at 25 fps; at rest after its end.
        count: references of a frame.
    """

    def __init__(self, bank: Bank, wanted: NDArray[np.float32], count: int) -> None:
        self.bank, self.wanted, self.count = bank, wanted, count

    def find(self, crops: Image, pose: Floats, times_s: Floats, chosen: Sequence[NDArray[np.int64]] = ()) -> References:
        """The references of crops (f s s 3) with their pose (f 3), shown at these times; the first have `chosen`."""
        index = np.clip(np.rint(np.asarray(times_s) * FPS).astype(int), 0, len(self.wanted) - 1)
        return self.bank.find(crops, pose, self.wanted[index], self.count - 1, 0, chosen)

    def show(self, found: References) -> Image:
        """Them as videos (count f h w 3)."""
        return videos(self.bank.windows, found)


def hear(voice: Path, editor: Editor) -> NDArray[np.float32]:
    """What the lips are to do (n 2), standardised over the whole speech and a second of silence after it."""
    context = editor.card.mel_context
    silence = np.full((context + FPS * MEL_PER_FRAME, MEL_BINS), mel.SILENCE, np.float32)
    found, rows = list[Floats](), silence[:context]
    for block in _whole_frames(mel.stream(block[0] for block in audio.stream(voice)), silence):
        rows = np.concatenate([rows, block])
        frames = min(HEARD_FRAMES, (len(rows) - 2 * context) // MEL_PER_FRAME)
        if frames > 0:
            found.append(editor.lips(rows[: 2 * context + frames * MEL_PER_FRAME]))
            rows = rows[frames * MEL_PER_FRAME :]
    return standard(np.concatenate(found))


def collect(path: Path, choice: Choice, mesh: Mesh, size_px: int, pixel_width: float) -> Bank:
    """The bank of the chosen face: its frames in the first seconds from where it is first seen on.

    On the way it learns what that face looks like.

    Raises:
        MediaError: no_face where it never is.
    """
    images, landmarks, missed = list[Image](), list[Floats](), list[str]()
    follower, shots, until_s = choice.follower(), Shots(), math.inf
    with Stages() as stages:
        for frame in stages.ahead(video.frames(path), AHEAD_FRAMES):
            if frame.time_s > until_s or len(images) == BANK_FRAMES:
                break
            if cut := shots.begins(frame.rgb):
                mesh.reset()
            rgb = squared(frame.rgb, pixel_width)
            faces = mesh.detect(rgb)
            points = follower.pick(faces, rgb, cut)
            if points is None or abs(face.pose(points[None])[0, 0]) > TURNED_DEG:
                code = TURNED if points is not None else OTHER_FACE if faces else NO_FACE
                missed.append(REASONS[code])
                continue
            if not images:
                until_s = frame.time_s + BANK_S
            if len(images) % LEARN_EVERY == 0:
                choice.looks.learn(rgb, points)
            images.append(geometry.warp(rgb, geometry.alignment(points[None], size_px)[0], size_px))
            landmarks.append(points)
    if not images:
        why = max(set(missed), key=missed.count) if missed else "no picture"
        raise MediaError("no_face", f"{path.name}: {why} in {len(missed)} frames")
    all_points = np.stack(landmarks)
    hidden = np.zeros(len(images), bool)
    return Bank.of(np.stack(images), face.pose(all_points), face.measures(all_points), hidden)


def _whole_frames(blocks: Iterator[NDArray[np.float32]], after: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """The rows in blocks of at most `HEARD_FRAMES` frames, then `after`, together a whole number of frames."""
    size, rows = HEARD_FRAMES * MEL_PER_FRAME, np.zeros((0, MEL_BINS), np.float32)
    for block in blocks:
        rows = np.concatenate([rows, block])
        while len(rows) > size:
            yield rows[:size]
            rows = rows[size:]
    short = -len(rows) % MEL_PER_FRAME
    yield np.concatenate([rows, after[:short]])
    yield after
