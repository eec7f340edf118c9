"""The studio's section of params.yaml."""

from dataclasses import dataclass

from components.studio.text import GRAMMARS

RECITAL_LINE_S = 10
"""Of one voice's line in a recital."""


@dataclass(frozen=True)
class Params:
    """How much is filmed; see configs/studio/default.yaml for the reason of each value."""

    speakers: int
    clips: int
    clip_s: float
    benchmark_speakers: int
    pairs: int
    pair_s: float
    size_px: int
    crf: int
    room_noise_dbfs: float
    languages: tuple[str, ...]
    recital_minutes: float

    def __post_init__(self) -> None:
        a_line_each = round(len(self.languages) * RECITAL_LINE_S / 60, 2)
        least = {"speakers": 1, "clips": 1, "benchmark_speakers": 1, "recital_minutes": a_line_each}
        for name, value in least.items():
            if getattr(self, name) < value:
                raise ValueError(f"{name}={getattr(self, name)}, expected at least {value}")
        for name in ("clip_s", "pair_s"):
            if not 1 <= getattr(self, name) <= 60:
                raise ValueError(f"{name}={getattr(self, name)}, expected 1 to 60 seconds")
        if self.pairs < self.benchmark_speakers:
            raise ValueError(f"pairs={self.pairs} is less than benchmark_speakers={self.benchmark_speakers}")
        if self.size_px < 64 or self.size_px % 4:
            raise ValueError(f"size_px={self.size_px}, expected a multiple of 4 of at least 64")
        if not 0 <= self.crf <= 30:
            raise ValueError(f"crf={self.crf}, expected 0 (lossless) to 30")
        if not -90 <= self.room_noise_dbfs <= -40:
            raise ValueError(f"room_noise_dbfs={self.room_noise_dbfs}, expected -90 to -40")
        unknown = [language for language in self.languages if language not in GRAMMARS]
        if unknown or not self.languages:
            raise ValueError(f"languages={', '.join(self.languages)}, expected some of {', '.join(GRAMMARS)}")
