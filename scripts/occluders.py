"""Measures how often the occluder expert finds something before faces that have nothing before them.

`python -m scripts.occluders --clips CLIP ... --sheet SHEET.png` prints a line for each clip; the sheet shows, clip by
clip, the frames in which it finds most, and what it finds in green.
"""

import argparse
import logging
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.base import errors, files, runtime
from components.core.media import FPS, face, geometry, occlusion, video
from components.core.media.geometry import Window
from components.core.media.track import track

log = logging.getLogger(__name__)
COLUMNS, TILE_PX = 12, 160
Image = NDArray[np.uint8]


def windows(clip: Path, size_px: int, seconds: float) -> Image:
    """The lower faces (f h w 3) of the clip's first seconds, where there is a face."""
    pictures = list(
        islice(video.resample(video.frames(clip), FPS, 0.0, video.probe(clip).duration_s), int(FPS * seconds))
    )
    with face.FaceMesh() as mesh:
        found = track(pictures, mesh, size_px)
    crops = [geometry.warp(pictures[i], found.transforms[i], size_px) for i in np.flatnonzero(found.valid)]
    return np.asarray(Window.of(size_px).take(np.stack(crops)))


def line(name: str, hidden: NDArray[np.float32]) -> str:
    """What share of the pixels, of the frames and of the edit is taken for hidden."""
    size_px = hidden.shape[2] * geometry.UNITS // 8
    lost = (hidden * geometry.soft_mask(size_px)).sum() / (len(hidden) * geometry.soft_mask(size_px).sum())
    shares = (hidden > 0).mean(), (hidden > 0).any((1, 2)).mean(), lost
    return f"{name}: {len(hidden)} frames, " + "{:.2%} of pixels, {:.1%} of frames, {:.2%} of the edit".format(*shares)


def strip(seen: Image, hidden: NDArray[np.float32]) -> Image:
    """The frames in which most is found and, below them, the same with it in green; half of the columns any frames."""
    most = np.argsort(-hidden.sum((1, 2)), kind="stable")[: COLUMNS // 2]
    chosen = [*most, *np.linspace(0, len(seen) - 1, COLUMNS - len(most)).astype(int)]
    green = seen + hidden[..., None] * (np.array([0, 255, 0]) - seen) / 2
    rows = (np.concatenate([picture.astype(np.uint8) for picture in images[chosen]], 1) for images in (seen, green))
    return np.concatenate(list(rows))


def report(expert: "OccluderExpert", clips: Sequence[Path], size_px: int, seconds: float, sheet: Path | None) -> None:
    """Logs a line for each clip, and writes the sheet."""
    strips = []
    for clip in clips:
        seen = windows(clip, size_px, seconds)
        hidden = occlusion.occlusion(expert.probability(seen))
        log.info(line(clip.stem, hidden))
        strips.append(strip(seen, hidden))
    if sheet:
        enlarged = cv2.resize(np.concatenate(strips), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        with files.replacing(sheet) as temporary:
            temporary.write_bytes(cv2.imencode(".png", enlarged[..., ::-1])[1].tobytes())
