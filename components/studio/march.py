"""Where each pixel's ray meets the head: marching a radius map, coarse first, then at full size."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from components.studio import Floats
from components.studio.atlas import BOTTOM, COLUMNS_PER_RADIAN, ROWS_PER_UNIT, TOP, smoothstep

DISTANCE = 7.0
NEAR, FAR = 1.35, -1.15
PIVOT = np.array([0.0, -1.05, -0.15])


@dataclass(frozen=True)
class Pose:
    """Of the head: angles in degrees (yaw to the viewer's right, pitch down, roll clockwise), shift in head units."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    x: float
    y: float
    zoom: float

    def rotation(self) -> Floats:
        """(3, 3), head to camera."""
        yaw, pitch, roll = np.radians((self.yaw_deg, self.pitch_deg, self.roll_deg))
        cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
        turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        tilt = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
        return np.asarray(tilt @ nod @ turn)


@dataclass(frozen=True)
class Rays:
    """A ray per pixel in head coordinates: point = origin + z * direction, both (3, h, w) float32.

    `follow` (h, w) is 1 where the skin turns with the head and 0 where it stays with the trunk.
    """

    origin: Floats
    direction: Floats
    follow: Floats

    def within(self, window: tuple[slice, slice]) -> "Rays":
        """Those of a part of the picture."""
        return Rays(self.origin[:, *window].copy(), self.direction[:, *window].copy(), self.follow[window])

    def halved(self) -> "Rays":
        """Every second pixel of every second row."""
        return Rays(self.origin[:, ::2, ::2].copy(), self.direction[:, ::2, ::2].copy(), self.follow[::2, ::2])


@dataclass(frozen=True)
class Hits:
    """Where rays meet the surface: texel coordinates, angle, depth towards the camera and coverage 0..1, each (h, w)
    float32, in the `window` of the picture outside of which there is nothing to meet; `lines` are the window's rays."""

    window: tuple[slice, slice]
    lines: Rays
    column: Floats
    row: Floats
    theta: Floats
    depth: Floats
    coverage: Floats


def rays(pose: Pose, size_px: int, scale_px: float) -> Rays:
    """Rays of a square picture in which one head unit at the axis is `scale_px * zoom` wide."""
    axis = (np.arange(size_px, dtype=np.float32) + 0.5 - size_px / 2) / np.float32(scale_px * pose.zoom)
    x, y = np.meshgrid(axis - np.float32(pose.x), -axis - np.float32(pose.y) + np.float32(0.02))
    zero, one = np.zeros_like(x), np.ones_like(x)
    start = np.stack([x, y, zero])
    along = np.stack([-(x + pose.x) / DISTANCE, -(y + pose.y) / DISTANCE, one])
    turn = pose.rotation().T.astype(np.float32)
    pivot = PIVOT.astype(np.float32)[:, None, None]
    turned = np.einsum("ij,jhw->ihw", turn, start - pivot) + pivot
    turned_along = np.einsum("ij,jhw->ihw", turn, along)
    # Below the chin the neck bends: the trunk does not turn.
    follow = smoothstep(-1.7, -1.0, turned[1]).astype(np.float32)
    origin = follow * turned + (1 - follow) * start
    return Rays(origin, follow * turned_along + (1 - follow) * along, follow)


def _gap(lines: Rays, z: Floats, radius: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Distance from the axis minus the surface's there (negative inside), with column, row and angle."""
    x = lines.origin[0] + z * lines.direction[0]
    y = lines.origin[1] + z * lines.direction[1]
    depth = lines.origin[2] + z * lines.direction[2]
    reach, angle = cv2.cartToPolar(-depth, -x)  # 0..2pi, with theta = 0 at pi: no seam on the face
    column = angle * np.float32(COLUMNS_PER_RADIAN) - np.float32(0.5)
    row = (np.float32(TOP) - y) * np.float32(ROWS_PER_UNIT) - np.float32(0.5)
    surface = cv2.remap(radius, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    over = np.maximum(y - np.float32(TOP - 0.02), np.float32(BOTTOM + 0.02) - y)
    return np.maximum(reach - surface, over), column, row, angle


def march(lines: Rays, radius: Floats, pixel: float) -> Hits:
    """First meeting of each ray with the surface; coverage fades over one pixel (`pixel` head units) at the outline."""
    coarse = _approach(lines.halved(), radius)
    window = _window(coarse > FAR)
    lines = lines.within(window)
    half = (slice(window[0].start // 2, window[0].stop // 2), slice(window[1].start // 2, window[1].stop // 2))
    size = (lines.follow.shape[1], lines.follow.shape[0])
    z = cv2.resize(coarse[half], size, interpolation=cv2.INTER_NEAREST) + np.float32(0.03)
    closest = np.full_like(z, 9)
    slope, gap, step = np.full_like(z, 1.3), np.zeros_like(z), np.zeros_like(z)
    for index in range(7):
        before = gap
        gap, column, row, angle = _gap(lines, z, radius)
        np.minimum(closest, gap, out=closest)
        if index:  # the secant: hair hangs in cliffs, where fixed steps would swing to and fro
            slope = np.clip((before - gap) / (step + np.float32(1e-7)), 0.7, 12)
        step = np.clip(gap / slope, -0.25, 0.2) + np.float32(1e-6)
        z = z - step
    coverage = np.clip(np.float32(1.0) - (closest - np.float32(0.006)) / np.float32(pixel), 0, 1)
    coverage = cv2.medianBlur(np.where(z < FAR, np.float32(0), coverage).astype(np.float32), 3)
    return Hits(window, lines, column, row, angle - np.float32(np.pi), z, coverage)


def _approach(coarse: Rays, radius: Floats) -> Floats:
    """Depth (h, w) near the first meeting of each ray, less than FAR where there is none."""
    z = np.full(coarse.follow.shape, NEAR, np.float32)
    for _ in range(30):
        gap = _gap(coarse, z, radius)[0]
        z -= np.where(gap > 0.004, np.clip(gap * np.float32(0.7), 0.014, 0.3), 0)
    # A ray that missed may pass close to what its neighbour met.
    return np.asarray(np.where(z < FAR, cv2.dilate(z, np.ones((3, 3), np.uint8)), z))


def _window(met: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The part of the full picture that holds all that was met at half its size; all of it where nothing was."""
    spans = []
    for axis in (1, 0):
        found = np.flatnonzero(met.any(axis))
        first, last = (found[0], found[-1] + 1) if len(found) else (0, met.shape[1 - axis])
        spans.append(slice(int(2 * first), int(2 * last)))
    return spans[0], spans[1]
