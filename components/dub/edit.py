"""The stream in chunks through the editor: runs of pictures with a face, continued by motion frames."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.media import geometry
from components.dub.follow import Seen
from components.dub.journal import Records
from components.dub.likeness import Likeness
from components.dub.model import Editor, Sampling, Shown
from components.dub.report import Clock
from components.dub.speech import Speech
from components.dub.timeline import Picture

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Edited:
    """A picture and its new lower face.

    Attributes:
        picture: the picture.
        transform, source, window: from picture to crop, the crop's window and its edit; None in a gap.
        reason: of the gap, else empty.
    """

    picture: Picture
    transform: NDArray[np.floating[Any]] | None = None
    source: Image | None = None
    window: Image | None = None
    reason: str = ""


@dataclass(frozen=True)
class Face:
    """The face in a picture: its crop (s s 3) and its pose (3,)."""

    crop: Image
    pose: NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Done:
    """What later chunks need of a picture that is finished."""

    face: Face
    result: Image
    time_s: float


@dataclass(frozen=True)
class Model:
    """What edits, and where its references come from."""

    editor: Editor
    likeness: Likeness


class Dubber:
    """Edits a stream of pictures in the chunks of `sampler.chunks`, without knowing beforehand where a run ends.

    Args:
        model: the editor, and where its references come from.
        speech: what the lips are to say.
        sampling: steps and guidance.
        clock: counts the seconds.
        records: windows that an earlier run made, and where this one writes what it makes.
    """

    def __init__(self, model: Model, speech: Speech, sampling: Sampling, clock: Clock, records: Records) -> None:
        self._editor, self._likeness = model.editor, model.likeness
        self._speech, self._sampling = speech, sampling
        self._clock, self._records = clock, records
        self._waiting: list[tuple[Seen, Face]] = []
        self._done: deque[Done] = deque(maxlen=model.editor.card.chunk_frames)

    def edit(self, stream: Iterable[Seen]) -> Iterator[Edited]:
        """Every picture in order, at most one chunk late."""
        card = self._editor.card
        for seen in stream:
            if seen.transform is None or seen.begins:
                yield from self._finish()
            if seen.transform is None:
                yield Edited(seen.picture, reason=seen.reason)
                continue
            with self._clock("crop"):
                crop = geometry.warp(seen.picture.rgb, seen.transform, card.size_px)
                self._waiting.append((seen, Face(crop, seen.pose)))
            motion = card.motion_frames if self._done else 0
            if len(self._waiting) == card.chunk_frames - motion:
                yield from self._chunk(motion)
        yield from self._finish()

    def _finish(self) -> Iterator[Edited]:
        """Ends a run: its last chunk begins so far back that it is whole, and nothing carries over to the next run."""
        if self._waiting:
            yield from self._chunk(min(len(self._done), self._editor.card.chunk_frames - len(self._waiting)))
        self._done.clear()

    def _chunk(self, motion: int) -> Iterator[Edited]:
        """The pictures that wait, after `motion` finished ones; a run shorter than a chunk repeats its last picture."""
        card, waiting = self._editor.card, self._waiting
        before = list(self._done)[len(self._done) - motion :]
        last = waiting[-1][0].picture
        missing = range(1, card.chunk_frames - motion - len(waiting) + 1)
        faces = [done.face for done in before] + [face for _, face in waiting]
        faces += [faces[-1] for _ in missing]
        times_s = [done.time_s for done in before] + [seen.picture.time_s for seen, _ in waiting]
        times_s += [last.time_s + index * last.duration_s for index in missing]
        source = card.window.take(np.stack([face.crop for face in faces]))
        held = np.array([done.result for done in before], np.uint8).reshape(motion, *source.shape[1:])
        with self._clock("audio"):
            rows = self._speech.rows(np.array(times_s), card.mel_context)
        with self._clock("edit"):
            fresh = self._known(len(waiting))
            if fresh is None:
                crops, poses = np.stack([face.crop for face in faces]), np.stack([face.pose for face in faces])
                shown = Shown(source, self._likeness.find(crops, poses, np.array(times_s)))
                results = self._editor.edit(shown, rows, held, self._sampling)
                fresh = results[motion : motion + len(waiting)]
                for result in fresh:
                    self._records.add(result)
        self._waiting = []
        for (seen, face), old, result in zip(waiting, source[motion:], fresh, strict=False):
            self._done.append(Done(face, result, seen.picture.time_s))
            yield Edited(seen.picture, seen.transform, old, result)

    def _known(self, count: int) -> Image | None:
        """The next windows of an earlier run, None where it did not finish all of them."""
        if self._records.left < count:
            return None
        found = [self._records.next() for _ in range(count)]
        known: Image = np.stack([window for window in found if window is not None])
        return known
