"""The films of training pairs: the real clip and its companion, with the speech that the companion's lips follow."""

import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import soundfile
from numpy.typing import NDArray

from components.core.base import runtime, seeds
from components.core.media import FPS, RATE_HZ, shards, video
from components.core.media.face import MEASURES
from components.review.films import Curve, Film, Strip, encode
from components.review.run import Row, Run

REAL, COMPANION, DRIVER = "real", "companion", "the speech's own lips"
Values = TypeVar("Values", bound=np.generic)


def pairs(run: Run, most: int, workers: int) -> list[Film]:
    """Training pairs, real clip and companion: every one in quarantine, then others up to `most` in all."""
    reasons = {row["pair_id"]: row["reason"] for row in run.table("validation/pairs/quarantined")}
    rows = sorted(run.table("pairs/pairs"), key=lambda row: (row["pair_id"] not in reasons, row["pair_id"]))
    rows = rows[: max(most, sum(row["pair_id"] in reasons for row in rows))]
    needed = {row[name] for row in rows for name in ("crop_id", "driving_crop_id")}
    real = {key: sample for key, sample in run.samples("crops") if key in needed}
    wanted = {row["pair_id"]: row for row in rows if {row["crop_id"], row["driving_crop_id"]} <= real.keys()}
    begins = starts(run)
    tasks = []
    for key, sample in run.samples("pairs"):
        if row := wanted.get(key):
            driver = row["driving_crop_id"]
            crops = (real[row["crop_id"]], real[driver])
            opening = sample["json"].get("opening", [])
            tasks.append(PairTask(row, sample["mp4"], opening, *crops, begins.get((key, driver)), reasons.get(key, "")))
    return runtime.map_processes(_pair, tasks, "review: pairs", workers)


def starts(run: Run) -> dict[tuple[str, str], int]:
    """The driver's frame at which a companion's speech begins, by (pair_id, driving_crop_id).

    Drawn again as the pairs stage drew it; empty where the seed or crops.parquet is missing.
    """
    seed = run.params().get("seed")
    crops = {row["crop_id"]: row for row in run.table("crops/crops") if _is_trained_on(row)}
    if seed is None:
        return {}
    found = {}
    for crop_id, count in Counter(row["crop_id"] for row in run.table("pairs/pairs")).items():
        if crop_id not in crops:
            continue
        speaker = crops[crop_id]["speaker"]
        others = [key for key in sorted(crops) if crops[key]["speaker"] == speaker and key != crop_id]
        rng = seeds.rng(seed, "pairs", crop_id)
        order = rng.permutation(len(others))
        for number in range(count):
            driver = others[order[number % len(others)]] if others else crop_id
            frames = crops[driver]["frames"]
            start = 0 if number < len(others) else int(rng.integers(frames // 3, 1 + 2 * frames // 3))
            found[f"{crop_id}--{number}", driver] = start
    return found


def _is_trained_on(row: Row) -> bool:
    return (row["split"], row["role"]) == ("train", "footage")


@dataclass(frozen=True)
class PairTask:
    """What a worker needs for one pair.

    Attributes:
        row: of pairs.parquet.
        companion: MP4.
        opening: of the companion's lips, as the pairs stage measured it; empty in runs before it did.
        real, driver: samples of the crop stage.
        start: the driver's frame at which the speech begins (it wraps round at the driver's end); None: unknown.
        reason: why the pair is in quarantine.
    """

    row: Mapping[str, Any]
    companion: bytes
    opening: Curve
    real: shards.Sample
    driver: shards.Sample
    start: int | None
    reason: str


def _pair(task: PairTask) -> Film:
    companion = video.decode_bytes(task.companion)
    count = len(companion)
    curves = {REAL: _curve(_opening(task.real)[:count])}
    if task.opening:
        curves[COMPANION] = task.opening
    sound = None
    if task.start is not None:
        curves[DRIVER] = _curve(_wrapped(_opening(task.driver), task.start, count))
        spoken, _ = soundfile.read(io.BytesIO(task.driver["wav"]), dtype="float32")
        per_frame = RATE_HZ // FPS
        sound = _wrapped(spoken, task.start * per_frame, count * per_frame)
    numbers = {
        k: v for k, v in task.row.items() if isinstance(v, float) and math.isfinite(v) and not k.startswith("relight")
    }
    state = f"quarantine={task.reason}" if task.reason else "accepted"
    tiles = {REAL: video.decode_bytes(task.real["mp4"])[:count], COMPANION: companion}
    return Film(
        kind="pair",
        id=task.row["pair_id"],
        data=encode(Strip(tiles, sound)),
        tiles=(REAL, COMPANION),
        frames=count,
        slices=(f"speaker={task.row['speaker']}", state),
        curves=curves,
        values={COMPANION: numbers},
        reason=task.reason,
    )


def _wrapped(values: NDArray[Values], start: int, count: int) -> NDArray[Values]:
    """`count` values from `start` on, which go on with the first after the last."""
    return np.resize(np.roll(values, -start), count)


def _opening(crop: shards.Sample) -> NDArray[np.float32]:
    """The lip opening (f,) of a crop, of whatever version of the crop stage."""
    with np.load(io.BytesIO(crop["npz"])) as arrays:
        return np.asarray(arrays["measures"][:, MEASURES.index("opening")])


def _curve(values: Sequence[float] | NDArray[np.float32]) -> Curve:
    return [round(float(value), 4) if np.isfinite(value) else None for value in values]
