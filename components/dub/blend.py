"""The edit back in the picture: colours matched to the surroundings, pasted with a soft mask, its seam measured.

What is before the face stays the source's, where an expert finds it.
"""

from dataclasses import replace
from math import log10
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.media import geometry
from components.dub.edit import Edited
from components.dub.timeline import Picture

Image = NDArray[np.uint8]

RIM = 0.5
"""Where the mask is below this lies the rim, which shows skin and no lips: an edit should not change it."""
FLATTEST = 0.25
"""Gradients below this, in grey levels a pixel, are no edge."""


class Blender:
    """Pastes edits and keeps count of how visible their borders are.

    Args:
        size_px: of the crop.
    """

    def __init__(self, size_px: int) -> None:
        self._mask = geometry.soft_mask(size_px)
        self._rim = self._mask < RIM
        self._border = (self._mask > 0) & self._rim
        self._count, self._sum_db = 0, 0.0

    @property
    def seam_db(self) -> float | None:
        """Mean gradient along the edit's border over the source's there, in dB: 0 is invisible; None without edit."""
        return self._sum_db / self._count if self._count else None

    def paste(self, edited: Edited) -> Picture:
        """The picture with the edit in it; in a gap, the picture."""
        picture = edited.picture
        if edited.window is None or edited.transform is None or edited.source is None:
            return picture
        mask = self._mask if edited.hidden is None else self._mask * (1 - edited.hidden)
        window = self.matched(edited.window, edited.source)
        self._measure(window, edited.source, mask)
        rows, columns, pixels = geometry.patch(picture.rgb, window, edited.transform, mask, edited.source)
        rgb = picture.rgb.copy()
        rgb[rows, columns] = pixels
        return replace(picture, rgb=rgb, before=picture.rgb, edited=(rows, columns))

    def matched(self, window: Image, source: Image) -> Image:
        """The edit without the shift of colour that it has along its rim, where source and edit show the same skin.

        The shift is the median over the rim, so that an edit which is right there, or wrong in a few places, stays.
        """
        shift = np.median(window[self._rim].astype(np.int16) - source[self._rim], axis=0)
        return np.clip(window - shift, 0, 255).astype(np.uint8) if shift.any() else window

    def _measure(self, window: Image, source: Image, mask: NDArray[np.float32]) -> None:
        weight = mask[..., None]
        pasted = source + weight * (window.astype(np.float32) - source)
        here, there = (max(FLATTEST, float(np.median(_gradient(i)[self._border]))) for i in (pasted, source))
        self._count += 1
        self._sum_db += 20 * log10(here / there)


def _gradient(image: NDArray[Any]) -> NDArray[np.float32]:
    luma = cv2.cvtColor(np.asarray(image, np.float32), cv2.COLOR_RGB2GRAY)
    dx, dy = (cv2.Sobel(luma, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    return np.asarray(np.hypot(dx, dy))
