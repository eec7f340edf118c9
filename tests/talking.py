"""Small synthetic crops for tests: a skin-coloured square whose mouth opens with its sound."""

import numpy as np

from components.core.base import seeds
from components.core.media import FPS, RATE_HZ, mel
from components.core.media.crops import Crop
from components.core.media.geometry import UNITS
from components.core.models.windows import OUTER_LIPS


def talking_crop(crop_id: str = "anna-1", speaker: str = "anna", frames: int = 16, size_px: int = 48) -> Crop:
    """A crop of random speech-like sound; the mouth's height in pixels follows the loudness of the frame."""
    rng = seeds.rng(0, crop_id)
    loudness = np.abs(np.convolve(rng.normal(size=frames + 4), np.ones(3) / 3, "same")[:frames])
    loudness /= loudness.max()
    samples = (np.repeat(loudness, RATE_HZ // FPS) * rng.normal(size=frames * RATE_HZ // FPS) * 0.1).astype(np.float32)
    unit = size_px / UNITS
    rows, cols = np.mgrid[:size_px, :size_px]
    images, landmarks = [], np.zeros((frames, 478, 3), np.float32)
    landmarks[..., 0], landmarks[..., 1] = 6 * unit, 8 * unit
    for index, loud in enumerate(loudness):
        image = np.full((size_px, size_px, 3), (200, 160, 140), np.uint8)
        image[((cols - 6 * unit) / (1.5 * unit)) ** 2 + ((rows - 8 * unit) / (0.3 + unit * loud)) ** 2 < 1] = (
            90,
            20,
            30,
        )
        images.append(image)
        angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        landmarks[index, OUTER_LIPS, 0] += 1.7 * unit * np.cos(angle)
        landmarks[index, OUTER_LIPS, 1] += (0.5 + loud) * unit * np.sin(angle)
    mask = np.zeros((frames, size_px, size_px), bool)
    mask[:, int(6 * unit) : int(10.5 * unit), int(3 * unit) : int(9 * unit)] = True
    pose = np.cumsum(rng.normal(size=(frames, 3)), 0).astype(np.float32)
    measures = np.stack([loudness] * 6, 1).astype(np.float32)
    sound = mel.for_frames(samples, frames)
    return Crop(
        crop_id, speaker, "en", np.stack(images), sound, measures, pose, mask, samples, landmarks, np.zeros_like(mask)
    )
