"""The validate section of params.yaml: the numbers behind the suites' `$names`."""

from dataclasses import dataclass

from components.core.statistics.drift import Limits

__all__ = ["ClipsParams", "CropsParams", "Limits", "PairsParams"]


@dataclass(frozen=True)
class ClipsParams:
    """What clips must look like before anything is trained on them."""

    min_clips: int
    min_speakers: int
    min_duration_s: float
    max_duration_s: float
    min_side_px: int
    min_fps_in: float
    max_fps_in: float
    min_loudness_dbfs: float
    max_loudness_dbfs: float
    max_audio_offset_s: float

    def __post_init__(self) -> None:
        for name in ("min_clips", "min_speakers", "min_side_px"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("duration_s", "fps_in", "loudness_dbfs"):
            _require_range(self, name)
        if self.max_audio_offset_s < 0:
            raise ValueError(f"max_audio_offset_s must not be negative, got {self.max_audio_offset_s}")

    @property
    def min_audio_offset_s(self) -> float:
        return -self.max_audio_offset_s


@dataclass(frozen=True)
class CropsParams:
    """What crops must look like before anything is trained on them."""

    min_crops: int
    min_frames: int
    min_sharpness: float
    min_face_share: float
    max_yaw_deg: float
    min_mouth_motion: float
    max_silence_share: float
    min_loudness_dbfs: float
    max_loudness_dbfs: float
    max_occluded_share: float

    def __post_init__(self) -> None:
        for name in ("min_crops", "min_frames"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("min_sharpness", "min_mouth_motion", "max_yaw_deg"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        for name in ("min_face_share", "max_silence_share", "max_occluded_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")
        _require_range(self, "loudness_dbfs")


@dataclass(frozen=True)
class PairsParams:
    """What a companion must be like to teach the editor, and how far companions may be from real clips."""

    min_accepted: int
    min_identity_cosine: float
    min_lip_change_px: float
    min_outside_psnr_db: float
    max_flicker_ratio: float
    min_sharpness_ratio: float
    max_sharpness_ratio: float
    drift: Limits

    def __post_init__(self) -> None:
        if self.min_accepted < 1:
            raise ValueError(f"min_accepted must be at least 1, got {self.min_accepted}")
        if not -1 <= self.min_identity_cosine <= 1:
            raise ValueError(f"min_identity_cosine must be in [-1, 1], got {self.min_identity_cosine}")
        _require_range(self, "sharpness_ratio")
        for name in ("min_lip_change_px", "max_flicker_ratio"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")


def _require_range(params: object, name: str) -> None:
    """Raises a ValueError where min_<name> is not below max_<name>."""
    low, high = getattr(params, f"min_{name}"), getattr(params, f"max_{name}")
    if low >= high:
        raise ValueError(f"min_{name} {low} must be below max_{name} {high}")
