"""People of the studio, filmed in memory: faces for tests where no real clip is at hand."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from components.core.media import FPS
from components.studio.camera import Camera
from components.studio.identity import cast
from components.studio.performance import Occluder, perform
from components.studio.visemes import CHANNELS

LANGUAGES = ("en-us",)
SIZE_PX = 192


@dataclass(frozen=True)
class Film:
    """Pictures (h w 3) at 25 fps, how far the lips of each are apart (0 to 1), and what is before the face (h w)."""

    pictures: list[NDArray[np.uint8]]
    opening: NDArray[np.float64]
    occluder: list[NDArray[np.bool_]]


@cache
def film(
    number: int = 0, frames: int = 40, words: int = 0, occluder: Occluder = "none", size_px: int = SIZE_PX
) -> Film:
    """A person who opens and shuts the mouth as `words` says, in the one performance of theirs.

    Lips move at random some four times a second; where two films differ in `words` alone they differ in the lips alone.
    """
    steps = np.random.default_rng(words).uniform(-0.3, 1, 2 + frames * 8 // FPS)
    opening = np.interp(np.arange(frames) * 8 / FPS, np.arange(len(steps)), steps).clip(0)
    postures = np.zeros((frames, len(CHANNELS)))
    postures[:, CHANNELS.index("jaw")] = opening
    performance = perform(0, f"test{number}", 0, frames, FPS)
    shots = list(_camera(number, size_px).film(replace(performance, occluder=occluder), postures))
    return Film([shot.frame for shot in shots], opening, [shot.occluder for shot in shots])


@cache
def _camera(number: int, size_px: int) -> Camera:
    return Camera(cast(number, 0, LANGUAGES), size_px)
