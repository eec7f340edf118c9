"""What the players show: for each benchmark clip and training pair one film of tiles, and all that is known of it."""

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import soundfile
from numpy.typing import NDArray

from components.core.base import runtime
from components.core.media import FPS, RATE_HZ, players, shards, video
from components.core.media.face import MEASURES
from components.review.run import Run

Frames = NDArray[np.uint8]
Curve = list[float | None]
CRF = 18
SHOWN = {
    "copy": "source", "truth": "truth", "generator": "companion (generator)", "editor": "editor",
    "editor-structure": "editor, structure only", "editor-lip": "editor, structure and lip",
    "shuffled": "editor, other speech",
}  # fmt: skip
"""Rows of the benchmark in the order of the tiles; generator is what makes companions."""
SHARED = ("copy", "truth")
REAL, COMPANION, DRIVER = "real", "companion", "the speech's own lips"


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
    return [_clip(key, sample, values) for key, sample in _samples(run, "evaluate", "players")]


def compared_clips(old: Run, new: Run) -> list[Film]:
    """The clips that both runs dubbed, both runs' dubs in one film: source and truth once, then theirs by turns."""
    before = dict(_samples(old, "evaluate", "players"))
    values = {"A": _values(old), "B": _values(new)}
    both = [
        (key, {"A": before[key], "B": sample}) for key, sample in _samples(new, "evaluate", "players") if key in before
    ]
    return [_compared(key, samples, values) for key, samples in both]


def pairs(run: Run, most: int, workers: int) -> list[Film]:
    """Training pairs, real clip and companion: every one in quarantine, then others up to `most` in all."""
    reasons = {row["pair_id"]: row["reason"] for row in run.table("validation/pairs/quarantined")}
    rows = sorted(run.table("pairs/pairs"), key=lambda row: (row["pair_id"] not in reasons, row["pair_id"]))[:most]
    real = _real(run, {row[name] for row in rows for name in ("crop_id", "driving_crop_id")})
    others = _others(run)
    wanted = {row["pair_id"]: row for row in rows if {row["crop_id"], row["driving_crop_id"]} <= real.keys()}
    tasks = []
    for key, sample in _samples(run, "pairs", "pairs"):
        if row := wanted.get(key):
            first_use = (
                int(key.rpartition("--")[2]) < others[row["speaker"]]
            )  # later ones start somewhere in the driver
            tasks.append(
                PairTask(
                    row,
                    sample["mp4"],
                    sample["json"].get("opening", []),
                    real[row["crop_id"]],
                    real[row["driving_crop_id"]],
                    first_use,
                    reasons.get(key, ""),
                )
            )
    return runtime.map_processes(_pair, tasks, "review: pairs", workers)


@dataclass(frozen=True)
class PairTask:
    """What a worker needs for one pair.

    Attributes:
        row: of pairs.parquet.
        companion: MP4.
        opening: of the companion's lips, as the pairs stage measured it; empty in runs before it did.
        real, driver: samples of the crop stage.
        from_start: whether the driving speech begins where the driving clip does.
        reason: why the pair is in quarantine.
    """

    row: Mapping[str, Any]
    companion: bytes
    opening: Curve
    real: shards.Sample
    driver: shards.Sample
    from_start: bool
    reason: str


def _pair(task: PairTask) -> Film:
    companion = video.decode_bytes(task.companion)
    curves = {REAL: _curve(_opening(task.real)[: len(companion)])}
    if task.opening:
        curves[COMPANION] = task.opening
    sound = None
    if task.from_start:
        curves[DRIVER] = _curve(np.resize(_opening(task.driver), len(companion)))
        spoken, _ = soundfile.read(io.BytesIO(task.driver["wav"]), dtype="float32")
        sound = np.resize(spoken, len(companion) * RATE_HZ // FPS)
    numbers = {
        k: v for k, v in task.row.items() if isinstance(v, float) and math.isfinite(v) and not k.startswith("relight")
    }
    state = f"quarantine={task.reason}" if task.reason else "accepted"
    return Film(
        kind="pair",
        id=task.row["pair_id"],
        data=_encode(
            Strip({REAL: video.decode_bytes(task.real["mp4"])[: len(companion)], COMPANION: companion}, sound)
        ),
        tiles=(REAL, COMPANION),
        frames=len(companion),
        slices=(f"speaker={task.row['speaker']}", state),
        curves=curves,
        values={COMPANION: numbers},
        reason=task.reason,
    )


def _opening(crop: shards.Sample) -> NDArray[np.float32]:
    """The lip opening (f,) of a crop, of whatever version of the crop stage."""
    with np.load(io.BytesIO(crop["npz"])) as arrays:
        return np.asarray(arrays["measures"][:, MEASURES.index("opening")])


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
    first, last = samples["A"], samples["B"]["json"]
    return Film(
        kind="clip",
        id=key,
        data=_encode(Strip(_alike(tiles), players.speech(first))),
        tiles=tuple(tiles),
        frames=min(map(len, tiles.values())),
        slices=(*last["slices"], f"speaker={last['speaker']}"),
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


def _encode(strip: Strip) -> bytes:
    buffer = io.BytesIO()
    video.write(buffer, np.concatenate(list(strip.tiles.values()), axis=2), FPS, crf=CRF, audio=strip.sound)
    return buffer.getvalue()


def _values(run: Run) -> dict[tuple[str, str], dict[str, float]]:
    """{(pair_id, row): its metrics that were measured} of artifacts/evaluate/clips.parquet."""
    return {
        (row["pair_id"], row["row"]): {k: v for k, v in row.items() if isinstance(v, float) and math.isfinite(v)}
        for row in run.table("evaluate/clips")
    }


def _samples(run: Run, stage: str, prefix: str) -> Iterator[tuple[str, shards.Sample]]:
    folder = run.folder / "artifacts" / stage
    return shards.iterate(folder) if any(folder.glob(f"{prefix}-*.tar")) else iter(())


def _real(run: Run, wanted: set[str]) -> dict[str, shards.Sample]:
    return {key: sample for key, sample in _samples(run, "crops", "crops") if key in wanted}


def _others(run: Run) -> dict[str, int]:
    """By speaker, how many other training clips each of the clips has for drivers."""
    counts: dict[str, int] = {}
    for row in run.table("crops/crops"):
        if (row["split"], row["role"]) == ("train", "footage"):
            counts[row["speaker"]] = counts.get(row["speaker"], -1) + 1
    return counts


def _curve(values: Sequence[float] | NDArray[np.float32]) -> Curve:
    return [round(float(value), 4) if np.isfinite(value) else None for value in values]
