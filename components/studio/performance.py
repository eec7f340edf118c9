"""How a clip is performed, all but the speech: head, eyes, light, occluder. A re-dub shares it with its source."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from components.core.base import seeds
from components.studio import Floats
from components.studio.eyes import Gaze
from components.studio.march import Pose
from components.studio.shade import Light

Occluder = Literal["none", "hand", "microphone"]
Lamp = Literal["soft", "side", "warm", "cool", "dim"]
OCCLUDERS: tuple[Occluder, ...] = ("none", "none", "none", "hand", "none", "none", "none", "microphone", "none")
LAMPS: tuple[Lamp, ...] = ("soft", "side", "warm", "cool", "dim")


@dataclass(frozen=True)
class Performance:
    """One clip's conditions, drawn from its seed; `yaw_deg` is the mean turn of the head."""

    seed: int
    frames: int
    fps: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    zoom: float
    lamp: Lamp
    key_azimuth_deg: float
    key_height_deg: float
    light_drift: float
    occluder: Occluder
    noise: float

    def times(self) -> Floats:
        """(f,) seconds of each frame."""
        return np.arange(self.frames) / self.fps


def perform(seed: int, name: str, number: int, frames: int, fps: float) -> Performance:
    """The performance of clip `number` of all clips; turns, lamps and occluders are dealt, the rest is drawn."""
    rng = seeds.rng(seed, "studio", "performance", name)
    yaw = (0, 12, -17, 24, -6, -26, 7, 17)[number % 8] + rng.uniform(-4, 4)
    side = 1 if rng.random() < 0.5 else -1
    return Performance(
        seed=seeds.derive(seed, "studio", "moves", name),
        frames=frames,
        fps=fps,
        yaw_deg=float(yaw),
        pitch_deg=float(rng.uniform(-6, 7)),
        roll_deg=float(rng.uniform(-5, 5)),
        zoom=float(rng.uniform(0.92, 1.10)),
        lamp=LAMPS[(number * 3 + number // 5) % len(LAMPS)],
        key_azimuth_deg=float(side * rng.uniform(20, 55)),
        key_height_deg=float(rng.uniform(18, 48)),
        light_drift=float(rng.uniform(8, 25)) if rng.random() < 0.4 else 1.5,
        occluder=OCCLUDERS[number % len(OCCLUDERS)],
        noise=float(rng.uniform(0.004, 0.012)),
    )


def _wander(rng: np.random.Generator, times: Floats, slowest_s: float, fastest_s: float) -> Floats:
    """A smooth random track of about unit deviation."""
    track = np.zeros_like(times)
    for period in np.geomspace(slowest_s, fastest_s, 6):
        track += (
            np.sin(2 * np.pi * (times / (period * rng.uniform(0.8, 1.25)) + rng.random())) * (period / slowest_s) ** 0.7
        )
    return track / 1.35


def poses(performance: Performance) -> list[Pose]:
    """The head of each frame; yaw stays within 30 degrees."""
    rng = np.random.default_rng(performance.seed)
    times = performance.times()
    yaw = np.clip(performance.yaw_deg + 4.5 * _wander(rng, times, 5, 0.7), -30, 30)
    pitch = performance.pitch_deg + 2.4 * _wander(rng, times, 4, 0.5)
    roll = performance.roll_deg + 1.8 * _wander(rng, times, 6, 0.9)
    x, y = 0.045 * _wander(rng, times, 6, 1.0), 0.02 * _wander(rng, times, 5, 0.8) - 0.02
    zoom = performance.zoom * (1 + 0.008 * _wander(rng, times, 7, 1.5))
    return [Pose(*map(float, row)) for row in zip(yaw, pitch, roll, x, y, zoom, strict=True)]


def gazes(performance: Performance, turned: list[Pose]) -> list[Gaze]:
    """Eyes that mostly look into the camera, jump now and then, and blink every two to five seconds."""
    rng = np.random.default_rng(performance.seed + 1)
    times = performance.times()
    x, y, blink = np.zeros_like(times), np.zeros_like(times), np.zeros_like(times)
    at = 0.0
    while at < times[-1] + 1:
        away = rng.random() < 0.35
        x[times >= at] = rng.normal(0, 0.022) if away else rng.normal(0, 0.004)
        y[times >= at] = rng.normal(0, 0.010) if away else 0.0
        at += rng.uniform(0.4, 2.2)
    at = rng.uniform(0.3, 2.5)
    while at < times[-1] + 0.5:
        blink = np.maximum(blink, np.interp(times - at, (-0.08, -0.02, 0.04, 0.16), (0, 1, 1, 0)))
        at += rng.uniform(1.8, 4.5)
    return [
        Gaze(
            float(np.clip(x[i] - 0.085 * np.sin(np.radians(pose.yaw_deg)), -0.055, 0.055)),
            float(np.clip(y[i] + 0.05 * np.sin(np.radians(pose.pitch_deg)), -0.02, 0.02)),
            float(blink[i]),
        )
        for i, pose in enumerate(turned)
    ]


_KEYS: dict[Lamp, tuple[float, tuple[float, float, float], float, float]] = {
    # strength, tint, share of fill, softness of the shadow
    "soft": (1.05, (1.0, 0.97, 0.93), 0.42, 1.3),
    "side": (1.35, (1.0, 0.95, 0.88), 0.22, 0.7),
    "warm": (1.15, (1.0, 0.92, 0.80), 0.36, 0.9),
    "cool": (1.10, (0.90, 0.97, 1.0), 0.42, 1.2),
    "dim": (0.80, (1.0, 0.94, 0.86), 0.32, 0.9),
}


def lights(performance: Performance) -> list[Light]:
    """The light of each frame: nearly still, or drifting slowly."""
    rng = np.random.default_rng(performance.seed + 2)
    times = performance.times()
    strength, tint, fill, softness = _KEYS[performance.lamp]
    azimuth = np.radians(performance.key_azimuth_deg + performance.light_drift * _wander(rng, times, 9, 3))
    height = np.radians(performance.key_height_deg + 0.3 * performance.light_drift * _wander(rng, times, 9, 3))
    level = strength * (1 + 0.004 * performance.light_drift * _wander(rng, times, 7, 2))
    colour = np.array(tint, np.float32) ** 2
    rim_side = -np.sign(performance.key_azimuth_deg)
    rim = np.array([0.85 * rim_side, 0.35, -0.25])
    rim_colour = np.array((0.75, 0.85, 1.0), np.float32) * np.float32(rng.uniform(0.1, 0.55))
    sky = np.array((0.92, 0.97, 1.05), np.float32) * np.float32(fill)
    ground = np.array((0.95, 0.80, 0.68), np.float32) * np.float32(fill * 0.65)
    return [
        Light(
            np.array([np.sin(a) * np.cos(h), np.sin(h), np.cos(a) * np.cos(h)]),
            colour * np.float32(k),
            rim / np.linalg.norm(rim),
            rim_colour,
            sky,
            ground,
            softness,
        )
        for a, h, k in zip(azimuth, height, level, strict=True)
    ]
