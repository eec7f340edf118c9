"""Eyes: lids, ball, iris, lashes, painted on the atlas."""

from dataclasses import dataclass

import numpy as np

from components.studio import Floats
from components.studio.atlas import Box, box, bump, smoothstep
from components.studio.identity import Speaker
from components.studio.sculpt import EYE_THETA, EYE_Y
from components.studio.skin import light

REACH = 0.27
LEFT = box((-EYE_THETA - REACH, -EYE_THETA + REACH), (EYE_Y + 0.20, EYE_Y - 0.17))
RIGHT = box((EYE_THETA - REACH, EYE_THETA + REACH), (EYE_Y + 0.20, EYE_Y - 0.17))


@dataclass(frozen=True)
class Gaze:
    """Where the eyes look (head units of the iris from the middle of the eye) and how far the lids are down, 0..1."""

    x: float
    y: float
    blink: float


@dataclass(frozen=True)
class _Eye:
    """Local coordinates (outwards is positive) and the lids' edges at each texel."""

    x: Floats
    y: Floats
    upper: Floats
    lower: Floats
    open_upper: Floats
    sign: float


def _eye(area: Box, gaze: Gaze, speaker: Speaker) -> _Eye:
    theta, height = area.grid()
    sign = 1.0 if area.left > LEFT.left else -1.0
    shape = speaker.shape
    x = (sign * theta - EYE_THETA) * 0.86
    y = height - EYE_Y - (0.10 + 0.06 * shape.eye_tilt) * (x + 0.05)
    s = np.clip(np.abs(x) / 0.160, 0, 1)
    tall = 1 + 0.14 * shape.eye_size - 0.25 * max(shape.eye_fold, 0) - 0.12 * speaker.age
    open_upper = 0.073 * tall * (1 - s**2.1) ** 0.85 * (1 - 0.15 * x / 0.16)
    lower = -0.046 * tall * (1 - s**2.3) * (1 + 0.15 * x / 0.16)
    # The lids follow the gaze a little.
    upper = open_upper + 0.4 * gaze.y * (1 - s)
    upper = upper * (1 - gaze.blink) + (lower + 0.002) * gaze.blink
    return _Eye(x, y, upper, lower, open_upper, sign)


def paint(area: Box, gaze: Gaze, speaker: Speaker, colour: Floats, radius: Floats) -> tuple[Floats, Floats]:
    """One eye painted over its box of the colour (h, w, 4) and radius (h, w) maps; new arrays."""
    eye = _eye(area, gaze, speaker)
    edge = 1 / 130
    ball = np.clip((eye.upper - eye.y) / edge + 0.5, 0, 1) * np.clip((eye.y - eye.lower) / edge + 0.5, 0, 1)
    ball = ball * np.where(np.abs(eye.x) < 0.16, 1, 0)
    radius = radius + 0.085 * bump(eye.x, eye.y, (0, 0.0), (0.155, 0.115)) - 0.018 * ball
    fold = eye.y - eye.open_upper - 0.035 - 0.02 * speaker.shape.eye_fold
    crease = np.exp(-((fold / 0.012) ** 2)) * smoothstep(0.19, 0.12, np.abs(eye.x))
    radius = radius - 0.010 * crease
    colour = colour.copy()
    colour[..., :3] *= (1 - 0.32 * crease)[..., None] * np.array((1, 0.97, 0.96), np.float32)
    colour = colour * (1 - ball[..., None]) + _ball(eye, gaze, speaker) * ball[..., None]
    within = smoothstep(0.185, 0.15, np.abs(eye.x))
    weight = 0.55 + 0.45 * max(speaker.makeup, 0.35 * speaker.feminine)
    lash = np.exp(-(np.abs((eye.y - eye.upper - 0.004) / (0.010 + 0.005 * speaker.makeup)) ** 2)) * within * weight
    lash += 0.35 * np.exp(-(((eye.y - eye.lower + 0.003) / 0.008) ** 2)) * within * weight
    lash += 0.5 * bump(eye.x, eye.y, (0.175, eye_corner(speaker)), (0.03, 0.010)) * weight * speaker.feminine
    dark = np.clip(lash, 0, 1)[..., None]
    colour = colour * (1 - dark) + dark * np.array((0.012, 0.009, 0.008, 0.1), np.float32)
    return colour.astype(np.float32), radius.astype(np.float32)


def eye_corner(speaker: Speaker) -> float:
    """Height of the outer corner's lashes."""
    return 0.012 + 0.01 * speaker.shape.eye_tilt


def _ball(eye: _Eye, gaze: Gaze, speaker: Speaker) -> Floats:
    """Colour (h, w, 4) of the eyeball: sclera, iris with its ring and fibres, pupil, catch light."""
    across = gaze.x * eye.sign
    x, y = eye.x - across, eye.y - gaze.y - 0.014
    r = np.hypot(x, y) / 0.064
    angle = np.arctan2(y, x)
    sclera = np.array((0.60, 0.55, 0.52), np.float32) * (1 - 0.45 * smoothstep(0.06, 0.16, np.abs(eye.x)))[..., None]
    red = bump(eye.x, eye.y, (-0.15, -0.01), (0.03, 0.03))[..., None]
    sclera = sclera * (1 - red) + red * np.array((0.35, 0.13, 0.11), np.float32)
    iris = light(speaker.eye_colour)
    fibres = 1 + 0.20 * np.sin(angle * 23 + 3 * np.sin(angle * 5)) + 0.55 * smoothstep(0.85, 0.4, r)
    ring = 1 - 0.75 * smoothstep(0.72, 1.0, r)
    inner = iris * (fibres * ring)[..., None] * (1 - 0.97 * smoothstep(0.46, 0.36, r))[..., None]
    cover = smoothstep(1.06, 0.92, r)[..., None]
    out = sclera * (1 - cover) + inner * cover
    out *= (0.45 + 0.55 * smoothstep(0.0, 0.055, eye.upper - eye.y))[..., None]
    glint = bump(eye.x * eye.sign - gaze.x * 0.7, eye.y - gaze.y * 0.7, (-0.020, 0.042), (0.013, 0.013))[..., None]
    out = out * (1 - glint) + glint * 0.95
    return np.dstack([out, np.full(out.shape[:2], 0.8)]).astype(np.float32)
