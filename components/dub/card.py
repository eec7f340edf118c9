"""What an ONNX editor says of itself in its metadata (docs/contracts.md, "The ONNX editor")."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from components.core.diffusion import sampler
from components.core.diffusion.guidance import Guidance
from components.core.media.geometry import Window

FORMAT = 2
COUNTS = ("size_px", "chunk_frames", "motion_frames", "references", "mel_context")
MOST = 4096
"""A card with a larger number is damaged."""


class Seeing(Protocol):
    """A card of a network that sees a crop's window."""

    @property
    def size_px(self) -> int: ...

    @property
    def window(self) -> Window: ...


S = TypeVar("S", bound=Seeing)


def parse(text: str, version: int, make: Callable[[Mapping[str, Any]], S]) -> S:
    """The card that `make` makes of metadata in JSON.

    Raises:
        ValueError: it is not what that version of the format says, with what is wrong.
    """
    values = json.loads(text)
    if not isinstance(values, Mapping) or values.get("format") != version:
        got = values.get("format") if isinstance(values, Mapping) else type(values).__name__
        raise ValueError(f"format {got!r}, this dubstrap reads format {version}")
    try:
        found = make(values)
        window = [int(edge) for edge in values["window"]]
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"its metadata lacks {error}") from None
    known = found.window
    if window != [known.top, known.bottom, known.left, known.right]:
        raise ValueError(f"window {window}, which is not that of a crop of {found.size_px} px")
    return found


@dataclass(frozen=True)
class Card:
    """What a model says of itself, in its metadata.

    Attributes:
        size_px: side of the crop; the model sees the window of it.
        chunk_frames: frames that it sees at once.
        motion_frames: how many of them continue the chunk before.
        references: pictures of the person that it is shown for each frame.
        mel_context: rows of mel that it hears before the first and after the last frame's own.
        steps: denoising steps that it was exported for.
        guidance: scales that it was exported for.
        shift: of the sampler's times.
        card_id: names the model card, and so the training run.
    """

    size_px: int
    chunk_frames: int
    motion_frames: int
    references: int
    mel_context: int
    steps: int
    guidance: Guidance
    shift: float
    card_id: str

    @classmethod
    def parse(cls, text: str) -> "Card":
        """The card from its JSON.

        Raises:
            ValueError: it is not what format 2 says, with what is wrong.
        """
        return parse(text, FORMAT, cls._of)

    @classmethod
    def _of(cls, values: Mapping[str, Any]) -> "Card":
        return cls(
            **{name: int(values[name]) for name in COUNTS},
            steps=int(values["steps"]),
            guidance=Guidance(float(values["guidance"]["reference"]), float(values["guidance"]["audio"])),
            shift=float(values["shift"]),
            card_id=str(values["card_id"]),
        )

    def __post_init__(self) -> None:
        if max(*(getattr(self, name) for name in COUNTS), self.steps, self.shift) > MOST:
            raise ValueError(f"a number above {MOST}, which no model has")
        if self.mel_context < 0 or self.references < 1:
            raise ValueError(
                f"mel_context is {self.mel_context}, expected 0 or more; references {self.references}, 1 or more"
            )
        sampler.chunks(1, self.chunk_frames, self.motion_frames)  # raises where they don't fit
        sampler.timesteps(self.steps, self.shift)

    @property
    def window(self) -> Window:
        """The part of the crop that the model sees and makes."""
        return Window.of(self.size_px)

    def check(self, shapes: Mapping[str, list[Any]]) -> None:
        """Compares the card with the graph's inputs, whose shapes are (b n f c h w) and (b f c h w).

        Raises:
            ValueError: they have other sizes than the card says.
        """
        window = [3, self.window.height, self.window.width]
        known = [shapes["references"][1:2] + shapes["references"][3:], shapes["companion"][2:]]
        if known != [[self.references, *window], window]:
            raise ValueError(
                f"inputs of {known}, which are not those of {self.references} references, windows {window}"
            )
