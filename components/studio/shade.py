"""Light on the head: wrapped diffuse with warm terminators, two highlights, hair sheen, hollows, cast shadow."""

from dataclasses import dataclass

import cv2
import numpy as np

from components.studio import Floats
from components.studio.head import Maps
from components.studio.march import Hits, Pose, Rays, _gap

# Red light travels farthest through skin, so its terminator is softest.
_WRAP = np.array((0.38, 0.20, 0.16), np.float32)


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


def shade(maps: Maps, hits: Hits, pose: Pose, lamp: Light, shadow: Floats) -> Floats:
    """Linear colour (h, w, 3) of every pixel as if the head covered it."""
    look = dict(interpolation=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    sharp = cv2.remap(maps.colour, hits.column, hits.row, **look)
    relief = cv2.remap(maps.relief, hits.column, hits.row, **look)
    around, up, fibre, openness = cv2.split(relief)
    sine, cosine = np.sin(hits.theta), np.cos(hits.theta)
    normal = [sine - around * cosine, -up, cosine + around * sine]
    length = 1 / np.sqrt(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2)
    turn = pose.rotation().astype(np.float32)

    def facing(direction: Floats) -> Floats:
        local = (turn.T @ direction).astype(np.float32)
        return np.asarray((normal[0] * local[0] + normal[1] * local[1] + normal[2] * local[2]) * length)

    shadow = 1 - (1 - shadow) * (1 - 0.55 * fibre)
    key, rim, high = facing(lamp.key_direction), facing(lamp.rim_direction), facing(np.array([0.0, 1.0, 0.0]))
    view = np.clip(facing(np.array([0.0, 0.0, 1.0])), 0, 1)
    # Where the surface turns away a pixel covers many texels: read a blurred copy there.
    smooth = cv2.remap(maps.distant, hits.column / 4, hits.row / 4, **look)
    near = np.clip(view * 2.2 - 0.1, 0, 1)[..., None]
    colour = smooth + (sharp - smooth) * near
    gloss = colour[..., 3]
    lit = np.clip(key, 0, 1) * shadow
    sheen = _sheen(normal, length, around, up, sine, cosine, turn, lamp) * fibre
    half = lamp.key_direction + np.array([0.0, 0.0, 1.0])
    glint = np.clip(facing(half / np.linalg.norm(half)), 0, 1) ** 2
    glint = glint * glint
    glint = glint * glint  # the eighth power: an oily sheen; squared twice more: wet lips and nose tips
    wet = glint * glint
    wet = wet * wet
    highlight = gloss * shadow * (0.05 * glint + 0.16 * wet * gloss) + 0.10 * sheen * (0.3 + 0.7 * shadow)
    # The rim light has no cast shadow of its own, so it is kept off the front of the face.
    outer = np.clip(np.abs(hits.theta) * 1.6 - 0.9, 0, 1)
    edge = (1 - view) ** 2 * np.clip(rim, 0, 1) * outer * (0.25 + 0.75 * fibre)
    fill = openness * (0.5 + 0.5 * high)
    under = openness * (0.5 - 0.5 * high)
    back = np.clip(rim, 0, 1) * openness * outer
    out = np.empty((*key.shape, 3), np.float32)
    deep = (0.45 + 0.55 * openness) * (1 - 0.25 * fibre)
    for c in range(3):
        wrap = _WRAP[c] * (1 - 0.6 * fibre)
        soft = np.clip((key + wrap) / (1 + wrap), 0, 1)
        # In shadow only the wrapped part is lost as well: the shadow's rim stays warm.
        direct = (lit + (soft - np.clip(key, 0, 1)) * (0.4 + 0.6 * shadow)) * deep
        light = direct * lamp.key_colour[c] + fill * lamp.sky_colour[c] + under * lamp.ground_colour[c]
        light += 0.6 * back * lamp.rim_colour[c]
        out[..., c] = (
            colour[..., c] * light + highlight * lamp.key_colour[c] + 0.35 * edge * lamp.rim_colour[c] * openness
        )
    return out


def _sheen(
    normal: list[Floats],
    length: Floats,
    around: Floats,
    up: Floats,
    sine: Floats,
    cosine: Floats,
    turn: Floats,
    lamp: Light,
) -> Floats:
    """The band of light across hair (Kajiya & Kay 1989), strands running down the atlas."""
    half = lamp.key_direction + np.array([0.0, 0.0, 1.0])
    local = (turn.T @ (half / np.linalg.norm(half))).astype(np.float32)
    along = (up * sine * local[0] + local[1] + up * cosine * local[2]) / np.sqrt(1 + up * up)
    band = np.clip(1 - along * along, 0, 1) ** 2
    band = band * band
    return np.asarray(band * band * band)


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
