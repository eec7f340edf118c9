"""What faces may have and the studio's have not: beards, folds, mouths torn open. None of it is before the face."""

import cv2
import numpy as np
from numpy.typing import NDArray

from components.occluders.things import FINE, Generator, Picture, fixed


def stained(rgb: Picture, rng: Generator) -> Picture:
    """The picture with soft places in another colour, in the sizes of a mole to that of a beard."""
    height, width = rgb.shape[:2]
    coarse = rng.standard_normal((rng.integers(2, 9), rng.integers(2, 9)), np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    cover = 1 / (1 + np.exp(-np.clip((field - rng.uniform(0, 1.5)) / rng.uniform(0.05, 0.5), -30, 30)))[..., None]
    gain = rng.uniform(0.15, 1.3) * np.exp(rng.uniform(-0.2, 0.2, 3))
    grain = 1 + rng.uniform(0, 0.4) * rng.standard_normal((height, width, 1), np.float32)
    return np.asarray(rgb * (1 - cover + cover * gain * grain), np.float32)


def creased(rgb: Picture, rng: Generator) -> Picture:
    """The picture with up to four folds, darker or brighter lines with soft edges."""
    height, width = rgb.shape[:2]
    canvas = np.zeros((height, width), np.uint8)
    for _ in range(rng.integers(1, 5)):
        centre, axes = rng.uniform(0, 1, 2) * [width, height], rng.uniform(0.05, 0.6, 2) * height
        start = rng.uniform(0, 360)
        line = np.array(cv2.ellipse2Poly((0, 0), (1000, 1000), 0, int(start), int(start + rng.uniform(30, 150)), 10))
        points = np.rint((centre + line / 1000 * axes) * 2**FINE).astype(np.int32)
        cv2.polylines(canvas, [points], False, 255, int(rng.integers(1, 4)), cv2.LINE_AA, FINE)
    soft = cv2.GaussianBlur(canvas.astype(np.float32) / 255, (0, 0), rng.uniform(0.5, 2.0))
    return np.asarray(rgb * (1 + rng.uniform(-0.7, 0.3) * soft[..., None]), np.float32)


def folded(rgb: Picture, rng: Generator) -> Picture:
    """The picture with an edge of shade, as along a cheek or a jaw: skin goes on beyond it, and the shade fades."""
    height, width = rgb.shape[:2]
    side = np.zeros((height, width), np.uint8)
    centre, axes = rng.uniform(-0.5, 1.5, 2) * [width, height], rng.uniform(0.3, 1.5, 2) * height
    cv2.ellipse(side, fixed(centre), fixed(axes), rng.uniform(0, 180), 0, 360, 1, -1, cv2.LINE_8, FINE)
    gain = np.ones((height, width), np.float32)
    for part, (low, high) in ((side, (-0.6, 0.2)), (1 - side, (-0.2, 0.3))):
        far = np.minimum(cv2.distanceTransform(part, cv2.DIST_L2, 3), height)  # endless where nothing is beyond
        gain += rng.uniform(low, high) * np.exp(-far / (rng.uniform(0.02, 0.4) * height)) * (part > 0)
    return np.asarray(rgb * cv2.GaussianBlur(gain, (0, 0), rng.uniform(0.3, 1.2))[..., None], np.float32)


def opened(rgb: Picture, rng: Generator) -> Picture:
    """The picture with a mouth of any size and shape, teeth or not, where the mouth may be."""
    height, width = rgb.shape[:2]
    centre = np.array([width, height]) * rng.uniform([0.35, 0.35], [0.65, 0.65])
    axes, angle = rng.uniform([0.1, 0.04], [0.22, 0.3]) * height, rng.uniform(-15, 15)
    skin = rgb[height // 2, width // 2]
    made = rgb
    lips = skin * rng.uniform([0.6, 0.3, 0.3], [1.1, 0.8, 0.8])
    for grown, colour in ((rng.uniform(0.02, 0.1) * height, lips), (0, rng.uniform(0, 60) * np.array([1, 0.5, 0.5]))):
        made = _filled(made, centre, axes + grown, angle, colour, rng)
    if rng.random() < 0.6:
        teeth = [axes[0] * rng.uniform(0.5, 0.9), axes[1] * rng.uniform(0.1, 0.4)]
        aside = centre + np.array([0, axes[1] * rng.choice([-1, 1]) * 0.6])
        made = _filled(made, aside, np.array(teeth), angle, rng.uniform(80, 230) * np.array([1, 0.95, 0.85]), rng)
    return made


def _filled(
    rgb: Picture, centre: NDArray[np.float64], axes: NDArray[np.float64], angle: float, colour: Picture, rng: Generator
) -> Picture:
    """The picture with an ellipse with soft edges."""
    canvas = np.zeros(rgb.shape[:2], np.uint8)
    cv2.ellipse(canvas, fixed(centre), fixed(axes), angle, 0, 360, 255, -1, cv2.LINE_AA, FINE)
    cover = cv2.GaussianBlur(canvas.astype(np.float32) / 255, (0, 0), rng.uniform(0.4, 1.2))[..., None]
    return np.asarray(rgb * (1 - cover) + colour * cover, np.float32)
