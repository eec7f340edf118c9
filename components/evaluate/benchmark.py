"""The benchmark's clips: what is dubbed, the speech it is dubbed with, and the exact re-dub it should have become."""

import hashlib
import logging
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from components.core.base.errors import UserError
from components.core.media import MEL_PER_FRAME, crops
from components.core.media.crops import Crop
from components.core.media.mel import SILENCE
from components.evaluate import metrics
from components.evaluate.metrics import Floats, Frames
from components.evaluate.params import Params

Mel = Floats
"""Log-mel (4f, 80)."""
KEYS = ("pair_id", "split", "source_clip_id", "truth_clip_id")


@dataclass(frozen=True)
class Pair:
    """One clip to dub.

    Attributes:
        pair_id: names it in every output.
        whole: all of the footage, where references are taken from.
        source: its first frames, which are dubbed.
        truth: the same performance with the driving speech, frame by frame; None where nobody has one.
        speech: the crop whose `mel` and `samples` drive the dub: the truth, or else other footage.
        other_mel: speech that does not belong to this pair, (4f, 80), for the lower bound; None if there is none.
        slices: the slices it counts in, such as "language=es".
        held_frames: for how many frames each picture is shown; 1 but for footage of a low rate, whose dub has its rate.
    """

    pair_id: str
    whole: Crop
    source: Crop
    truth: Crop | None
    speech: Crop
    other_mel: Mel | None
    slices: tuple[str, ...]
    held_frames: int = 1


@dataclass(frozen=True)
class Selection:
    """How much of the benchmark to take, below which level a frame is silent, and where slices part."""

    max_pairs: int
    max_frames: int
    silence_dbfs: float
    silence_edges_pct: tuple[float, ...]
    yaw_edges_deg: tuple[float, ...]

    @classmethod
    def of(cls, params: Params, max_pairs: int | None = None) -> "Selection":
        """What the params say, of no more than `max_pairs`."""
        count = params.max_pairs if max_pairs is None else max_pairs
        return cls(count, params.max_frames, params.silence_dbfs, params.silence_edges_pct, params.yaw_edges_deg)


def load(crops_folder: Path, clips_folder: Path, selection: Selection) -> list[Pair]:
    """The benchmark's pairs in order of their names; spread evenly over it where there are more than wanted.

    Without exact re-dubs (a user's own footage) each clip is driven by the next one's speech, and `truth` is None.

    Raises:
        UserError: the benchmark has no crop at all, or a truth crop without its source or its row.
    """
    sources = crops.load(crops_folder, split="benchmark", role="footage")
    truths = crops.load(crops_folder, split="benchmark", role="truth")
    if not sources:
        raise UserError(
            f"{crops_folder} holds no benchmark crop",
            expected="at least one held-out speaker",
            fix="Add footage of another speaker, or raise ingest.benchmark_share.",
        )
    if truths:
        pairs = _with_truth(sources, truths, pd.read_parquet(clips_folder / "redubs.parquet"), selection)
    else:
        logging.getLogger(__name__).warning("no exact re-dub in %s: metrics against truth are left out", crops_folder)
        pairs = without_truth(sources)
    return choose(pairs, selection)


def choose(pairs: list[Pair], selection: Selection) -> list[Pair]:
    """Those to be measured, cut, each with the speech of another one."""
    pairs = sorted(pairs, key=lambda pair: pair.pair_id)
    chosen = np.linspace(0, len(pairs) - 1, min(selection.max_pairs, len(pairs))).round().astype(int)
    cut = [_cut(pairs[index], selection.max_frames) for index in chosen]
    return _shuffled([replace(pair, slices=(*pair.slices, _silence(pair, selection))) for pair in cut])


def _silence(pair: Pair, selection: Selection) -> str:
    """The slice of a pair by the share of its frames in the middle of a pause, in percent."""
    silent = metrics.silent_frames(pair.speech.samples, len(pair.source.frames), selection.silence_dbfs)
    return f"silence={_bin(100 * float(silent.mean()), selection.silence_edges_pct)}"


def manifest(pairs: Sequence[Pair]) -> pd.DataFrame:
    """What the benchmark was: one line a pair, with SHA-256 of the decoded pixels and samples that were used."""
    lines = [
        {
            "pair_id": pair.pair_id,
            "speaker": pair.source.speaker,
            "frames": len(pair.source.frames),
            "slices": "|".join(pair.slices),
            "source_sha256": _sha256(pair.whole.frames),
            "truth_sha256": "" if pair.truth is None else _sha256(pair.truth.frames),
            "speech_sha256": _sha256(pair.speech.samples),
        }
        for pair in pairs
    ]
    return pd.DataFrame(lines)


def _sha256(values: Frames | Floats) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


def slice_names(row: dict[str, Any], yaw_edges_deg: tuple[float, ...]) -> tuple[str, ...]:
    """The slices of one row of redubs.parquet: `column=value`, yes/no for flags, and yaw by its size."""
    names = []
    for column, value in row.items():
        if column in KEYS or value is None or value != value:
            continue
        if column == "yaw_deg":
            names.append(f"yaw={_bin(abs(value), yaw_edges_deg)}")
        elif isinstance(value, bool | np.bool_):
            names.append(f"{column}={'yes' if value else 'no'}")
        else:
            names.append(f"{column}={value}")
    return tuple(names)


def _bin(value: float, edges: tuple[float, ...]) -> str:
    bounds = [0.0, *edges]
    index = bisect_right(edges, value)
    return f"{bounds[index]:g}+" if index == len(edges) else f"{bounds[index]:g}-{edges[index]:g}"


def _with_truth(sources: list[Crop], truths: list[Crop], table: pd.DataFrame, selection: Selection) -> list[Pair]:
    by_id = {crop.crop_id: crop for crop in sources}
    rows = {row["pair_id"]: row for row in table.to_dict("records")}
    pairs = []
    for truth in truths:
        source_id, _, pair_id = truth.crop_id.rpartition("--")
        if source_id not in by_id or pair_id not in rows:
            raise UserError(
                f"the truth crop {truth.crop_id} has no {'source' if source_id not in by_id else 'row'}",
                expected=f"a crop {source_id} and a row {pair_id} in redubs.parquet",
                fix="Run `dvc repro crop`.",
            )
        slices = slice_names(rows[pair_id], selection.yaw_edges_deg)
        pairs.append(Pair(truth.crop_id, by_id[source_id], by_id[source_id], truth, truth, None, slices))
    return pairs


def without_truth(sources: list[Crop]) -> list[Pair]:
    """The clips, each driven by the next one's speech."""
    return [
        Pair(crop.crop_id, crop, crop, None, sources[(index + 1) % len(sources)], None, (f"language={crop.language}",))
        for index, crop in enumerate(sources)
    ]


def _cut(pair: Pair, max_frames: int) -> Pair:
    """The pair's first frames, as many as all its parts have; speech of other footage is padded with silence."""
    frames = min(len(crop.frames) for crop in (pair.source, pair.truth) if crop is not None)
    frames = min(frames, max_frames)
    source, speech = pair.source.part(0, frames), pair.speech.part(0, frames)
    speech = replace(speech, mel=fit_mel(speech.mel, frames))
    return replace(pair, source=source, truth=speech if pair.truth is pair.speech else None, speech=speech)


def _shuffled(pairs: list[Pair]) -> list[Pair]:
    """Each pair with the speech of the one half the benchmark away, whose speaker and language are likely others."""
    half = max(1, len(pairs) // 2)
    others = [pairs[(index + half) % len(pairs)] for index in range(len(pairs))]
    return [
        pair if other is pair else replace(pair, other_mel=fit_mel(other.speech.mel, len(pair.source.frames)))
        for pair, other in zip(pairs, others, strict=True)
    ]


def fit_mel(mel: Mel, frames: int) -> Mel:
    """The log-mel of exactly so many video frames: cut, or padded with silence."""
    wanted = frames * MEL_PER_FRAME
    padding = np.full((max(0, wanted - len(mel)), mel.shape[1]), SILENCE, mel.dtype)
    return np.concatenate([mel[:wanted], padding])
