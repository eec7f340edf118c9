"""Crops framed as the published networks expect faces: these come from detectors, ours are aligned by landmarks."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.media.geometry import UNITS


@dataclass(frozen=True)
class Framing:
    """A square of the crop's plane, in units of the crop (its size / 12), which may reach beyond it.

    Attributes:
        left_u, top_u: its upper left corner.
        side_u: its side.
        size_px: what it is resized to.
        border: grey level of what lies outside of the crop.
    """

    left_u: float
    top_u: float
    side_u: float
    size_px: int
    border: int


def framed(frames: NDArray[np.uint8], framing: Framing) -> NDArray[np.uint8]:
    """The square of every frame (f h w 3)."""
    unit = frames.shape[1] / UNITS
    scale = framing.size_px / (framing.side_u * unit)
    # Pixel centres: x of the crop goes to scale * (x + 0.5 - left) - 0.5.
    shift = [scale * (0.5 - corner * unit) - 0.5 for corner in (framing.left_u, framing.top_u)]
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    size, border = (framing.size_px, framing.size_px), (framing.border,) * 3
    warped = [cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderValue=border) for image in frames]
    return np.asarray(warped, np.uint8)
