"""Light on the head: wrapped diffuse with warm terminators, two highlights, hair sheen, hollows, cast shadow."""

from dataclasses import dataclass

import cv2
import numpy as np

from components.studio import Floats
from components.studio.head import Maps
from components.studio.march import Hits, Pose, Rays, _gap

# Red light travels farthest through skin, so its terminator is softest.
_WRAP = np.array((0.38, 0.20, 0.16), np.float32)
_VIEW, _UP = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class Light:
    """Directions are unit vectors towards the light in camera axes, colours linear and may exceed 1."""

    key_direction: Floats
    key_colour: Floats
    rim_direction: Floats
    rim_colour: Floats
    sky_colour: Floats
    ground_colour: Floats
    softness: float


@dataclass(frozen=True)
class _Surface:
    """What the rays met, (h, w) each: linear colour (h, w, 3), gloss, fibre, openness, angle, and the unit normal and
    the strands' unit direction in head axes, three maps each; `turn` (3, 3) is head to camera."""

    colour: Floats
    gloss: Floats
    fibre: Floats
    openness: Floats
    theta: Floats
    normal: list[Floats]
    strand: list[Floats]
    turn: Floats

    def along(self, axes: list[Floats], direction: Floats) -> Floats:
        """Cosine between a field of directions and one given in camera axes."""
        local = (self.turn.T @ direction).astype(np.float32)
        return np.asarray(axes[0] * local[0] + axes[1] * local[1] + axes[2] * local[2])

    def facing(self, direction: Floats) -> Floats:
        """Cosine between the normal and a direction in camera axes."""
        return self.along(self.normal, direction)


def _surface(maps: Maps, hits: Hits, pose: Pose) -> _Surface:
    look = dict(interpolation=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    sharp = cv2.remap(maps.colour, hits.column, hits.row, **look)
    distant = cv2.remap(maps.distant, hits.column / 4, hits.row / 4, **look)
    around, up, fibre, openness = cv2.split(cv2.remap(maps.relief, hits.column, hits.row, **look))
    sine, cosine = np.sin(hits.theta), np.cos(hits.theta)
    bent = [sine - around * cosine, -up, cosine + around * sine]
    length = 1 / np.sqrt(bent[0] ** 2 + bent[1] ** 2 + bent[2] ** 2)
    lean = 1 / np.sqrt(1 + up * up)
    normal, strand = [axis * length for axis in bent], [up * sine * lean, lean, up * cosine * lean]
    turn = pose.rotation().astype(np.float32)
    # Where the surface turns away a pixel covers many texels: read a blurred copy there.
    view = normal[0] * turn[2, 0] + normal[1] * turn[2, 1] + normal[2] * turn[2, 2]
    colour = distant + (sharp - distant) * np.clip(view * 2.2 - 0.1, 0, 1)[..., None]
    return _Surface(colour[..., :3], colour[..., 3], fibre, openness, hits.theta, normal, strand, turn)


def shade(maps: Maps, hits: Hits, pose: Pose, lamp: Light, shadow: Floats) -> Floats:
    """Linear colour (h, w, 3) of every pixel as if the head covered it; `shadow` (h, w) is 1 in the light."""
    on = _surface(maps, hits, pose)
    shadow = shadow + 0.55 * on.fibre * (1 - shadow)  # hair lets light through
    key, rim, high = on.facing(lamp.key_direction), on.facing(lamp.rim_direction), on.facing(_UP)
    highlight = _highlight(on, lamp, shadow)
    # The rim light has no cast shadow of its own, so it is kept off the front of the face.
    back = np.clip(rim, 0, 1) * np.clip(np.abs(on.theta) * 1.6 - 0.9, 0, 1) * on.openness
    edge = (1 - np.clip(on.facing(_VIEW), 0, 1)) ** 2 * back * (0.25 + 0.75 * on.fibre)
    fill, under = on.openness * (0.5 + 0.5 * high), on.openness * (0.5 - 0.5 * high)
    deep = (0.45 + 0.55 * on.openness) * (1 - 0.25 * on.fibre)
    hard = np.clip(key, 0, 1)
    out = np.empty((*key.shape, 3), np.float32)
    for c in range(3):
        wrap = _WRAP[c] * (1 - 0.6 * on.fibre)
        soft = np.clip((key + wrap) / (1 + wrap), 0, 1)
        # In shadow only the wrapped part is lost as well: the shadow's rim stays warm.
        direct = (hard * shadow + (soft - hard) * (0.4 + 0.6 * shadow)) * deep
        light = direct * lamp.key_colour[c] + fill * lamp.sky_colour[c] + under * lamp.ground_colour[c]
        light += 0.6 * back * lamp.rim_colour[c]
        out[..., c] = on.colour[..., c] * light + highlight * lamp.key_colour[c] + 0.35 * edge * lamp.rim_colour[c]
    return out


def _highlight(on: _Surface, lamp: Light, shadow: Floats) -> Floats:
    """Oily skin, wet lips, and the band of light across hair (Kajiya & Kay 1989)."""
    half = lamp.key_direction + _VIEW
    half = half / np.linalg.norm(half)
    oily = _power(np.clip(on.facing(half), 0, 1), 3)
    wet = _power(oily, 2)
    strand = on.along(on.strand, half)
    across: Floats = np.clip(1 - strand**2, 0.0, None)
    sheen = _power(across**3, 2) * on.fibre
    return on.gloss * shadow * (0.05 * oily + 0.16 * wet * on.gloss) + 0.10 * sheen * (0.3 + 0.7 * shadow)


def _power(x: Floats, doublings: int) -> Floats:
    """x to the power 2 ** doublings, much faster than `**`."""
    for _ in range(doublings):
        x = x * x
    return x


def cast_shadow(hits: Hits, radius: Floats, pose: Pose, lamp: Light) -> Floats:
    """How much of the key light reaches each pixel, 0..1 (h, w), by a short march towards it at half size."""
    coarse = hits.lines.halved()
    z = hits.depth[::2, ::2]
    local = (pose.rotation().T @ lamp.key_direction).astype(np.float32)
    point = coarse.origin + z * coarse.direction
    seen = np.ones_like(z)
    for reach in (0.05, 0.09, 0.15, 0.23, 0.34, 0.5):
        lifted = Rays(point + (local * np.float32(reach))[:, None, None], coarse.direction, coarse.follow)
        gap = _gap(lifted, np.zeros_like(z), radius)[0]
        np.minimum(seen, 1 + gap / np.float32(lamp.softness * reach + 0.015), out=seen)
    soft = cv2.GaussianBlur(np.clip(seen, 0, 1), (0, 0), 1.0)
    return np.asarray(cv2.resize(soft, (hits.depth.shape[1], hits.depth.shape[0]), interpolation=cv2.INTER_LINEAR))
