"""What colour the bare head is: skin with its mottling and age, brows, beard, scalp."""

import numpy as np

from components.studio import Floats
from components.studio.atlas import WHOLE, bump, noise, smoothstep
from components.studio.identity import Colour, Speaker
from components.studio.sculpt import BROW_Y, CHIN_Y, EYE_Y, MOUTH_Y, NOSE_Y


def light(colour: Colour) -> Floats:
    """(3,) linear light of an sRGB colour, by the square that the whole renderer uses for gamma."""
    return np.array(colour, np.float32) ** 2


def hair_light(speaker: Speaker) -> Floats:
    """(3,) linear colour of the speaker's hair, greyed."""
    grey = np.array((0.40, 0.39, 0.38), np.float32)
    return light(speaker.hair_colour) * (1 - 0.85 * speaker.grey) + grey * 0.85 * speaker.grey


def skin(speaker: Speaker) -> Floats:
    """(rows, columns, 4) float32: linear r, g, b and gloss of everything but hair, eyes and lips."""
    rng = np.random.default_rng(speaker.seed + 1)
    theta, y = WHOLE.grid()
    x = theta * 0.86
    side = np.abs(x)
    base = light(speaker.skin)
    pale = float(np.clip(base.mean() / 0.45, 0.2, 1))
    colour = np.ones((*x.shape, 3), np.float32) * base
    mottle = 0.035 * noise(rng, (18, 18), 3) + 0.030 * noise(rng, (2.2, 2.2), 2) * (0.6 + speaker.age)
    colour *= (1 + mottle)[..., None]
    colour = _tint(colour, _flush(side, x, y) * pale, (1.06, 0.80, 0.80))
    shade = 0.30 * bump(side, y, (0.29, EYE_Y - 0.115), (0.15, 0.055)) * (0.4 + speaker.age)
    shade += 0.22 * bump(side, y, (0.31, EYE_Y + 0.09), (0.19, 0.07)) * (1 + speaker.makeup)
    colour = _tint(colour, shade, (0.62, 0.50, 0.54))
    if speaker.freckles:
        spots = smoothstep(1.1, 2.0, noise(rng, (3.5, 3.5))) * bump(side, y, (0.30, -0.12), (0.36, 0.22))
        colour = _tint(colour, 0.6 * speaker.freckles * spots, (0.70, 0.52, 0.42))
    if speaker.age > 0.6:
        spots = smoothstep(1.9, 2.6, noise(rng, (9, 9))) * smoothstep(-0.2, 0.5, y)
        colour = _tint(colour, 0.5 * spots, (0.72, 0.58, 0.48))
    colour = _tint(colour, bump(side, y, (0.07, NOSE_Y - 0.04), (0.034, 0.016)), (0.25, 0.14, 0.13))
    gloss = 0.30 + 0.30 * bump(x, y, (0, -0.1), (0.12, 0.25)) + 0.25 * bump(x, y, (0, 0.6), (0.5, 0.2))
    gloss = gloss * (1 + 0.14 * noise(rng, (2.5, 2.5))) * np.where(np.abs(theta) > 1.9, 0.4, 1)
    hair = hair_light(speaker)
    colour = _cover(colour, _brows(speaker, rng, x, y), hair * (0.55 if speaker.grey < 0.5 else 0.8))
    thickness = beard(speaker, theta, y, rng)
    colour = _cover(colour, thickness, hair * 0.8)
    return np.dstack([colour, gloss * (1 - 0.7 * thickness)]).astype(np.float32)


def _tint(colour: Floats, amount: Floats, factor: Colour) -> Floats:
    weight = np.clip(amount, 0, 1)[..., None]
    return colour * (1 - weight + weight * np.array(factor, np.float32))


def _cover(colour: Floats, amount: Floats, paint: Floats) -> Floats:
    weight = np.clip(amount, 0, 1)[..., None]
    return np.asarray(colour * (1 - weight) + weight * paint)


def _flush(side: Floats, x: Floats, y: Floats) -> Floats:
    """Where blood shows: cheeks, the tip of the nose, chin, ears."""
    out = 0.55 * bump(side, y, (0.46, -0.22), (0.24, 0.20)) + 0.55 * bump(x, y, (0, -0.27), (0.13, 0.11))
    out += 0.30 * bump(x, y, (0, CHIN_Y + 0.12), (0.2, 0.12)) + 0.5 * bump(side, y, (1.45, -0.05), (0.16, 0.35))
    return out


def _brows(speaker: Speaker, rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    """Coverage by brow hair: an arch that thins outwards, drawn in strokes."""
    side = np.abs(x)
    inner, outer = 0.125, 0.52
    t = np.clip((side - inner) / (outer - inner), 0, 1)
    arch = BROW_Y - 0.02 + (0.055 if speaker.feminine else 0.032) * np.sin(np.pi * t**0.8) - 0.045 * t**2
    thick = (0.030 if speaker.feminine else 0.042) * (1 - 0.75 * t) + 0.004
    body = np.exp(-(np.abs((y - arch) / thick) ** 2.4)) * smoothstep(inner - 0.03, inner + 0.04, side)
    body = body * smoothstep(outer + 0.02, outer - 0.08, side)
    strokes = 0.88 + 0.18 * noise(rng, (5, 1.4))
    return np.asarray(body * strokes * speaker.brow_strength * (1 - 0.35 * speaker.grey))


def beard(speaker: Speaker, theta: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    """Coverage 0..1 by facial hair."""
    if speaker.feminine:
        return np.zeros_like(theta)
    x = theta * 0.86
    side = np.abs(x)
    upper = np.interp(side, (0, 0.26, 0.36, 0.62, 0.95, 1.2), (MOUTH_Y - 0.10, -0.60, -0.52, -0.32, 0.05, 0.1))
    jaw = smoothstep(upper + 0.06, upper - 0.07, y) * smoothstep(1.25, 1.08, side) * smoothstep(-1.34, -1.10, y)
    moustache = np.exp(-(((y - (MOUTH_Y + 0.135 - 0.35 * side**1.6)) / 0.042) ** 4)) * smoothstep(0.33, 0.22, side)
    lips = np.exp(-(((side / 0.29) ** 2 + ((y - MOUTH_Y + 0.015) / 0.105) ** 2) ** 3))  # kept clear by a razor
    goatee = smoothstep(-0.70, -0.77, y) * smoothstep(0.30, 0.20, side) * smoothstep(-1.25, -1.08, y)
    goatee = np.maximum(goatee, bump(side, y, (0.31, -0.66), (0.050, 0.20))) * (1 - lips)
    grain = noise(rng, (2.4, 1.5), 2)
    full = np.maximum(jaw * (1 - lips), moustache)
    shaved = 0.17 * full * (1 + 0.5 * grain)
    if speaker.beard == "none":
        return np.asarray(np.clip(shaved * 0.55, 0, 1))
    if speaker.beard == "stubble":
        return np.asarray(np.clip(full * (0.40 + 0.14 * grain), 0, 0.8))
    area = {"moustache": moustache, "goatee": np.maximum(goatee, moustache), "full": full}[speaker.beard]
    return np.asarray(np.clip(np.maximum(area * (0.88 + 0.10 * grain), shaved), 0, 1))


def beard_depth(speaker: Speaker) -> Floats:
    """How far facial hair stands off the skin, head units (rows, columns)."""
    if speaker.beard in ("none", "stubble"):
        return np.zeros(WHOLE.grid()[0].shape, np.float32)
    theta, y = WHOLE.grid()
    rng = np.random.default_rng(speaker.seed + 2)
    depth = beard(speaker, theta, y, rng) - 0.2
    height = 0.035 + 0.03 * smoothstep(-0.8, -1.0, y)
    return np.asarray((np.clip(depth, 0, 1) * height * (1 + 0.10 * noise(rng, (3.5, 1.8), 2))).astype(np.float32))
