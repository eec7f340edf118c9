"""The map on which a head is described: an unrolled cylinder around the head's vertical axis.

Head units: the chin of an average head is at y = -1, the crown at y = 1.25, the eyes at y = 0.1; x to the viewer's
right, z towards the viewer. Columns are the angle theta in [-pi, pi) (0 is straight ahead), rows are y from TOP down.
"""

from typing import NamedTuple

import cv2
import numpy as np

from components.studio import Floats

TOP, BOTTOM = 1.75, -1.9
ROWS_PER_UNIT = 130.0
ROWS = round((TOP - BOTTOM) * ROWS_PER_UNIT)
COLUMNS = 704
COLUMNS_PER_RADIAN = COLUMNS / (2 * np.pi)


class Box(NamedTuple):
    """A rectangle of texels: rows top..bottom, columns left..right (ends excluded)."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """For indexing a map."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grid(self) -> tuple[Floats, Floats]:
        """(theta, y) of every texel, float32 (rows, columns)."""
        theta = (np.arange(self.left, self.right) + 0.5) / COLUMNS_PER_RADIAN - np.pi
        y = TOP - (np.arange(self.top, self.bottom) + 0.5) / ROWS_PER_UNIT
        grids = np.meshgrid(theta.astype(np.float32), y.astype(np.float32))
        return grids[0], grids[1]


WHOLE = Box(0, ROWS, 0, COLUMNS)


def box(theta: tuple[float, float], y: tuple[float, float]) -> Box:
    """The texels within these angles and heights."""
    columns = [round((angle + np.pi) * COLUMNS_PER_RADIAN) for angle in theta]
    rows = [round((TOP - height) * ROWS_PER_UNIT) for height in (max(y), min(y))]
    return Box(max(rows[0], 0), min(rows[1], ROWS), max(columns[0], 0), min(columns[1], COLUMNS))


def slopes(radius: Floats) -> tuple[Floats, Floats]:
    """(dR/dtheta / R, dR/dy) of a radius map, float32, the two components of the surface's normal."""
    across = cv2.Sobel(radius, cv2.CV_32F, 1, 0, ksize=3, scale=COLUMNS_PER_RADIAN / 8, borderType=cv2.BORDER_REPLICATE)
    down = cv2.Sobel(radius, cv2.CV_32F, 0, 1, ksize=3, scale=ROWS_PER_UNIT / 8, borderType=cv2.BORDER_REPLICATE)
    return across / np.maximum(radius, 0.05), -down


def smoothstep(low: float | Floats, high: float | Floats, x: float | Floats) -> Floats:
    """0 below `low`, 1 above `high`, smooth between; `low` may be the larger one."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def bump(x: Floats, y: Floats, at: tuple[float, float], size: tuple[float, float]) -> Floats:
    """A Gaussian of height 1."""
    return np.exp(-(((x - at[0]) / size[0]) ** 2) - ((y - at[1]) / size[1]) ** 2)


def noise(rng: np.random.Generator, cells: tuple[float, float], octaves: int = 1) -> Floats:
    """Smooth noise of about unit deviation over the map; `cells` is the finest grain in texels (down, across)."""
    total = np.zeros((ROWS, COLUMNS), np.float32)
    for octave in range(octaves):
        scale = 2.0 ** (octaves - 1 - octave)
        shape = [max(2, round(n / (cell * scale))) for n, cell in zip((ROWS, COLUMNS), cells, strict=True)]
        grid = rng.standard_normal(shape).astype(np.float32)
        grid = np.concatenate([grid, grid[:, :1]], 1)  # closes the cylinder
        total += cv2.resize(grid, (COLUMNS, ROWS), interpolation=cv2.INTER_CUBIC) * np.float32(0.6**octave)
    return total / np.float32(sum(0.36**o for o in range(octaves)) ** 0.5)
