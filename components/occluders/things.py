"""Things that never were before a face: bars, discs, microphones and blots from beyond the border of a window."""

from dataclasses import dataclass
from math import cos, pi, sin

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Generator = np.random.Generator

FINE = 4
"""Bits after the point of the coordinates that OpenCV draws at."""


@dataclass(frozen=True)
class Thing:
    """What it looks like (h w 3), in grey levels, and how far it covers each pixel (h w), 0 to 1."""

    look: Picture
    cover: NDArray[np.float32]


def draw(shape: tuple[int, ...], other: Picture, rng: Generator) -> Thing:
    """A random thing for a window of `shape`, filled with a colour, with noise or with a part of another picture."""
    kind = (_bar, _disc, _microphone, _blot, _fingers)[rng.integers(5)]
    canvas = np.zeros(shape, np.uint8)
    kind(canvas, rng)
    cover = cv2.GaussianBlur(canvas.astype(np.float32) / 255, (0, 0), rng.uniform(0.3, 1.0))
    return Thing(look(shape, other, rng), cover)


def look(shape: tuple[int, ...], other: Picture, rng: Generator) -> Picture:
    """A surface (h w 3): a part of another picture, or any or a dark colour with shade and grain."""
    filled = rng.random()
    if filled < 0.3:
        return other
    colour = rng.uniform(0, 255, 3) if filled < 0.7 else rng.uniform(0, 60) + rng.uniform(-10, 10, 3)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    angle, height = rng.uniform(0, 2 * pi), rng.uniform(0, 1.2)
    shade = height * (rows * sin(angle) + columns * cos(angle)) * 100 / max(shape)
    coarse = rng.normal(0, rng.uniform(0, 40), (shape[0] // 3, shape[1] // 3, 1)).astype(np.float32)
    grain = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC) + rng.normal(0, rng.uniform(0, 15), shape)
    return np.asarray(colour + (shade + grain)[..., None], np.float32).clip(0, 255)


def _entry(canvas: NDArray[np.uint8], rng: Generator) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """A point on the border, a point within, from just inside on, and the canvas' height, which sizes are shares of."""
    height, width = canvas.shape
    along, side = rng.random(), rng.integers(4)  # twice as often from below, never from above
    edges = ((-2, along * height), (width + 1, along * height))
    start = edges[side] if side < 2 else (along * width, height + 1)
    begin, within = np.array(start, float), rng.uniform(0.15, 0.85, 2) * [width, height]
    return begin, begin + (within - begin) * rng.uniform(0.2, 1), float(height)


def fixed(point: NDArray[np.float64]) -> tuple[int, int]:
    """The pair as OpenCV takes it with FINE bits after the point."""
    x, y = np.rint(point * 2**FINE).astype(int)
    return int(x), int(y)


def _line(canvas: NDArray[np.uint8], start: NDArray[np.float64], stop: NDArray[np.float64], thick: float) -> None:
    cv2.line(canvas, fixed(start), fixed(stop), 255, max(1, round(thick)), cv2.LINE_AA, FINE)


def _bar(canvas: NDArray[np.uint8], rng: Generator) -> None:
    """A stick, an arm: from the border inwards, or right across."""
    start, goal, size = _entry(canvas, rng)
    stop = start + (goal - start) * rng.choice([1.0, 4.0])
    _line(canvas, start, stop, size * rng.uniform(0.04, 0.4))


def _disc(canvas: NDArray[np.uint8], rng: Generator) -> None:
    """A cup, a fist: an ellipse over the border."""
    start, goal, size = _entry(canvas, rng)
    axes = size * rng.uniform(0.1, 0.5, 2)
    centre = start + (goal - start) / np.linalg.norm(goal - start) * rng.uniform(-0.3, 0.8) * axes.min()
    cv2.ellipse(canvas, fixed(centre), fixed(axes), rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA, FINE)


def _microphone(canvas: NDArray[np.uint8], rng: Generator) -> None:
    """A handle and a head at its end, also a thin one like a headset's."""
    start, goal, size = _entry(canvas, rng)
    handle = size * rng.uniform(0.02, 0.2)
    _line(canvas, start, goal, handle)
    axes = np.maximum(handle, size * rng.uniform(0.05, 0.25)) * rng.uniform(0.7, 1.3, 2)
    cv2.ellipse(canvas, fixed(goal), fixed(axes), rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA, FINE)


def _blot(canvas: NDArray[np.uint8], rng: Generator) -> None:
    """A cloth, a sheet: a polygon with a corner beyond the border, or more."""
    start, goal, size = _entry(canvas, rng)
    angles = np.sort(rng.uniform(0, 2 * pi, rng.integers(3, 8)))
    reach = size * rng.uniform(0.2, 0.7) * rng.uniform(0.5, 1.0, len(angles))
    centre = start + rng.uniform(-0.1, 0.4) * (goal - start)
    points = centre + reach[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    points[np.linalg.norm(points - start, axis=1).argmin()] = start - (goal - start)
    cv2.fillPoly(canvas, [np.rint(points * 2**FINE).astype(np.int32)], 255, cv2.LINE_AA, FINE)


def _fingers(canvas: NDArray[np.uint8], rng: Generator) -> None:
    """Two to four bars side by side, whose ends differ."""
    start, goal, size = _entry(canvas, rng)
    thick = size * rng.uniform(0.08, 0.18)
    across = (goal - start)[::-1] * [1, -1] / np.linalg.norm(goal - start)
    for number in range(rng.integers(2, 5)):
        aside = across * number * thick * 1.1
        _line(canvas, start + aside, goal + aside + rng.normal(0, 0.4, 2) * thick, thick)
