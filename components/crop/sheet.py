"""A picture of crops with what was found on them drawn in, for people to look at."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.media.crops import Crop
from components.core.media.geometry import Window

ZOOM = 2
COLUMNS = 6
GREEN, YELLOW, RED = (0, 255, 0), (255, 255, 0), (255, 0, 0)


def draw(crops: Sequence[Crop]) -> NDArray[np.uint8]:
    """One row per crop, frames spread over its opening: window green, mask yellow, landmarks red."""
    return np.concatenate([_row(crop) for crop in crops])


def _row(crop: Crop) -> NDArray[np.uint8]:
    order = np.argsort(np.nan_to_num(crop.measures[:, 0]), kind="stable")
    picked = order[np.linspace(0, len(order) - 1, COLUMNS).round().astype(int)]
    return np.concatenate([_tile(crop, int(index)) for index in picked], axis=1)


def _tile(crop: Crop, index: int) -> NDArray[np.uint8]:
    size = crop.frames.shape[1]
    tile = cv2.resize(crop.frames[index], (size * ZOOM, size * ZOOM), interpolation=cv2.INTER_CUBIC)
    window = Window.of(size)
    corner, opposite = (window.left * ZOOM, window.top * ZOOM), (window.right * ZOOM - 1, window.bottom * ZOOM - 1)
    cv2.rectangle(tile, corner, opposite, GREEN)
    mask = cv2.resize(crop.mask[index].astype(np.uint8), tile.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(tile, outlines, -1, YELLOW)
    for x, y in np.nan_to_num((crop.landmarks[index, :, :2] + 0.5) * ZOOM).round().astype(int).tolist():
        cv2.circle(tile, (x, y), 0, RED)
    return np.asarray(tile)
