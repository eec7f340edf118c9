"""The bare head as a radius map: ellipsoids for the masses, bumps for the features."""

from dataclasses import dataclass

import numpy as np

from components.studio import Floats
from components.studio.atlas import COLUMNS, ROWS, WHOLE, bump, noise, smoothstep
from components.studio.identity import Shape, Speaker

Length = float | Floats

EYE_Y, EYE_THETA = 0.10, 0.355
BROW_Y = 0.33
NOSE_Y = -0.33
MOUTH_Y = -0.585
CHIN_Y = -1.0


@dataclass(frozen=True)
class Mass:
    """An ellipsoid that contains a piece of the axis: centre (y, z) and radii (x, y, z), in head units."""

    y: float
    z: float
    radii: tuple[Length, Length, Length]

    def radius(self, theta: Floats, y: Floats) -> Floats:
        """Its outer distance from the axis in each direction; 0 where the ray misses it."""
        rx, ry, rz = self.radii
        level = 1 - ((y - self.y) / ry) ** 2
        a = (np.sin(theta) / rx) ** 2 + (np.cos(theta) / rz) ** 2
        # Towards its top and bottom the centre slides onto the axis: a ray from the axis has to start inside.
        z = self.z * smoothstep(1.0, 0.6, np.abs(y - self.y) / ry)
        b = -np.cos(theta) * z / rz**2
        c = z**2 / rz**2 - level
        root = b * b - a * c
        return np.where(root > 0, (-b + np.sqrt(np.maximum(root, 0))) / a, 0.0)


def masses(shape: Shape) -> list[Mass]:
    """Skull, face, jaw, muzzle, neck, shoulders' root."""
    w = 1 + 0.05 * shape.width
    jaw = 1 + 0.07 * shape.jaw
    return [
        Mass(0.42, -0.10, (0.80 * w, 0.84, 0.98)),
        Mass(0.00, 0.07, (0.755 * w, 0.98, 0.80)),
        Mass(-0.46, 0.06, (0.625 * w * jaw, 0.53, 0.80)),
        Mass(-0.60, 0.10, (0.47 * w * jaw, 0.44 + 0.02 * shape.chin, 0.79)),
    ]


def sculpt(speaker: Speaker) -> Floats:
    """Radius map (rows, columns) float32 of the bald head and neck with a closed mouth and without eyelids."""
    theta, y = WHOLE.grid()
    shape = speaker.shape
    power = 14.0
    solids = [mass.radius(theta, y) for mass in masses(shape)]
    # The jaw has no back: behind the ears the neck begins.
    solids[1:] = [solid * (1 - 0.5 * smoothstep(1.45, 2.3, np.abs(theta))) for solid in solids[1:]]
    head = sum(np.maximum(r, 1e-3) ** power for r in solids) ** (1 / power)
    head = head * np.where(np.max(solids, 0) > 0, 1, 0)
    # The ray leaves the axis inside the neck, so below the chin the neck takes over.
    neck_size = 0.46 + 0.045 * shape.neck
    neck = neck_size * (1 + 0.05 * np.cos(2 * theta)) + 0.5 * smoothstep(-1.35, -1.95, y) ** 2
    neck = neck + 0.02 * bump(np.abs(theta), y, (0.5, -1.35), (0.16, 0.5))
    neck = (neck - 0.12 * np.cos(theta) * smoothstep(-1.5, -1.0, y)) * smoothstep(-0.3, -0.6, y)
    radius = smooth_max(head, neck, 0.09 * smoothstep(-0.45, -0.9, y))
    radius = radius + _features(theta, y, shape) * smoothstep(-1.15, -0.95, y)
    radius = radius + _ears(theta, y, shape)
    return (radius + _age(theta, y, speaker)).astype(np.float32)


def smooth_max(a: Floats, b: Floats, softness: float | Floats) -> Floats:
    """The larger of two surfaces, the crease between them rounded over about `softness`."""
    return np.asarray(0.5 * (a + b + np.sqrt((a - b) ** 2 + softness**2)))


def _features(theta: Floats, y: Floats, shape: Shape) -> Floats:
    """Everything on the front of the face, as an addition to the radius."""
    x = theta * 0.86
    side = np.abs(x)
    eye = EYE_THETA * 0.86
    out = 0.045 * bump(side, y, (0.20, 0.31), (0.30, 0.09)) * (1 + 0.5 * shape.brow)
    out -= 0.115 * bump(side, y, (eye, EYE_Y + 0.02), (0.19, 0.145))
    out -= 0.04 * bump(x, y, (0, 0.20), (0.10, 0.11))
    out += 0.05 * bump(side, y, (0.46, -0.16), (0.20, 0.17)) * (1 + 0.5 * shape.cheek)
    out -= 0.035 * bump(side, y, (0.52, -0.55), (0.16, 0.20)) * (1 + 0.4 * shape.cheek)
    out -= 0.05 * bump(side, y, (0.78, 0.35), (0.18, 0.25))
    out += _nose(x, y, shape)
    out += 0.055 * bump(x, y, (0, MOUTH_Y - 0.01), (0.27, 0.20))
    out -= 0.030 * bump(x, y, (0, MOUTH_Y - 0.20), (0.20, 0.055))
    out -= 0.012 * bump(x, y, (0, MOUTH_Y + 0.15), (0.028, 0.07))
    out += (0.06 + 0.02 * shape.chin) * bump(x, y, (0, CHIN_Y + 0.14), (0.21, 0.13))
    fold = side - (0.22 + 0.34 * np.clip(NOSE_Y + 0.05 - y, 0, 1) ** 0.8)
    return np.asarray(
        out - 0.012 * np.exp(-((fold / 0.035) ** 2)) * smoothstep(-0.28, -0.4, y) * smoothstep(-0.85, -0.6, y)
    )


def _nose(x: Floats, y: Floats, shape: Shape) -> Floats:
    base = NOSE_Y - 0.03 * shape.nose_length
    width = 1 + 0.22 * shape.nose_width
    side = np.abs(x)
    along = np.clip((0.25 - y) / (0.25 - base), 0, 1)
    ridge = (0.050 + 0.02 * shape.nose_bridge + 0.120 * along**1.3) * smoothstep(base - 0.075, base + 0.06, y)
    ridge = ridge * smoothstep(0.40, 0.14, y)
    spread = (0.066 + 0.040 * along**1.5) * width
    out = ridge * np.exp(-(((side / spread) ** 2) ** 1.15))
    out += 0.105 * bump(x, y, (0, base + 0.050), (0.088 * width, 0.085))
    out += 0.085 * bump(side, y, (0.122 * width, base + 0.030), (0.052, 0.058))
    nostril = bump(side, y, (0.072 * width, base - 0.028), (0.036 * width, 0.020))
    return np.asarray(out - 0.05 * nostril)


def _ears(theta: Floats, y: Floats, shape: Shape) -> Floats:
    """Shells that stand off the sides of the head, with a rim, a bowl and a lobe."""
    size = 1 + 0.12 * shape.ear
    along = (np.abs(theta) - 1.66) / 0.20
    up = (y + 0.08) / (0.30 * size)
    along = along - 0.25 * up
    lobe = np.where(up < 0, 1 + 0.35 * up, 1.0)
    r = np.sqrt((along / np.maximum(lobe, 0.4)) ** 2 + up**2)
    shell = smoothstep(1.05, 0.86, r) * (0.10 + 0.09 * smoothstep(-0.9, 0.7, along))
    bowl = 0.09 * np.exp(-((((along + 0.05) / 0.42) ** 2 + ((up + 0.12) / 0.42) ** 2) ** 2))
    groove = 0.03 * np.exp(-(((r - 0.70) / 0.09) ** 2)) * smoothstep(-0.5, 0.1, up)
    return np.asarray(size * (shell - np.minimum(bowl + groove, shell * 0.9)))


def _age(theta: Floats, y: Floats, speaker: Speaker) -> Floats:
    """Wrinkles that deepen with age: forehead, crow's feet, folds beside nose and mouth, bags."""
    if speaker.age < 0.35:
        return np.zeros((ROWS, COLUMNS))
    rng = np.random.default_rng(speaker.seed)
    x = theta * 0.86
    side = np.abs(x)
    wobble = 0.012 * noise(rng, (60, 40), 2)
    lines = np.zeros_like(x)
    for level in (0.47, 0.56, 0.65):
        lines -= 0.010 * np.exp(-(((y - level - wobble - 0.02 * side) / 0.011) ** 2)) * smoothstep(0.5, 0.25, side)
    for spread in (-0.25, 0.1, 0.45):
        ray = y - EYE_Y + 0.02 - spread * (side - 0.44) + wobble * 0.5
        lines -= 0.008 * np.exp(-((ray / 0.010) ** 2)) * smoothstep(0.46, 0.50, side) * smoothstep(0.66, 0.55, side)
    fold = side - (0.215 + 0.36 * np.clip(NOSE_Y + 0.06 - y, 0, 1) ** 0.85) + wobble * 0.5
    lines -= 0.022 * np.exp(-((fold / 0.022) ** 2)) * smoothstep(-0.26, -0.36, y) * smoothstep(-0.86, -0.62, y)
    bag = y - (EYE_Y - 0.15 - 0.03 * np.cos((side - 0.3) * 8)) + wobble * 0.3
    lines -= 0.010 * np.exp(-((bag / 0.014) ** 2)) * bump(side, y, (0.29, EYE_Y - 0.15), (0.13, 0.1))
    return lines * smoothstep(0.3, 0.95, speaker.age)
