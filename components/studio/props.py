"""Things in front of the face: glasses that sit on it, and a hand or a microphone that passes before the mouth."""

from dataclasses import dataclass

import cv2
import numpy as np

from components.studio import Floats
from components.studio.atlas import smoothstep
from components.studio.identity import Speaker
from components.studio.march import DISTANCE, PIVOT, Pose
from components.studio.performance import Occluder, Performance
from components.studio.sculpt import EYE_Y
from components.studio.shade import Light
from components.studio.skin import light

Layer = tuple[Floats, Floats]


@dataclass(frozen=True)
class Passage:
    """Where the occluder is at each frame, in head units (f, 2), and its tilt in radians."""

    kind: Occluder
    at: Floats
    tilt: float


def project(points: Floats, pose: Pose, size_px: int, scale_px: float) -> Floats:
    """Pixels (n, 2) of points (n, 3) given in head coordinates."""
    camera = (points - PIVOT) @ pose.rotation().T + PIVOT
    shrink = 1 / (1 - camera[:, 2:] / DISTANCE)
    flat = camera[:, :2] * shrink + (pose.x, pose.y - 0.02)
    return np.asarray(np.stack([flat[:, 0], -flat[:, 1]], 1) * scale_px * pose.zoom + size_px / 2)


def glasses(speaker: Speaker, pose: Pose, size_px: int, scale_px: float) -> Layer:
    """Frame colour (h, w, 3) and coverage (h, w); lenses are a faint veil with a reflection."""
    assert speaker.glasses is not None
    factor = 4
    canvas = np.zeros((size_px, size_px), np.uint8)
    lens = np.zeros_like(canvas)
    thick = max(1, round(0.026 * scale_px * pose.zoom))
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    power = 1.0 if speaker.round_glasses else 0.55
    for side in (-1.0, 1.0):
        cx, cy = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** power, np.sign(np.sin(t)) * np.abs(np.sin(t)) ** power
        x = side * 0.325 + 0.225 * cx
        y = EYE_Y - 0.02 + (0.20 if speaker.round_glasses else 0.165) * cy
        rim = np.stack([x, y, 0.99 - 0.42 * x**2], 1)
        ring = np.round(project(rim, pose, size_px, scale_px) * 2**factor).astype(np.int32)
        cv2.fillPoly(lens, [ring], 255, cv2.LINE_AA, factor)
        cv2.polylines(canvas, [ring], True, 255, thick, cv2.LINE_AA, factor)
        temple = np.array(
            [[side * 0.55, EYE_Y + 0.05, 0.87], [side * 0.74, EYE_Y + 0.05, 0.42], [side * 0.82, EYE_Y + 0.05, 0.0]]
        )
        if side * np.sin(np.radians(pose.yaw_deg)) < 0.12:
            bar = np.round(project(temple, pose, size_px, scale_px) * 2**factor).astype(np.int32)
            cv2.polylines(canvas, [bar], False, 255, thick, cv2.LINE_AA, factor)
    bridge = np.array([[-0.11, EYE_Y + 0.03, 1.0], [0, EYE_Y + 0.055, 1.03], [0.11, EYE_Y + 0.03, 1.0]])
    bar = np.round(project(bridge, pose, size_px, scale_px) * 2**factor).astype(np.int32)
    cv2.polylines(canvas, [bar], False, 255, thick, cv2.LINE_AA, factor)
    cover = canvas.astype(np.float32) / 255
    veil = lens.astype(np.float32) / 255 * (1 - cover)
    rows = np.linspace(0, 1, size_px, dtype=np.float32)[:, None]
    streak = veil * (0.05 + 0.05 * np.sin(18 * rows + 6 * np.linspace(0, 1, size_px, dtype=np.float32)[None]) ** 2)
    weight = np.maximum(cover, streak)[..., None]
    colour = light(speaker.glasses) * cover[..., None] + np.float32(0.75) * streak[..., None]
    return colour / np.maximum(weight, 1e-4), weight[..., 0]


def passage(performance: Performance) -> Passage:
    """The occluder's way: in from below, before the mouth for about a second, and out again."""
    rng = np.random.default_rng(performance.seed + 4)
    times = performance.times()
    side = 1 if rng.random() < 0.5 else -1
    middle, reach = rng.uniform(0.35, 0.65) * times[-1], rng.uniform(0.5, 0.9)
    inside = smoothstep(reach + 0.45, reach - 0.1, np.abs(times - middle))
    mouth = 0.9 * np.sin(np.radians(performance.yaw_deg))  # a turned head carries it aside
    target = np.array([mouth + side * rng.uniform(0.0, 0.15), rng.uniform(-0.80, -0.62)])
    away = np.array([side * rng.uniform(0.7, 1.1), -2.6])
    sway = 0.03 * np.stack([np.sin(times * 4.1), np.sin(times * 3.3 + 1)], 1)
    return Passage(performance.occluder, away + inside[:, None] * (target - away) + sway, side * rng.uniform(0.15, 0.6))


def occluder(way: Passage, frame: int, speaker: Speaker, lamp: Light, view: tuple[int, float]) -> Layer:
    """Linear colour (h, w, 3) and coverage (h, w) of the occluder in this frame; `view` is (size_px, px per unit)."""
    size_px, scale_px = view
    axis = (np.arange(size_px, dtype=np.float32) + 0.5 - size_px / 2) / np.float32(scale_px)
    x, y = np.meshgrid(axis - np.float32(way.at[frame, 0]), -axis - np.float32(way.at[frame, 1]))
    c, s = np.float32(np.cos(way.tilt)), np.float32(np.sin(way.tilt))
    u, v = c * x - s * y, s * x + c * y
    if way.kind == "microphone":
        return _microphone(u, v, lamp, scale_px)
    return _hand(u, v, speaker, lamp, scale_px)


def _round(u: Floats, v: Floats, a: tuple[float, float], b: tuple[float, float], r: float) -> tuple[Floats, Floats]:
    """Signed distance to a capsule from a to b, and the height of its round surface."""
    du, dv = b[0] - a[0], b[1] - a[1]
    t = np.clip(((u - a[0]) * du + (v - a[1]) * dv) / (du * du + dv * dv), 0, 1)
    d = np.hypot(u - a[0] - t * du, v - a[1] - t * dv)
    return d - np.float32(r), np.sqrt(np.maximum(r * r - d * d, 0))


def _light_on(height: Floats, lamp: Light, scale_px: float) -> Floats:
    gx = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=scale_px / 8)
    gy = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=scale_px / 8)
    normal = np.dstack([-gx, gy, np.ones_like(gx)])
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    facing = (normal @ lamp.key_direction.astype(np.float32))[..., None]
    return np.clip((facing + 0.25) / 1.25, 0, 1) * lamp.key_colour + lamp.sky_colour * (0.7 + 0.3 * normal[..., 1:2])


def _hand(u: Floats, v: Floats, speaker: Speaker, lamp: Light, scale_px: float) -> Layer:
    """Four fingers and the back of a hand, the arm leaving downwards."""
    fingers = [((-0.21, -0.30), (-0.20, 0.16), 0.082), ((-0.06, -0.28), (-0.05, 0.25), 0.086),
               ((0.09, -0.30), (0.10, 0.21), 0.084), ((0.23, -0.34), (0.24, 0.08), 0.074),
               ((-0.30, -0.62), (-0.43, -0.22), 0.092)]  # fmt: skip
    parts = [_round(u, v, *finger) for finger in fingers]
    palm, palm_height = _round(u, v, (0.0, -0.46), (0.03, -0.72), 0.31)
    arm, arm_height = _round(u, v, (0.03, -0.9), (0.1, -2.5), 0.24)
    distance = np.minimum.reduce([palm, arm, *(d for d, _ in parts)])
    height = np.maximum.reduce([palm_height * 0.5, arm_height * 0.6, *(h + 0.03 for _, h in parts)])
    gaps = np.minimum.reduce([np.abs(d) for d, _ in parts])
    skin = light(speaker.skin) * np.array((0.98, 0.92, 0.90), np.float32)
    crease = 1 - 0.35 * np.exp(-((gaps / 0.014) ** 2)) * (palm > -0.2)
    colour = skin * _light_on(cv2.GaussianBlur(height, (0, 0), 1.2), lamp, scale_px) * crease[..., None]
    return colour.astype(np.float32), np.clip(0.5 - distance * np.float32(scale_px / 1.3), 0, 1)


def _microphone(u: Floats, v: Floats, lamp: Light, scale_px: float) -> Layer:
    """A reporter's microphone: a ball of mesh on a tapering handle."""
    ball, ball_height = _round(u, v, (0, 0), (0, 0.02), 0.20)
    stem, stem_height = _round(u, v, (0, -0.2), (0, -2.4), 0.105)
    height = np.maximum(ball_height, stem_height * 0.9)
    mesh = 0.75 + 0.25 * np.sin(u * 150) * np.sin(v * 150)
    band = np.exp(-(((v + 0.17) / 0.03) ** 4))
    tone = np.where(ball < 0, 0.055 * mesh, 0.025) * (1 - band) + 0.20 * band
    colour = tone[..., None] * _light_on(height, lamp, scale_px) + 0.02
    return colour.astype(np.float32), np.clip(0.5 - np.minimum(ball, stem) * np.float32(scale_px / 1.3), 0, 1)
