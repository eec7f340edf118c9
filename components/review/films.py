"""What the players of benchmark clips show: for each one film of tiles, and all that is known of it."""

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.media import FPS, players, shards, video
from components.review.run import Run

Frames = NDArray[np.uint8]
Curve = list[float | None]
CRF = 18
SHOWN = {
    "copy": "source (companion)", "truth": "truth", "generator": "generator", "editor": "editor",
    "editor-structure": "editor, structure only", "editor-lip": "editor, structure and lip",
    "shuffled": "editor, other speech",
}  # fmt: skip
"""Rows of the benchmark in the order of the tiles.

The source is what the editor is given as its companion, and an exact re-dub has no other: its clip with other lips.
"""
SHARED = ("copy", "truth")
ALONE = "only in B"
"""The slice of clips that A has no players of."""


@dataclass(frozen=True)
class Film:
    """One clip or pair to look at.

    Attributes:
        kind: "clip" or "pair", as decisions call it.
        id: the pair_id.
        data: MP4, tiles side by side.
        tiles: their names from left to right.
        frames: how many.
        slices: groups to filter by, such as "language=es".
        curves: lip opening per frame by name; None where it was not measured.
        values: by tile, its metrics.
        reason: why a pair is in quarantine; empty for others.
    """

    kind: str
    id: str
    data: bytes
    tiles: tuple[str, ...]
    frames: int
    slices: tuple[str, ...]
    curves: Mapping[str, Curve]
    values: Mapping[str, Mapping[str, float]]
    reason: str


@dataclass(frozen=True)
class Strip:
    """A film's parts before it is put together: tiles (f h w 3) by name, and the sound."""

    tiles: Mapping[str, Frames]
    sound: NDArray[np.float32] | None


def clips(run: Run) -> list[Film]:
    """The benchmark's players as evaluate left them; none where evaluate has not run or kept none."""
    values = _values(run)
    return [_clip(key, sample, values) for key, sample in run.samples("evaluate")]


def compared_clips(old: Run, new: Run) -> list[Film]:
    """The new run's clips, both runs' dubs in one film where the old one has any: source and truth, then by turns."""
    before = dict(old.samples("evaluate"))
    values = {"A": _values(old), "B": _values(new)}
    found = []
    for key, sample in new.samples("evaluate"):
        both = {"A": before[key]} if key in before else {}
        found.append(_compared(key, {**both, "B": sample}, values))
    return found


def _clip(key: str, sample: shards.Sample, values: Mapping[tuple[str, str], Mapping[str, float]]) -> Film:
    about = sample["json"]
    return Film(
        kind="clip",
        id=key,
        data=sample["mp4"],
        tiles=tuple(SHOWN.get(row, row) for row in about["rows"]),
        frames=about["frames"],
        slices=(*about["slices"], f"speaker={about['speaker']}"),
        curves={SHOWN.get(row, row): curve for row, curve in about["opening"].items()},
        values={SHOWN.get(row, row): values[key, row] for row in about["rows"] if (key, row) in values},
        reason="",
    )


def _compared(key: str, samples: Mapping[str, shards.Sample], values: Mapping[str, Any]) -> Film:
    taken = {side: players.tiles(sample) for side, sample in samples.items()}
    tiles: dict[str, Frames] = {}
    curves: dict[str, Curve] = {}
    metrics: dict[str, Mapping[str, float]] = {}
    for row in SHOWN:
        for side, sample in samples.items():
            about = sample["json"]
            name = SHOWN[row] if row in SHARED else f"{SHOWN[row]} ({side})"
            if row not in about["rows"] or name in tiles:
                continue
            tiles[name] = taken[side][row]
            curves[name] = about["opening"].get(row, [])
            if (key, row) in values[side]:
                metrics[name] = values[side][key, row]
    first, last = next(iter(samples.values())), samples["B"]["json"]
    alone = () if "A" in samples else (ALONE,)
    return Film(
        kind="clip",
        id=key,
        data=encode(Strip(_alike(tiles), players.speech(first))),
        tiles=tuple(tiles),
        frames=min(map(len, tiles.values())),
        slices=(*last["slices"], f"speaker={last['speaker']}", *alone),
        curves=curves,
        values=metrics,
        reason="",
    )


def _alike(tiles: Mapping[str, Frames]) -> dict[str, Frames]:
    """All tiles of the first one's size and of the shortest one's length."""
    height, width = next(iter(tiles.values())).shape[1:3]
    frames = min(map(len, tiles.values()))
    return {
        name: tile[:frames]
        if tile.shape[1:3] == (height, width)
        else np.stack([cv2.resize(image, (width, height)) for image in tile[:frames]])
        for name, tile in tiles.items()
    }


def encode(strip: Strip) -> bytes:
    """The MP4 of a strip."""
    buffer = io.BytesIO()
    video.write(buffer, np.concatenate(list(strip.tiles.values()), axis=2), FPS, crf=CRF, audio=strip.sound)
    return buffer.getvalue()


def _values(run: Run) -> dict[tuple[str, str], dict[str, float]]:
    """{(pair_id, row): its metrics that were measured} of artifacts/evaluate/clips.parquet."""
    return {
        (row["pair_id"], row["row"]): {k: v for k, v in row.items() if isinstance(v, float) and math.isfinite(v)}
        for row in run.table("evaluate/clips")
    }
