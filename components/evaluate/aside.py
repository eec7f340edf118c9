"""What the benchmark measures beside its pairs, each group in a slice of its own: other looks, and a user's footage.

None of it counts in the rows, which so stay comparable when footage is added.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.media import FPS, crops
from components.core.media.crops import Crop
from components.evaluate import benchmark
from components.evaluate.benchmark import Pair, Selection

OWN, DRAWN, SLOW = "footage=own", "stylised=yes", f"rate={FPS / 2:g}"
GROUPS = frozenset({OWN, DRAWN, SLOW})
PER_FRAME = ("frames", "measures", "pose", "mask", "landmarks", "occluder")


def load(crops_folder: Path, clips_folder: Path, selection: Selection, looks: int) -> list[Pair]:
    """The benchmark (`benchmark.load`), then `looks` of its pairs as drawings and at half the rate, then own footage.

    Without exact re-dubs own footage is the benchmark, and nothing is beside it.
    """
    pairs = benchmark.load(crops_folder, clips_folder, selection)
    if any(pair.truth is None for pair in pairs):
        return pairs
    chosen = [pairs[i] for i in np.linspace(0, len(pairs) - 1, min(looks, len(pairs))).round().astype(int)]
    paired = {crop.speaker for crop in crops.load(crops_folder, "benchmark", "truth")}
    own = [crop for crop in crops.load(crops_folder, "benchmark", "footage") if crop.speaker not in paired]
    return [
        *pairs,
        *(altered(pair, DRAWN, drawn) for pair in chosen),
        *(altered(pair, SLOW, slow, held_frames=2) for pair in chosen),
        *(replace(pair, slices=(OWN,)) for pair in benchmark.choose(benchmark.without_truth(own), selection)),
    ]


def altered(pair: Pair, name: str, change: Callable[[Crop], Crop], held_frames: int = 1) -> Pair:
    """The pair with source and truth changed alike, so that one still is the exact re-dub of the other."""
    assert pair.truth is not None
    whole, truth = change(pair.whole), change(pair.truth)
    return replace(
        pair,
        pair_id=f"{pair.pair_id}-{name.partition('=')[0]}",
        whole=whole,
        source=whole.part(0, len(pair.source.frames)),
        truth=truth,
        speech=truth,
        slices=(name,),
        held_frames=held_frames,
    )


def drawn(crop: Crop) -> Crop:
    """The crop as a drawing: flat colours between soft edges (Gastal & Oliveira 2011, OpenCV's `stylization`)."""
    return replace(crop, frames=np.stack([cv2.stylization(frame, sigma_s=30, sigma_r=0.3) for frame in crop.frames]))


def slow(crop: Crop) -> Crop:
    """The crop as a camera of half the frame rate gives it after ingest: every second picture stands for two frames."""
    held: dict[str, Any] = {name: hold(getattr(crop, name), 2) for name in PER_FRAME}
    return replace(crop, **held)


def hold(values: NDArray[Any], count: int) -> NDArray[Any]:
    """Every `count`-th of the frames, shown so often."""
    return np.asarray(values[np.arange(len(values)) // count * count])
