"""Augmentation of speech and of pictures: what an expert must not rely on. None of it moves anything in time."""

from dataclasses import dataclass
from math import log

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from components.core.media.mel import HIGH_DB, LOW_DB, SILENCE

UNITS_PER_DB = 2 / (HIGH_DB - LOW_DB)
"""Units of log-mel."""
NEPER_PER_UNIT = log(10) / 10 / UNITS_PER_DB
"""Natural logarithm of power for a unit of log-mel."""


@dataclass(frozen=True)
class SpeechAugment:
    """How far each clip's sound is varied, by as much either way.

    Attributes:
        gain_db: loudness.
        tilt_db: between the lowest and the highest band.
        shift_bands: of the spectrum, as by another pitch and another vocal tract.
        stretch: of the spectrum, a share of its width.
        noise_db: loudest noise in a band, -80 for none.
    """

    gain_db: float
    tilt_db: float
    shift_bands: float
    stretch: float
    noise_db: float

    def __post_init__(self) -> None:
        if min(self.gain_db, self.tilt_db, self.shift_bands) < 0 or not 0 <= self.stretch < 0.5:
            raise ValueError(
                f"gain_db {self.gain_db}, tilt_db {self.tilt_db}, shift_bands {self.shift_bands} must not be negative "
                f"and stretch {self.stretch} must be in [0, 0.5)"
            )
        if not LOW_DB <= self.noise_db <= HIGH_DB:
            raise ValueError(f"noise_db {self.noise_db} must be in [{LOW_DB}, {HIGH_DB}]")


@dataclass(frozen=True)
class PictureAugment:
    """How far each clip's picture is varied, by as much either way, the same in all its frames.

    Attributes:
        shift: a share of the picture's size.
        zoom: a share of its scale.
        turn_deg: rotation.
        light: gain of each channel, contrast and brightness, as a share of the full range.
        noise: standard deviation of each pixel in [-1, 1].
        blur: share of the clips that lose half of their resolution.
    """

    shift: float
    zoom: float
    turn_deg: float
    light: float
    noise: float
    blur: float

    def __post_init__(self) -> None:
        if not (0 <= self.shift < 0.5 and 0 <= self.zoom < 0.5 and 0 <= self.light < 1 and 0 <= self.blur <= 1):
            raise ValueError(
                f"shift {self.shift} and zoom {self.zoom} must be in [0, 0.5), light {self.light} and blur {self.blur} "
                "in [0, 1]"
            )
        if self.turn_deg < 0 or self.noise < 0:
            raise ValueError(f"turn_deg {self.turn_deg} and noise {self.noise} must not be negative")


def speech(mel: Float[Tensor, "b m bins"], by: SpeechAugment, draw: torch.Generator) -> Float[Tensor, "b m bins"]:
    """The log-mel as another voice, microphone and room would have it; digital silence stays the floor."""
    count, _, bins = mel.shape
    band = torch.arange(bins, device=mel.device)
    source = (band - bins / 2) * (1 + _even(count, by.stretch, draw)) + bins / 2 + _even(count, by.shift_bands, draw)
    weight = (1 - (source.clamp(0, bins - 1)[:, :, None] - band).abs()).clamp(min=0)  # b bins bins
    moved = mel @ weight.transpose(1, 2)
    level = _even(count, by.gain_db, draw) + _even(count, by.tilt_db, draw) * (band / bins - 0.5)
    heard = torch.where(moved > SILENCE, moved + level[:, None] * UNITS_PER_DB, SILENCE)
    loudest = LOW_DB + (by.noise_db - LOW_DB) * torch.rand(count, 1, 1, generator=draw, device=draw.device)
    grain = torch.rand(mel.shape, generator=draw, device=draw.device).clamp(min=1e-6).log().neg().log()
    noise = SILENCE + (loudest - LOW_DB) * UNITS_PER_DB + grain / NEPER_PER_UNIT
    mixed = torch.logaddexp(heard * NEPER_PER_UNIT, noise * NEPER_PER_UNIT) / NEPER_PER_UNIT
    return torch.where(loudest > LOW_DB, mixed, heard).clamp(min=SILENCE)


def picture(
    frames: Float[Tensor, "b f 3 h w"], by: PictureAugment, draw: torch.Generator
) -> Float[Tensor, "b f 3 h w"]:
    """Pictures in [-1, 1] as another light, camera and crop would have them, half of the clips mirrored."""
    count, length, _, height, width = frames.shape
    gain = 1 + _even((count, 1, 3, 1, 1), by.light, draw) / 2 + _even((count, 1, 1, 1, 1), by.light, draw)
    lit = frames * gain + _even((count, 1, 1, 1, 1), by.light, draw)
    images = lit.flatten(0, 1)
    soft = functional.interpolate(functional.avg_pool2d(images, 2), (height, width), mode="bilinear")
    blurred = torch.rand(count, generator=draw, device=draw.device) < by.blur
    images = torch.where(blurred.repeat_interleave(length)[:, None, None, None], soft, images)
    grid = functional.affine_grid(
        _similarity(count, by, draw, height / width).repeat_interleave(length, 0),
        [count * length, 3, height, width],
        align_corners=False,
    )
    moved = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    noise = torch.randn(moved.shape, generator=draw, device=draw.device) * by.noise
    return (moved + noise).clamp(-1, 1).view_as(frames)


def _similarity(count: int, by: PictureAugment, draw: torch.Generator, aspect: float) -> Float[Tensor, "b 2 3"]:
    zoom = 1 + _even(count, by.zoom, draw)[:, 0]
    turn = torch.deg2rad(_even(count, by.turn_deg, draw)[:, 0])
    mirror = torch.where(torch.rand(count, generator=draw, device=draw.device) < 0.5, -1.0, 1.0)
    shift = _even((count, 2), 2 * by.shift, draw)
    cosine, sine = zoom * turn.cos(), zoom * turn.sin()
    rows = [cosine * mirror, -sine * aspect, shift[:, 0], sine * mirror / aspect, cosine, shift[:, 1]]
    return torch.stack(rows, -1).view(count, 2, 3)


def _even(shape: int | tuple[int, ...], reach: float, draw: torch.Generator) -> Tensor:
    """Uniform in [-reach, reach]; for a bare count of shape (count, 1)."""
    size = (shape, 1) if isinstance(shape, int) else shape
    return (2 * torch.rand(size, generator=draw, device=draw.device) - 1) * reach
