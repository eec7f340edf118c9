"""The mouth: what a posture means in lengths, and lips, teeth and tongue painted on the atlas."""

from dataclasses import dataclass

import cv2
import numpy as np

from components.studio import Floats
from components.studio.atlas import box, bump, smoothstep
from components.studio.identity import Speaker
from components.studio.sculpt import MOUTH_Y
from components.studio.skin import light

MOUTH = box((-0.60, 0.60), (-0.28, -1.08))
TEXEL = 1 / 130


@dataclass(frozen=True)
class Lips:
    """A mouth in head units: the lips' inner edges above and below the rest line, half the width between the corners,
    how far chin and lower teeth have dropped, lip heights, how far the lips stick out; `tongue` and `bite` 0..1."""

    above: float
    below: float
    half_width: float
    drop: float
    upper: float
    lower: float
    forward: float
    corner: float
    tongue: float
    bite: float

    @property
    def opening(self) -> float:
        """The gap between the lips at the middle, head units."""
        return self.above + self.below


def lips(posture: Floats, speaker: Speaker) -> Lips:
    """The mouth of a posture, (7,) in the order of visemes.CHANNELS."""
    jaw, spread, rounded, press, bite, tongue, clench = (float(v) for v in posture)
    shape = speaker.shape
    gap = 0.29 * jaw * (1 - 0.25 * rounded) + 0.030 * clench + 0.012 * tongue - 0.014
    gap = max(gap, 0.0) * (1 - min(press, 1)) * (1 - 0.85 * min(bite, 1))
    above = 0.22 * gap + 0.028 * bite + 0.008 * clench * (1 - press)
    return Lips(
        above=above,
        below=0.78 * gap - 0.004 * bite,
        half_width=(0.232 + 0.020 * shape.mouth_width) * (1 + 0.17 * spread - 0.36 * rounded - 0.05 * jaw),
        drop=max(0.78 * gap, 0.17 * jaw),
        upper=(0.064 + 0.018 * shape.lip_upper) * (1 - 0.55 * press) * (1 + 0.20 * rounded - 0.12 * spread),
        lower=(0.084 + 0.020 * shape.lip_lower) * (1 - 0.50 * press) * (1 + 0.15 * rounded) * (1 - 0.45 * bite),
        forward=0.075 * rounded - 0.012 * press,
        corner=0.010 + 0.010 * shape.cheek + 0.014 * spread,
        tongue=tongue,
        bite=bite,
    )


@dataclass(frozen=True)
class _Curves:
    """The mouth's edges at each texel: distance from the middle over the half width, and the edges' heights."""

    s: Floats
    inner_top: Floats
    inner_bottom: Floats
    outer_top: Floats
    outer_bottom: Floats


def _curves(mouth: Lips, u: Floats) -> _Curves:
    s = np.minimum(np.abs(u) / mouth.half_width, 1)
    sag = mouth.corner * s**2 - 0.3 * mouth.below * s**2 + 0.008 * np.exp(-((s / 0.2) ** 2))
    inner_top = mouth.above * (1 - s**2) + sag
    inner_bottom = -mouth.below * (1 - s**2.2) + sag
    bow = 1 + 0.16 * np.exp(-(((s - 0.26) / 0.16) ** 2)) - 0.10 * np.exp(-((s / 0.12) ** 2))
    outer_top = inner_top + mouth.upper * bow * (1 - s**1.7) ** 0.9
    outer_bottom = inner_bottom - mouth.lower * (1 - s**2.4) ** 0.75
    return _Curves(s, inner_top, inner_bottom, outer_top, outer_bottom)


def paint(mouth: Lips, speaker: Speaker, colour: Floats, radius: Floats) -> tuple[Floats, Floats]:
    """The mouth painted over the MOUTH box of the colour (h, w, 4) and radius (h, w) maps; new arrays."""
    theta, y = MOUTH.grid()
    u, v = theta * 0.86, y - MOUTH_Y
    curves = _curves(mouth, u)
    radius = radius + mouth.forward * bump(u, v, (0, -0.02), (0.20, 0.17))
    top = np.clip((v - curves.inner_top) / np.maximum(curves.outer_top - curves.inner_top, 1e-3), -1, 2)
    bottom = np.clip((curves.inner_bottom - v) / np.maximum(curves.inner_bottom - curves.outer_bottom, 1e-3), -1, 2)
    soft = 1 - smoothstep(0.93, 1.0, curves.s)
    on_top = smoothstep(1.06, 0.86, top) * (v >= curves.inner_top) * soft
    on_bottom = smoothstep(1.06, 0.86, bottom) * (v < curves.inner_bottom) * soft
    radius = radius + 0.030 * np.sin(np.pi * np.clip(top, 0, 1) ** 0.75) * on_top
    radius = radius + 0.046 * np.sin(np.pi * np.clip(bottom, 0, 1) ** 0.70) * on_bottom
    seam = np.exp(-np.abs(v - 0.5 * (curves.inner_top + curves.inner_bottom)) / 0.012) * soft
    radius = radius - 0.014 * seam
    colour = _lip_colour(colour, speaker, on_top, on_bottom, u, seam)
    gap = np.clip((curves.inner_top - curves.inner_bottom) / TEXEL - 0.3, 0, 1)
    hole = _between(v, curves.inner_bottom, curves.inner_top) * gap
    inside, depth = _inside(mouth, curves, u, v)
    colour = colour + (inside - colour) * hole[..., None]
    hollow = cv2.GaussianBlur((depth * hole).astype(np.float32), (0, 0), 1.5)  # rays find no cliffs
    return colour.astype(np.float32), (radius - hollow).astype(np.float32)


def _between(v: Floats, low: Floats, high: Floats) -> Floats:
    """1 between the two edges, anti-aliased over a texel."""
    inside: Floats = np.minimum(v - low, high - v) / TEXEL
    return np.clip(inside + 0.5, 0, 1)


def _lip_colour(colour: Floats, speaker: Speaker, top: Floats, bottom: Floats, u: Floats, seam: Floats) -> Floats:
    """Redder, glossier and creased; darker above, where the light does not fall."""
    tone = light(speaker.skin) * np.array((0.74, 0.36, 0.38), np.float32)
    rouge = np.array((0.42, 0.06, 0.09), np.float32)
    tone = tone * (1 - 0.55 * speaker.makeup) + rouge * 0.55 * speaker.makeup
    crease = 1 + 0.06 * np.sin(u * 170 + 2 * np.sin(u * 31)) + 0.04 * np.sin(u * 97)
    weight = np.clip(top + bottom, 0, 1)[..., None] * 0.92
    shade = (0.84 * top + 1.0 * bottom + (1 - top - bottom)) * crease
    lipped = np.dstack([tone * shade[..., None], np.full_like(u, 0.5)])
    out = colour * (1 - weight) + lipped * weight
    out[..., :3] *= (1 - 0.55 * seam)[..., None]
    return np.asarray(out)


def _inside(mouth: Lips, curves: _Curves, u: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Colour (h, w, 4) and depth (h, w) of what shows between the lips: the dark, tongue, lower and upper teeth."""
    light_in = 0.12 + 0.88 * float(smoothstep(0.01, 0.15, mouth.opening))
    colour = np.zeros((*u.shape, 4), np.float32)
    colour[..., :3] = np.array((0.030, 0.008, 0.007), np.float32)
    depth = np.full_like(u, 0.13)
    rise = 0.35 + 0.45 * mouth.tongue
    top = curves.inner_bottom + rise * (curves.inner_top - curves.inner_bottom) * (1 - (u / 0.21) ** 2)
    tongue = np.clip((top - v) / 0.02, 0, 1) * (np.abs(u) < 0.21)
    flesh = np.array((0.36, 0.10, 0.09, 0.6), np.float32) * light_in
    roundness = (0.35 + 0.65 * np.clip((top - v) / 0.06, 0, 1)) * (1 - 0.25 * np.exp(-((u / 0.02) ** 2)))
    colour = colour * (1 - tongue[..., None]) + flesh * (tongue * roundness)[..., None]
    depth = depth - 0.05 * tongue
    arch = np.cos(np.clip(u / 0.23, -1, 1) * np.pi / 2)
    edge_low = -mouth.drop * 1.05 - 0.052 + 0.02 * (1 - arch)
    edge_high = -0.026 + 0.022 * (1 - arch) + 0.003 * np.cos(u * 2 * np.pi / 0.075)
    colour, depth = _teeth(colour, depth, np.clip((edge_low - v) / TEXEL + 0.5, 0, 1) * 0.8, u / 0.75, light_in)
    shadow = 0.30 + 0.70 * smoothstep(0.0, 0.055, curves.inner_top - v)
    return _teeth(colour, depth, np.clip((v - edge_high) / TEXEL + 0.5, 0, 1), u, light_in * shadow)


def _teeth(colour: Floats, depth: Floats, mask: Floats, u: Floats, light_in: Floats | float) -> tuple[Floats, Floats]:
    """A row of teeth over what is there: enamel, gaps, darker towards the corners."""
    mask = mask * smoothstep(0.24, 0.19, np.abs(u))
    gaps = 1 - 0.35 * np.exp(-((((u / 0.075 + 0.5) % 1) - 0.5) ** 2) / 0.006)
    enamel = np.array((0.70, 0.64, 0.52), np.float32)
    shade = gaps * np.maximum(1 - (u / 0.26) ** 2, 0) ** 0.7 * light_in
    row = np.dstack([enamel * shade[..., None], 0.5 * shade])
    return colour * (1 - mask[..., None]) + row * mask[..., None], depth * (1 - mask) + 0.055 * mask
