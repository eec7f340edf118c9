"""Parameters of ingest."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Params:
    """Section `ingest` of params.yaml; the reason for each value is in configs/ingest/default.yaml."""

    max_side_px: int
    crf: int
    min_clip_s: float
    max_clip_s: float
    silence_dbfs: float
    cut_difference: float
    face_every_frames: int
    benchmark_share: float
    clips_per_shard: int

    def __post_init__(self) -> None:
        if self.max_side_px < 64:
            raise ValueError(f"max_side_px must be at least 64, got {self.max_side_px}")
        if not 0 <= self.crf <= 51:
            raise ValueError(f"crf must be in 0..51, got {self.crf}")
        if not 0 < self.min_clip_s <= self.max_clip_s:
            raise ValueError(f"0 < min_clip_s <= max_clip_s must hold, got {self.min_clip_s} and {self.max_clip_s}")
        if not self.silence_dbfs < 0:
            raise ValueError(f"silence_dbfs must be below 0, got {self.silence_dbfs}")
        if not 0 < self.cut_difference < 255:
            raise ValueError(f"cut_difference must be between 0 and 255, got {self.cut_difference}")
        if self.face_every_frames < 1:
            raise ValueError(f"face_every_frames must be at least 1, got {self.face_every_frames}")
        if not 0 <= self.benchmark_share < 1:
            raise ValueError(f"benchmark_share must be in [0, 1), got {self.benchmark_share}")
        if self.clips_per_shard < 1:
            raise ValueError(f"clips_per_shard must be at least 1, got {self.clips_per_shard}")
