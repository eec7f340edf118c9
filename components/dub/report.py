"""What a dub says of itself afterwards."""

import importlib.metadata
import platform
import tempfile
import time
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from components.core.base import files
from components.core.base.errors import UserError
from components.core.diffusion.guidance import Guidance
from components.dub.options import DubOptions
from components.dub.tracks import Track

T = TypeVar("T")

GLIMPSE_FRAMES = 5

STAGES = ("decode", "track", "crop", "audio", "edit", "paste", "encode", "sign")
PACKAGES = ("dubstrap", "onnxruntime", "onnxruntime-gpu", "av", "mediapipe", "opencv-contrib-python", "numpy")


class Clock:
    """Seconds spent in each stage: `with clock("edit"): ...`."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - start

    def each(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """The items, the time that each takes to come counted as the stage's."""
        source = iter(items)
        while True:
            with self(stage):
                item = next(source, None)
            if item is None:
                return
            yield item


def versions() -> dict[str, str]:
    """Of Python and of what decides the pixels."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


@dataclass(frozen=True)
class Gap:
    """Pictures [start_frame, stop_frame) of the result that are the source's own, and why."""

    start_frame: int
    stop_frame: int
    reason: str


@dataclass(frozen=True)
class Followed:
    """A face in pictures [start_frame, stop_frame) of the result, with its id; whether it was dubbed, and why."""

    id: int
    start_frame: int
    stop_frame: int
    dubbed: bool
    reason: str


@dataclass(frozen=True)
class Input:
    """A file that went in."""

    path: Path
    sha256: str
    duration_s: float | None

    @classmethod
    def of(cls, path: Path, duration_s: float | None) -> "Input":
        """The file with its hash."""
        return cls(path, files.sha256(path), duration_s)


@dataclass(frozen=True)
class DubReport:
    """What went in, what was done, and what came out.

    Attributes:
        video, speech, model: the inputs.
        card_id: names the model card of the editor.
        provider: what the editor ran on.
        occluders: whether what is before the face was looked for, and left as it is.
        consent: on what grounds the person shown may be dubbed.
        face: which face was dubbed, and why that one.
        credentials: who signed the output's Content Credentials, and which file they are in where it is not the output.
        pixel_format: of the output's pictures, and the source's own where the encoder does not have that.
        sound: layout of the output's channels, and the speech's own where the output can not have that.
        other_streams: of the source, copied into the result; `dropped_streams` are those that it can not hold.
        seam_db: gradient along the border of the edit over the source's there; 0 is invisible.
        options: as they were given; `steps` and `guidance` are what was sampled with.
        frames: of the result.
        gaps: where there was no face to dub, and why.
        tracks: the faces that were followed, each to the next cut at most.
        video_s, audio_s: lengths of the result's tracks; equal to a sample.
        length: the policy and what it came to, in words; nothing is cut without being said here.
        seconds: spent per stage; stages overlap, so that they add up to more than `wall_s`.
        wall_s: from start to end.
        versions: of what made it.
    """

    video: Input
    speech: Input
    model: Input
    card_id: str
    provider: str
    occluders: bool
    consent: str
    face: str
    credentials: str
    pixel_format: str
    sound: str
    other_streams: tuple[str, ...]
    dropped_streams: tuple[str, ...]
    seam_db: float | None
    options: DubOptions
    steps: int
    guidance: Guidance
    frames: int
    gaps: tuple[Gap, ...]
    tracks: tuple[Followed, ...]
    video_s: float
    audio_s: float
    length: str
    seconds: dict[str, float]
    wall_s: float
    versions: dict[str, str] = field(default_factory=versions)

    def save(self, path: Path) -> None:
        """Writes it as JSON.

        Raises:
            UserError: it can not be written.
        """
        try:
            files.write_json(path, self.to_json())
        except OSError as error:
            raise UserError(f"can not write {path}", got=error.strerror or str(error)) from error

    def to_json(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        values = asdict(self)
        for name in ("model", "sign_key", "sign_chain"):  # paths of this machine; the hash and the signer say more
            del values["options"][name]
        for name in ("video", "speech", "model"):
            values[name]["name"] = values[name].pop("path").name
        values["seconds"] = {name: round(value, 3) for name, value in self.seconds.items()}
        return values


def check(path: Path, others: Set[Path]) -> None:
    """Knows before the work that a report can be written, and that it is none of the other files.

    Raises:
        UserError: it can not, or it is.
    """
    if path.resolve() in {other.resolve() for other in others}:
        raise UserError(f"the report {path} is an input or the output", fix="Choose another name for the report.")
    if path.is_dir():
        raise UserError(f"can not write {path}", got="a folder", expected="a file's name")
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise UserError(f"can not write {path}", got=error.strerror or str(error)) from error


def gaps(reasons: list[str]) -> tuple[Gap, ...]:
    """The stretches of pictures that were not edited, from the reason of each; "" is of one that was."""
    found: list[Gap] = []
    for reason, frames in groupby(enumerate(reasons), key=lambda item: item[1]):
        numbers = [frame for frame, _ in frames]
        if reason:
            found.append(Gap(numbers[0], numbers[-1] + 1, reason))
    return tuple(found)


def tracks(found: Iterable[Track]) -> tuple[Followed, ...]:
    """The tracks in the order in which they begin, without what was no more than a glimpse of another face."""
    return tuple(
        Followed(one.number, one.start_frame, one.stop_frame, one.chosen, one.reason)
        for one in sorted(found, key=lambda one: one.number)
        if one.chosen or one.stop_frame - one.start_frame >= GLIMPSE_FRAMES
    )
