"""The evaluate section of params.yaml."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SamplingParams:
    """How a model denoises in the benchmark: the steps it takes and how far it follows its conditions."""

    steps: int
    guidance_reference: float
    guidance_audio: float

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")
        for name in ("guidance_reference", "guidance_audio"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")


@dataclass(frozen=True)
class SuccessParams:
    """A clip is dubbed if its face is found, it neither collapsed nor flickers, its lips match and occluders stay."""

    min_face_share: float
    min_sharpness_ratio: float
    max_identity_loss: float
    max_jitter_ratio: float
    min_opening_r: float
    max_occluder_loss_db: float

    def __post_init__(self) -> None:
        if self.max_jitter_ratio < 1:
            raise ValueError(f"max_jitter_ratio must be at least 1, the truth's own, got {self.max_jitter_ratio}")
        if self.max_occluder_loss_db < 0:
            raise ValueError(f"max_occluder_loss_db must not be negative, got {self.max_occluder_loss_db}")
        for name in ("min_face_share", "min_sharpness_ratio", "max_identity_loss", "min_opening_r"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")


@dataclass(frozen=True)
class Params:
    """What is measured, how much of it, and how it is summed up."""

    max_pairs: int
    max_frames: int
    generator: SamplingParams
    editor: SamplingParams
    success: SuccessParams
    silence_dbfs: float
    silence_edges_pct: tuple[float, ...]
    yaw_edges_deg: tuple[float, ...]
    looks: int
    min_slice: int
    bootstrap_samples: int
    sample_pairs: int

    def __post_init__(self) -> None:
        for name, least in (("max_pairs", 1), ("max_frames", 8), ("bootstrap_samples", 100), ("min_slice", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        for name in ("sample_pairs", "looks"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if not self.silence_dbfs < 0:
            raise ValueError(f"silence_dbfs must be below 0, got {self.silence_dbfs}")
        for name in ("silence_edges_pct", "yaw_edges_deg"):
            if list(getattr(self, name)) != sorted(set(getattr(self, name))):
                raise ValueError(f"{name} must rise, got {getattr(self, name)}")
