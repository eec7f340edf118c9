"""What stands behind the speaker, out of focus: rooms, shelves, windows, lamps, leaves. One still per clip."""

from typing import Literal

import cv2
import numpy as np

from components.studio import Floats

Place = Literal["wall", "shelves", "window", "evening", "garden", "studio"]
PLACES: tuple[Place, ...] = ("wall", "shelves", "window", "evening", "garden", "studio")


def backdrop(place: Place, size_px: int, rng: np.random.Generator) -> Floats:
    """Linear RGB (h, w, 3) float32."""
    paint = {
        "wall": _wall,
        "shelves": _shelves,
        "window": _window,
        "evening": _evening,
        "garden": _garden,
        "studio": _studio,
    }[place]
    work = 256
    picture = paint(work, rng)
    picture = cv2.resize(picture.astype(np.float32), (size_px, size_px), interpolation=cv2.INTER_AREA)
    grain = cv2.GaussianBlur(rng.standard_normal((size_px, size_px)).astype(np.float32), (0, 0), 1.2)
    return np.asarray(np.clip(picture * (1 + 0.015 * grain[..., None]), 0, 1).astype(np.float32))


def _colour(rng: np.random.Generator, value: tuple[float, float], chroma: float) -> Floats:
    """A random linear colour of this brightness and at most this colourfulness."""
    tint = rng.uniform(-1, 1, 3)
    return np.asarray(np.clip(rng.uniform(*value) * (1 + chroma * (tint - tint.mean())), 0.01, 1) ** 2)


def _gradient(size: int, rng: np.random.Generator, colour: Floats, depth: float) -> Floats:
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    fall = 1 + depth * (x * np.cos(angle) + y * np.sin(angle)) - 0.5 * depth * (x * x + y * y)
    return np.asarray(colour * np.clip(fall, 0.05, 2)[..., None])


def _wall(size: int, rng: np.random.Generator) -> Floats:
    picture = _gradient(size, rng, _colour(rng, (0.45, 0.85), 0.12), 0.7)
    if rng.random() < 0.7:  # a picture frame
        left, top = rng.integers(-40, 190), rng.integers(-30, 60)
        wide, tall = rng.integers(50, 110), rng.integers(60, 120)
        outer, inner = _colour(rng, (0.15, 0.5), 0.2), _colour(rng, (0.4, 0.8), 0.2)
        cv2.rectangle(picture, (int(left), int(top)), (int(left + wide), int(top + tall)), outer.tolist(), -1)
        cv2.rectangle(
            picture, (int(left + 7), int(top + 7)), (int(left + wide - 7), int(top + tall - 7)), inner.tolist(), -1
        )
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(3, 7))))


def _shelves(size: int, rng: np.random.Generator) -> Floats:
    picture = _gradient(size, rng, _colour(rng, (0.22, 0.5), 0.25), 0.6)
    wood = _colour(rng, (0.3, 0.55), 0.25) * np.array((1.15, 0.95, 0.7))
    pitch = int(rng.integers(58, 84))
    for shelf in range(int(rng.integers(10, 50)), size + pitch, pitch):
        x = int(rng.integers(-10, 10))
        while x < size:
            wide, tall = int(rng.integers(6, 17)), int(rng.integers(26, pitch - 12))
            if rng.random() < 0.82:
                book = _colour(rng, (0.2, 0.7), 0.3)
                cv2.rectangle(picture, (x, shelf - tall), (x + wide - 1, shelf), book.tolist(), -1)
            x += wide
        cv2.rectangle(picture, (0, shelf), (size, shelf + 6), wood.tolist(), -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(3.5, 6))))


def _window(size: int, rng: np.random.Generator) -> Floats:
    picture = _gradient(size, rng, _colour(rng, (0.4, 0.65), 0.15), 0.6)
    left = int(rng.integers(-60, 150))
    sky = np.array((0.72, 0.84, 0.97)) * rng.uniform(0.75, 1.0)
    for edge in (left, left + 74):
        for row in range(3):
            y = -20 + row * 82
            cv2.rectangle(picture, (edge, y), (edge + 66, y + 74), (sky * (1 - 0.16 * row)).tolist(), -1)
    curtain = _colour(rng, (0.4, 0.8), 0.3)
    x = np.arange(size)
    folds = 0.75 + 0.25 * np.sin(x / 6.0 + 2 * np.sin(x / 25.0))
    for start in (left - 46, left + 142):
        span = slice(max(start, 0), max(min(start + 46, size), 0))
        picture[:, span] = curtain * folds[span, None]
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(4, 7))))


def _discs(picture: Floats, rng: np.random.Generator, count: int, colours: list[Floats]) -> Floats:
    """Lamps out of focus: discs that add up, with a slightly brighter rim."""
    for _ in range(count):
        layer = np.zeros_like(picture)
        centre = tuple(int(v) for v in rng.integers(0, picture.shape[0], 2))
        radius = int(rng.integers(5, 17))
        colour = colours[int(rng.integers(len(colours)))] * rng.uniform(0.12, 0.55)
        cv2.circle(layer, centre, radius, (colour * 0.8).tolist(), -1, cv2.LINE_AA)
        cv2.circle(layer, centre, radius, colour.tolist(), 1, cv2.LINE_AA)
        picture = picture + cv2.GaussianBlur(layer, (0, 0), 1.5)
    return picture


def _evening(size: int, rng: np.random.Generator) -> Floats:
    picture = _gradient(size, rng, _colour(rng, (0.16, 0.30), 0.3), 0.9)
    lamps = [np.array(c) for c in ((1.0, 0.62, 0.25), (1.0, 0.8, 0.5), (0.35, 0.55, 1.0), (1.0, 0.3, 0.25))]
    picture = cv2.GaussianBlur(picture, (0, 0), 8)
    return np.asarray(cv2.GaussianBlur(_discs(picture, rng, int(rng.integers(16, 34)), lamps), (0, 0), 1.2))


def _garden(size: int, rng: np.random.Generator) -> Floats:
    y = np.linspace(0, 1, size)[:, None, None]
    green = np.array((0.16, 0.26, 0.09)) * rng.uniform(0.7, 1.2)
    picture = np.broadcast_to((1 - y) * np.array((0.50, 0.62, 0.60)) + y * green, (size, size, 3)).copy()
    for scale, weight in ((24, 0.65), (10, 0.5), (5, 0.35)):
        cells = rng.standard_normal((size // scale + 2, size // scale + 2)).astype(np.float32)
        leaves = cv2.resize(cells, (size, size), interpolation=cv2.INTER_CUBIC)[..., None]
        picture = picture * np.exp(0.6 * weight * leaves * np.array((0.9, 0.75, 1.1)))
    leaves = [np.array(c) for c in ((0.55, 0.70, 0.25), (0.8, 0.85, 0.5), (0.3, 0.5, 0.15))]
    return np.asarray(cv2.GaussianBlur(_discs(cv2.GaussianBlur(picture, (0, 0), 5), rng, 14, leaves), (0, 0), 2.5))


def _studio(size: int, rng: np.random.Generator) -> Floats:
    y, x = np.mgrid[0:size, 0:size] / size
    centre = rng.uniform(0.25, 0.75), rng.uniform(0.3, 0.6)
    glow = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / rng.uniform(0.08, 0.3))
    return np.asarray(_colour(rng, (0.25, 0.65), 0.18) * (0.35 + 0.85 * glow)[..., None])
