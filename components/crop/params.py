"""Parameters of crop."""

from dataclasses import dataclass

from components.core.media.geometry import UNITS


@dataclass(frozen=True)
class Params:
    """Section `crop` of params.yaml; the reason for each value is in configs/crop/default.yaml."""

    size_px: int
    crf: int
    min_frames: int
    min_face_px: int
    silence_dbfs: float
    hands: bool
    crops_per_shard: int

    def __post_init__(self) -> None:
        if self.size_px <= 0 or self.size_px % UNITS:
            raise ValueError(f"size_px must be a positive multiple of {UNITS}, got {self.size_px}")
        if not 0 <= self.crf <= 51:
            raise ValueError(f"crf must be in 0..51, got {self.crf}")
        if self.min_frames < 2:
            raise ValueError(f"min_frames must be at least 2, got {self.min_frames}")
        if self.min_face_px < 1:
            raise ValueError(f"min_face_px must be at least 1, got {self.min_face_px}")
        if not self.silence_dbfs < 0:
            raise ValueError(f"silence_dbfs must be below 0, got {self.silence_dbfs}")
        if self.crops_per_shard < 1:
            raise ValueError(f"crops_per_shard must be at least 1, got {self.crops_per_shard}")
