"""The studio's section of params.yaml."""

from dataclasses import dataclass

from components.studio.text import GRAMMARS

RECITAL_LINE_S = 10
"""Of one voice's line in a recital."""
PORTRAIT_LOOKS = 6
"""Pictures of each person who only sits for them."""


@dataclass(frozen=True)
class Params:
    """How much is filmed; see configs/studio/default.yaml for the reason of each value."""

    speakers: int
    clips: int
    clip_s: float
    benchmark_speakers: int
    pairs: int
    train_pairs: int
    pair_s: float
    size_px: int
    crf: int
    room_noise_dbfs: float
    languages: tuple[str, ...]
    recital_minutes: float
    portraits: int

    def __post_init__(self) -> None:
        for name, (low, high) in self._ranges().items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name}={getattr(self, name)}, expected {low:g} to {high:g}")
        if self.size_px % 4:
            raise ValueError(f"size_px={self.size_px}, expected a multiple of 4")
        unknown = [language for language in self.languages if language not in GRAMMARS]
        if unknown or not self.languages:
            raise ValueError(f"languages={', '.join(self.languages)}, expected some of {', '.join(GRAMMARS)}")

    def _ranges(self) -> dict[str, tuple[float, float]]:
        """The least and the most of each number."""
        a_line_each = round(len(self.languages) * RECITAL_LINE_S / 60, 2)
        return {
            "speakers": (1, 900),
            "clips": (1, 100),
            "clip_s": (1, 60),
            "benchmark_speakers": (1, 90),
            "pairs": (self.benchmark_speakers, 100 * self.benchmark_speakers),
            "train_pairs": (0, self.speakers * self.clips),
            "pair_s": (1, self.clip_s),
            "size_px": (64, 4096),
            "crf": (0, 30),
            "room_noise_dbfs": (-90, -40),
            "recital_minutes": (a_line_each, 6000),
            "portraits": (0, 8999),
        }
