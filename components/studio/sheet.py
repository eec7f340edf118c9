"""A contact sheet of the cast: what the studio's faces look like, at a glance."""

from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from components.core.base import files, runtime
from components.core.media import FPS
from components.core.media.video import Image
from components.studio.camera import Camera
from components.studio.identity import cast
from components.studio.params import Params
from components.studio.performance import perform
from components.studio.visemes import visemes

COLUMNS, ROWS, TILE_PX = 8, 4, 192
# Lips caught in these sounds, in turn; the last is a mouth at rest.
SOUNDS = ("a", "i", "o", "s", "f", "e", "u", "l", "æ", "m", "ʃ", "")


def sheet(path: Path, params: Params, seed: int) -> None:
    """Writes a PNG of 8 x 4 people, each in the middle of a sound."""
    tiles = []
    with runtime.progress("studio: contact sheet", COLUMNS * ROWS) as advance:
        for number in range(COLUMNS * ROWS):
            tiles.append(_portrait(number, params, seed))
            advance(1)
    rows = [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    with files.replacing(path) as temporary:
        cv2.imwrite(str(temporary), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


def _portrait(number: int, params: Params, seed: int) -> Image:
    """One frame of the speaker with this number."""
    speaker = cast(number, seed, params.languages)
    performance = perform(seed, f"sheet/{number}", number, 60, FPS)
    viseme = visemes(SOUNDS[number % len(SOUNDS)])[0]
    posture = [viseme.jaw, viseme.spread, viseme.round, viseme.press, viseme.bite, viseme.tongue, viseme.clench]
    film = Camera(speaker, params.size_px).film(performance, np.tile(posture, (60, 1)))
    frame = next(islice(film, 29, None)).frame
    return np.asarray(cv2.resize(frame, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA))
