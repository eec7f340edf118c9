"""Pictures and clips of the benchmark for people to look at."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.base.files import replacing
from components.core.media import FPS, video
from components.core.media.geometry import Window
from components.evaluate.core import Sample
from components.evaluate.metrics import Frames

Image = NDArray[np.uint8]

SHOWN = ("copy", "truth", "generator", "editor")
LABELS = {"copy": "source"}
TILE_PX = 192
LABEL_PX = 96
DIFFERENCE_GAIN = 4
COLUMNS = 6


def write(sample: Sample, folder: Path) -> None:
    """`<pair>.png`, the contact sheet, and `<pair>.mp4`, the rows side by side with the driving speech."""
    frames = {row: sample.frames[row] for row in SHOWN if row in sample.frames}
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / f"{sample.pair.pair_id}.png") as path:
        cv2.imwrite(str(path), cv2.cvtColor(contact_sheet(frames), cv2.COLOR_RGB2BGR))
    with replacing(folder / f"{sample.pair.pair_id}.mp4") as path:
        video.write(path, side_by_side(frames), FPS, crf=18, audio=sample.pair.speech.samples)


def contact_sheet(frames: Mapping[str, Frames]) -> Image:
    """Rows of COLUMNS moments: each whole crop, each lower face, and each lower face's difference from truth.

    A difference is |row - truth|, four times brighter than it is; without a truth there are none.
    """
    count = len(next(iter(frames.values())))
    moments = np.linspace(0, count - 1, COLUMNS + 2).round().astype(int)[1:-1]
    window = Window.of(next(iter(frames.values())).shape[1])
    strips = [_strip(LABELS.get(row, row), clip[moments]) for row, clip in frames.items()]
    mouths = {row: window.take(clip[moments]) for row, clip in frames.items()}
    strips += [_strip(f"{LABELS.get(row, row)}: mouth", mouth) for row, mouth in mouths.items()]
    if "truth" in mouths:
        others = {row: mouth for row, mouth in mouths.items() if row != "truth"}
        strips += [
            _strip(f"|{LABELS.get(row, row)}-truth| x4", _difference(m, mouths["truth"])) for row, m in others.items()
        ]
    return np.concatenate(strips)


def side_by_side(frames: Mapping[str, Frames]) -> list[Image]:
    """One wide frame per moment, every row a labelled tile."""
    rows = [[_labelled(_tile(image), LABELS.get(row, row)) for image in clip] for row, clip in frames.items()]
    return [np.concatenate(tiles, axis=1) for tiles in zip(*rows, strict=True)]


def _strip(label: str, images: Sequence[Image] | Frames) -> Image:
    tiles = [_tile(image) for image in images]
    margin = np.full((tiles[0].shape[0], LABEL_PX * 2, 3), 24, np.uint8)
    return np.concatenate([_labelled(margin, label), *tiles], axis=1)


def _tile(image: Image) -> Image:
    height = round(TILE_PX * image.shape[0] / image.shape[1])
    return np.asarray(cv2.resize(image, (TILE_PX, height // 2 * 2), interpolation=cv2.INTER_CUBIC), np.uint8)


def _labelled(image: Image, label: str) -> Image:
    labelled = np.ascontiguousarray(image)
    for colour, width in ((0, 3), (255, 1)):
        cv2.putText(labelled, label, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (colour,) * 3, width, cv2.LINE_AA)
    return labelled


def _difference(images: Frames, truth: Frames) -> Frames:
    difference = np.abs(images.astype(np.int16) - truth.astype(np.int16))
    return np.asarray(np.clip(DIFFERENCE_GAIN * difference, 0, 255), np.uint8)
