"""Shoulders and clothes below the neck: one picture per clip, moved with the trunk."""

from dataclasses import dataclass

import cv2
import numpy as np

from components.studio import Floats
from components.studio.atlas import smoothstep
from components.studio.shade import Light

# Linear colours of cloth.
CLOTHS = (
    (0.03, 0.04, 0.07), (0.30, 0.31, 0.33), (0.62, 0.60, 0.56), (0.09, 0.16, 0.28), (0.28, 0.05, 0.06),
    (0.06, 0.15, 0.09), (0.40, 0.28, 0.12), (0.16, 0.09, 0.20), (0.55, 0.33, 0.30), (0.10, 0.28, 0.32),
)  # fmt: skip


@dataclass(frozen=True)
class Body:
    """Cloth in linear RGB (h, w, 3), its coverage (h, w) 0..1, and how much of the neck shows above the collar."""

    colour: Floats
    cover: Floats
    neckline: Floats


def dress(size_px: int, scale_px: float, lamp: Light, rng: np.random.Generator) -> Body:
    """Crew neck, V neck, or shirt with collar and jacket, lit by the clip's first light."""
    axis = (np.arange(size_px) + 0.5 - size_px / 2) / scale_px
    x, y = np.meshgrid(axis, -axis)
    side = np.abs(x)
    style = int(rng.integers(3))
    cloth = np.array(CLOTHS[int(rng.integers(len(CLOTHS)))])
    slope = -1.26 - 0.16 * side - 0.22 * np.clip(side - 0.75, 0, 9) ** 1.5
    slope += 0.18 * smoothstep(0.62, 0.40, side)
    shoulder = np.clip((slope - y) * scale_px / 1.2 + 0.5, 0, 1)
    depth = np.array((1.52, 1.86, 1.80))[style]
    opening = (side / (0.50, 0.42, 0.34)[style]) ** (2.0 if style == 0 else 1.0)
    neckline = -depth + (depth - 1.22) * np.clip(opening, 0, 1.2)
    below = np.clip((neckline - y) * scale_px / 1.2 + 0.5, 0, 1)
    edge = np.exp(-(((neckline - 0.045 - y) / 0.012) ** 2)) * (style != 2)
    relief = 0.30 * np.exp(-(((side - 0.9) / 0.7) ** 2)) + 0.10 * np.sin(x * 5 + 3 * y) * 0.3
    folds = cv2.GaussianBlur(rng.standard_normal((size_px, size_px)), (0, 0), 9) * 0.25
    relief = relief + folds - 0.4 * (y + 1.3) ** 2
    gy, gx = np.gradient(relief, 1 / scale_px)
    normal = np.dstack([-gx + 0.5 * x, gy + 0.55, np.ones_like(x)])
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    facing = np.clip(normal @ lamp.key_direction, 0, 1)[..., None]
    if style == 2:
        cloth, edge = _shirt(side, y, neckline, cloth, rng), np.zeros_like(x)
    under_chin = (0.45 + 0.55 * smoothstep(0.15, 0.75, np.hypot(side, y + 1.25)))[..., None]
    weave = 1 + 0.03 * rng.standard_normal((size_px, size_px, 1))
    light = facing * lamp.key_colour + lamp.sky_colour * (0.6 + 0.4 * normal[..., 1:2])
    colour = cloth * light * weave * under_chin * (1 - 0.35 * edge)[..., None]
    return Body(colour.astype(np.float32), (shoulder * below).astype(np.float32), (1 - below).astype(np.float32))


def _shirt(side: Floats, y: Floats, neckline: Floats, jacket: Floats, rng: np.random.Generator) -> Floats:
    """Colour per pixel of a jacket over a shirt with a collar."""
    shirt = np.array(((0.75, 0.76, 0.78), (0.45, 0.55, 0.70), (0.70, 0.60, 0.55))[int(rng.integers(3))])
    collar = np.exp(-(((neckline - 0.12 - y) / 0.10) ** 4))[..., None]
    colour = np.broadcast_to(jacket, (*side.shape, 3))
    inside = smoothstep(0.03, -0.01, side - 0.30 - 0.42 * (y + 1.5))[..., None]
    colour = colour * (1 - inside) + shirt * inside
    crease = 0.55 + 0.45 * smoothstep(0.0, 0.03, np.abs(neckline - 0.21 - y))[..., None]
    collared = shirt * 1.05 * collar + colour * (1 - collar)
    return np.asarray(collared * np.where(inside > 0.5, crease, 1))
