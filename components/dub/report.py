"""What a dub says of itself afterwards."""

import importlib.metadata
import platform
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from components.core.diffusion.guidance import Guidance
from components.dub.options import DubOptions

T = TypeVar("T")

STAGES = ("decode", "track", "crop", "audio", "edit", "paste", "encode")
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
    installed = {dist.name: dist.version for dist in importlib.metadata.distributions() if dist.name in PACKAGES}
    return {"python": platform.python_version(), **installed}


@dataclass(frozen=True)
class Gap:
    """Pictures [start_frame, stop_frame) of the result that are the source's own, and why."""

    start_frame: int
    stop_frame: int
    reason: str


@dataclass(frozen=True)
class Input:
    """A file that went in."""

    name: str
    sha256: str
    duration_s: float | None


@dataclass(frozen=True)
class DubReport:
    """What went in, what was done, and what came out.

    Attributes:
        video, speech, model: the inputs.
        card_id: names the model card of the editor.
        provider: what the editor ran on.
        options: as they were given; `steps` and `guidance` are what was sampled with.
        frames: of the result.
        gaps: where there was no face to dub.
        video_s, audio_s: lengths of the result's tracks; equal to a sample.
        length: the policy and what it came to, in words; nothing is cut without being said here.
        seconds: spent per stage.
        versions: of what made it.
    """

    video: Input
    speech: Input
    model: Input
    card_id: str
    provider: str
    options: DubOptions
    steps: int
    guidance: Guidance
    frames: int
    gaps: tuple[Gap, ...]
    video_s: float
    audio_s: float
    length: str
    seconds: dict[str, float]
    versions: dict[str, str] = field(default_factory=versions)

    def to_json(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        values = asdict(self)
        del values["options"]["model"]  # a path of this machine; the model's hash says more
        values["seconds"] = {name: round(value, 3) for name, value in self.seconds.items()}
        return values


def gaps(edited: list[bool]) -> tuple[Gap, ...]:
    """The stretches of pictures that were not edited."""
    found: list[Gap] = []
    for frame, done in enumerate(edited):
        if done:
            continue
        if found and found[-1].stop_frame == frame:
            found[-1] = Gap(found[-1].start_frame, frame + 1, found[-1].reason)
        else:
            found.append(Gap(frame, frame + 1, "no face found"))
    return tuple(found)
