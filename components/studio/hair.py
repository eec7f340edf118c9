"""Hair: where it grows, how far it stands off the head, and its strands."""

from dataclasses import dataclass

import cv2
import numpy as np

from components.studio import Floats
from components.studio.atlas import COLUMNS, ROWS, WHOLE, bump, noise, smoothstep
from components.studio.identity import Speaker
from components.studio.sculpt import Mass, masses, smooth_max
from components.studio.skin import hair_light

# Hairline heights at these angles from straight ahead: brow, temple, sideburn, over the ear, nape.
_ANGLES = (0.0, 0.45, 0.75, 0.95, 1.2, 1.36, 1.46, 1.58, 1.85, 2.0, 2.3, 3.15)
_LINE = (0.83, 0.81, 0.70, 0.47, 0.34, 0.05, -0.05, 0.26, 0.26, -0.2, -0.62, -0.78)


@dataclass(frozen=True)
class Hair:
    """Maps of (rows, columns): coverage 0..1, lift off the skin in head units, radius of the hair's outer surface where
    it does not follow the skin (crown, curtains; 0 elsewhere), linear colour with strands (rows, columns, 3)."""

    cover: Floats
    lift: Floats
    surface: Floats
    colour: Floats


def grow(speaker: Speaker) -> Hair:
    """The speaker's hair."""
    rng = np.random.default_rng(speaker.seed + 3)
    theta, y = WHOLE.grid()
    angle = np.abs(theta)
    curly = speaker.hair in ("curly", "afro")
    strands = noise(rng, (7, 5), 2) if curly else _strands(speaker, rng, y)
    ragged = 0.035 * noise(rng, (30, 1.6), 2) + 0.02 * noise(rng, (9, 9))
    fringe = speaker.hair in ("bob", "long") and rng.random() < 0.45
    line = np.interp(angle, _ANGLES, _LINE) + 0.05 * np.sin(theta * 3 + speaker.seed % 7) * smoothstep(1.0, 0.5, angle)
    if speaker.hair == "receding":
        line = line + 0.22 * bump(angle, y, (0.62, 0.8), (0.34, 0.5)) + 0.13 * smoothstep(0.9, 0.3, angle)
    if fringe:
        line = np.minimum(line, 0.45 + 0.10 * angle**2)
    cover = smoothstep(-0.035, 0.055, y - line + ragged)
    lift = _lift(speaker, theta, y)
    hanging = np.zeros_like(y)
    if speaker.hair in ("bob", "long"):
        cover, hanging = _hang(speaker, theta, y, ragged, cover)
    lift = lift * (1 + {"curly": 0.28, "afro": 0.09}.get(speaker.hair, 0.05) * strands)
    lift = np.maximum(lift, 0) * smoothstep(-0.02, 0.45, y - line) ** 0.8
    # At the crown all strands meet at one height.
    lift = lift + (lift.mean(1, keepdims=True) - lift) * smoothstep(1.1, 1.3, y)
    surface = np.where((lift > 0.003) & (cover > 0.05), _puffed(speaker, lift, theta, y), 0)
    if speaker.hair == "bun":
        surface = np.maximum(surface, Mass(1.24, -0.22, (0.33, 0.33, 0.33)).radius(theta, y) * (1 + 0.02 * strands))
    colour = hair_light(speaker) * np.exp((0.32 if curly else 0.36) * strands)[..., None]
    if speaker.hair == "buzz":
        cover = cover * np.clip(0.70 + 0.16 * noise(rng, (1.8, 1.6)), 0, 1)
    if speaker.hair == "bald":
        cover = cover * np.clip(0.22 + 0.06 * noise(rng, (1.8, 1.6)), 0, 1) * smoothstep(1.1, 0.5, y)
    hanging = hanging * (1 + 0.008 * strands)
    return Hair(
        *(m.astype(np.float32) for m in (cover, lift, smooth_max(surface, hanging, 0.08 * (hanging > 0)), colour))
    )


def _strands(speaker: Speaker, rng: np.random.Generator, y: Floats) -> Floats:
    """Combed hair: long grain, swept to one side towards the crown."""
    grain = 0.70 * noise(rng, (95, 1.5), 2) + 0.30 * noise(rng, (130, 7))
    sweep = (1 if speaker.seed % 2 else -1) * rng.uniform(25, 70) * smoothstep(0.35, 1.15, y)
    columns, rows = np.meshgrid(np.arange(COLUMNS, dtype=np.float32), np.arange(ROWS, dtype=np.float32))
    shifted = (columns + sweep.astype(np.float32)) % COLUMNS
    return np.asarray(cv2.remap(grain, shifted, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))


def _lift(speaker: Speaker, theta: Floats, y: Floats) -> Floats:
    """Thickness where hair grows thickly."""
    top = smoothstep(0.3, 0.95, y)
    front = np.exp(-((theta / 0.9) ** 2))
    part = (theta - 0.45 * (1 if speaker.seed % 2 else -1)) / 0.09
    parting = 0.05 * np.exp(-(part**2)) * smoothstep(0.7, 1.0, y)
    lift = {
        "bald": np.zeros_like(y),
        "buzz": np.full_like(y, 0.012),
        "receding": 0.035 + 0.03 * top,
        "short": 0.05 + 0.075 * top - parting,
        "quiff": 0.035 + 0.08 * top + 0.20 * front * smoothstep(0.72, 0.98, y),
        "curly": 0.13 + 0.10 * top,
        "afro": 0.24 + 0.10 * top,
        "bob": 0.10 + 0.05 * top - parting,
        "long": 0.09 + 0.05 * top - parting,
        "bun": 0.045 + 0.02 * top,
    }
    return np.asarray(lift[speaker.hair])


def _hang(speaker: Speaker, theta: Floats, y: Floats, ragged: Floats, cover: Floats) -> tuple[Floats, Floats]:
    """Coverage and surface of hair that hangs beside the face, over the ears, to the jaw or the shoulders."""
    angle = np.abs(theta)
    end = -0.78 if speaker.hair == "bob" else -2.2
    wave = 0.05 * np.sin(y * 7 + np.sign(theta)) if speaker.seed % 3 == 0 else 0.02 * np.sin(y * 4)
    edge = np.interp(y, (-2, -0.9, -0.3, 0.3, 0.62, 0.85), (0.92, 1.0, 1.13, 1.06, 0.86, 0.3)) + wave
    beside = smoothstep(-0.04, 0.05, angle - edge)
    inside = smoothstep(-0.06, 0.02, angle - edge + 0.3 * ragged + 0.05) * smoothstep(
        end - 0.02, end + 0.06, y + 0.6 * ragged
    )
    cover = np.maximum(cover, inside)
    profile = np.interp(y, (-2.2, -1.3, -0.8, -0.2, 0.35, 0.9), (0.95, 0.90, 0.92, 0.93, 0.88, 0.0))
    # The lock nearest the face hugs it; the surface swells backwards, so that its front shows its strands.
    swell = 0.60 + 0.40 * smoothstep(-0.10, 0.75, angle - edge)
    depth = profile * (1 + 0.06 * np.cos(2 * theta + np.pi)) * swell
    return cover, np.where((beside > 0.0) & (y > end), depth * smoothstep(-0.04, 0.06, angle - edge), 0)


def _puffed(speaker: Speaker, lift: Floats, theta: Floats, y: Floats) -> Floats:
    """The skull grown by `lift` in every direction, so that hair rises above the crown as well."""
    skull = masses(speaker.shape)[0]
    rx, ry, rz = (radius + lift for radius in skull.radii)
    return Mass(skull.y, skull.z, (rx, ry, rz)).radius(theta, y)
