"""The stream in chunks through the editor: runs of pictures with a face, continued by motion frames."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.media import geometry, occlusion
from components.dub.follow import Seen
from components.dub.journal import Records
from components.dub.likeness import Likeness
from components.dub.model import Editor, Sampling, Shown
from components.dub.occluder import OccluderExpert
from components.dub.report import Clock
from components.dub.speech import Speech
from components.dub.timeline import Picture

Image = NDArray[np.uint8]

AHEAD_FRAMES = 2
"""Pictures that are known beyond a chunk: as far as references are smoothed (`references.SMOOTH`)."""


@dataclass(frozen=True)
class Edited:
    """A picture and its new lower face.

    Attributes:
        picture: the picture.
        transform, source, window: from picture to crop, the crop's window and its edit; None in a gap.
        hidden: how far (h w), in [0, 1], something is before the window; None where nobody looks.
        reason: of the gap, else empty.
    """

    picture: Picture
    transform: NDArray[np.floating[Any]] | None = None
    source: Image | None = None
    window: Image | None = None
    hidden: NDArray[np.float32] | None = None
    reason: str = ""


@dataclass(frozen=True)
class Face:
    """The face in a picture.

    Attributes:
        crop, pose: (s s 3), (3,).
        time_s, duration_s: when and for how long it is shown.
        front: the probability (h w) that something is before its window; None where nobody looks.
    """

    crop: Image
    pose: NDArray[np.floating[Any]]
    time_s: float
    duration_s: float
    front: NDArray[np.float32] | None


@dataclass(frozen=True)
class Done:
    """What later chunks need of a picture that is finished: also its window and its nearest references (k,)."""

    face: Face
    window: Image
    nearest: NDArray[np.int64]


@dataclass(frozen=True)
class Model:
    """What edits, where its references come from, and what finds the things before a face, if anything does."""

    editor: Editor
    likeness: Likeness
    occluder: OccluderExpert | None = None


class Dubber:
    """Edits a stream of pictures in the chunks of `sampler.chunks`, without knowing beforehand where a run ends.

    So that no border shows (benchmarks/seam.py), the last motion frame is made again with its chunk and shown as the
    mean of what both chunks made of it, and references go on from the chunk before and are looked for a little beyond
    the chunk's end.

    Args:
        model: see there.
        speech: what the lips are to say.
        sampling: steps and guidance.
        clock: counts the seconds.
        records: windows that an earlier run made, and where this one writes what it makes.
    """

    def __init__(self, model: Model, speech: Speech, sampling: Sampling, clock: Clock, records: Records) -> None:
        self._editor, self._likeness, self._occluder = model.editor, model.likeness, model.occluder
        self._speech, self._sampling = speech, sampling
        self._clock, self._records = clock, records
        self._waiting: list[tuple[Seen, Face]] = []
        self._done: deque[Done] = deque(maxlen=model.editor.card.chunk_frames)
        self._last: Edited | None = None

    def edit(self, stream: Iterable[Seen]) -> Iterator[Edited]:
        """Every picture in order, at most a chunk and `AHEAD_FRAMES` late."""
        for seen in stream:
            if seen.transform is None or seen.begins:
                yield from self._finish()
            if seen.transform is None:
                yield Edited(seen.picture, reason=seen.reason)
                continue
            picture = seen.picture
            with self._clock("crop"):
                crop = geometry.warp(picture.rgb, seen.transform, self._editor.card.size_px)
            with self._clock("edit"):
                window = self._editor.card.window.take(crop[None])
                front = self._occluder.probability(window)[0] if self._occluder else None
            self._waiting.append((seen, Face(crop, seen.pose, picture.time_s, picture.duration_s, front)))
            if len(self._waiting) == self._room + AHEAD_FRAMES:
                yield from self._chunk(self._room)
        yield from self._finish()

    @property
    def _room(self) -> int:
        """How many pictures the next chunk has besides its motion frames."""
        card = self._editor.card
        return card.chunk_frames - (card.motion_frames if self._done else 0)

    def _finish(self) -> Iterator[Edited]:
        """Ends a run: its last chunk begins so far back that it is whole, and nothing carries over to the next run."""
        while self._waiting:
            yield from self._chunk(min(len(self._waiting), self._room))
        if self._last:
            yield self._last
        self._last = None
        self._done.clear()

    def _chunk(self, count: int) -> Iterator[Edited]:
        """The chunk of the first `count` pictures that wait; the last of them is not yielded before it is final."""
        motion = min(len(self._done), self._editor.card.chunk_frames - count)
        before = list(self._done)[len(self._done) - motion :]
        faces = [done.face for done in before] + [face for _, face in self._waiting]
        crops, poses = np.stack([face.crop for face in faces]), np.stack([face.pose for face in faces])
        times_s, chosen = np.array([face.time_s for face in faces]), [done.nearest for done in before]
        with self._clock("edit"):
            found = self._likeness.find(crops, poses, times_s, chosen).part(0, motion + count)
        new, self._waiting = self._waiting[:count], self._waiting[count:]
        source = self._editor.card.window.take(crops[: motion + count])
        held = [done.window for done in before[:-1]]
        made = self._known(motion + count - len(held))
        if made is None:
            made = self._made(faces[: motion + count], source, self._likeness.show(found), held)
        if self._last and before:
            mean = (made[0].astype(np.uint16) + before[-1].window + 1) // 2
            self._done[-1] = replace(before[-1], window=mean.astype(np.uint8))
            self._last, made = replace(self._last, window=self._done[-1].window), made[1:]
        hidden = _hidden(faces)[motion:]
        rows = zip(new, source[motion:], made, hidden[:count], found.nearest[motion:], strict=True)
        for (seen, face), old, window, front, nearest in rows:
            if self._last:
                yield self._last
            self._done.append(Done(face, window, nearest))
            self._last = Edited(seen.picture, seen.transform, old, window, front)

    def _made(self, faces: list[Face], source: Image, references: Image, held: list[Image]) -> Image:
        """The windows after those that are held; of a run shorter than a chunk the last picture is repeated."""
        card, last = self._editor.card, len(faces) - 1
        index = np.minimum(np.arange(card.chunk_frames), last)
        beyond_s = (np.arange(card.chunk_frames) - index) * faces[-1].duration_s
        with self._clock("audio"):
            rows = self._speech.rows(np.array([face.time_s for face in faces])[index] + beyond_s, card.mel_context)
        with self._clock("edit"):
            motion = np.array(held, np.uint8).reshape(len(held), *source.shape[1:])
            shown = Shown(source[index], references[:, index])
            made = self._editor.edit(shown, rows, motion, self._sampling)[len(held) : last + 1]
            for window in made:
                self._records.add(window)
        return made

    def _known(self, count: int) -> Image | None:
        """The next windows of an earlier run, None where it did not finish all of them."""
        if self._records.left < count:
            return None
        found = [self._records.next() for _ in range(count)]
        known: Image = np.stack([window for window in found if window is not None])
        return known


def _hidden(faces: list[Face]) -> list[NDArray[np.float32] | None]:
    """How far something is before each of consecutive windows."""
    fronts = [face.front for face in faces if face.front is not None]
    return list(occlusion.occlusion(np.stack(fronts))) if fronts else [None] * len(faces)
