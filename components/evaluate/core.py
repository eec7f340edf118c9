"""Dubs the benchmark in every row, measures every clip, and sums it up. Knows no paths and no command line."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd

from components.core.base.runtime import map_processes
from components.core.base.seeds import derive
from components.core.media import FPS
from components.core.media.face import MEASURES, measures
from components.core.media.geometry import Window
from components.evaluate import metrics, players
from components.evaluate.aside import hold
from components.evaluate.benchmark import Mel, Pair
from components.evaluate.metrics import METRICS, Bools, Floats, Frames, Landmarks
from components.evaluate.params import Params, SuccessParams
from components.evaluate.players import Player
from components.evaluate.rows import EXPORTED, ROWS, Bench, filmed_again, second_look

OPENING, WIDTH = MEASURES.index("opening"), MEASURES.index("width")
NAN = float("nan")


@dataclass(frozen=True)
class Dubbed:
    """One row's frames for one pair, the speech they were made with, and the seconds it took (NaN: not made)."""

    frames: Frames
    mel: Mel
    seconds: float


@dataclass(frozen=True)
class Sample:
    """A pair and its rows' frames, kept for people to look at."""

    pair: Pair
    frames: Mapping[str, Frames]


@dataclass(frozen=True)
class Evaluation:
    """`clips` has one line per pair and row: pair_id, row, slices (joined by "|") and every metric."""

    clips: pd.DataFrame
    players: list[Player]
    samples: list[Sample]


@dataclass(frozen=True)
class Task:
    """What a worker needs for one pair."""

    pair: Pair
    load: Callable[[], Bench]
    params: Params
    seed: int
    keep: bool


@dataclass(frozen=True)
class Source:
    """What is measured once per pair and shared by its rows: landmarks at 256 px, embeddings, regions.

    `read` is what the judge reads of the truth's lips, `truth_embedding` its embeddings of the truth.
    `reference` is the truth, or the source where there is no truth: then only ratios to real texture make sense. Lips
    are compared in frames that are `shown`: behind a hand or a microphone the face mesh guesses.
    """

    landmarks: Landmarks
    truth_landmarks: Landmarks | None
    embedding: Floats | None
    truth_embedding: Floats | None
    read: Floats | None
    reference: Frames
    mouth: metrics.Region
    outside: metrics.Region
    border: metrics.Region
    occluder: metrics.Region
    shown: Bools
    silent: Bools


def run(pairs: list[Pair], load: Callable[[], Bench], params: Params, seed: int, workers: int) -> Evaluation:
    """Every pair in every row. `load` must be hashable and, with more than one worker, picklable."""
    chosen = set(np.linspace(0, len(pairs) - 1, min(params.sample_pairs, len(pairs))).round().astype(int).tolist())
    tasks = [Task(pair, load, params, seed, index in chosen) for index, pair in enumerate(pairs)]
    results = map_processes(score, tasks, "evaluate", workers)
    lines = [line for scored, _, _ in results for line in scored]
    order = ["pair_id", "row", "slices", *METRICS, "face_share"]
    logging.getLogger(__name__).info("measured %d clips in %d rows", len(pairs), len(lines))
    made, samples = [player for _, player, _ in results], [sample for _, _, sample in results if sample]
    return Evaluation(pd.DataFrame(lines, columns=order), made, samples)


def score(task: Task) -> tuple[list[dict[str, str | float]], Player, Sample | None]:
    """Dubs and measures one pair."""
    pair, bench = task.pair, _bench(task.load)
    rows = dub(pair, bench, task.seed)
    about = inspect(pair, bench, task.params)
    names = {"pair_id": pair.pair_id, "slices": "|".join(pair.slices)}
    lines: list[dict[str, str | float]] = []
    opening = {}
    for row, dubbed in rows.items():
        again = filmed_again(dubbed.frames, task.seed) if row == "truth" else dubbed.frames
        landmarks = look(row, again, about, bench)
        seen = about.truth_landmarks if row == "truth" and about.truth_landmarks is not None else landmarks
        opening[row] = lip_measures(seen)[:, OPENING]
        read = None if about.read is None or bench.read is None else bench.read(again)
        lines.append({**names, "row": row, **measure(dubbed, landmarks, read, about, bench)})
    by_row = {str(line["row"]): line for line in lines}
    for line in lines:
        line["success_rate"] = success(line, by_row, task.params.success)
    frames = {row: dubbed.frames for row, dubbed in rows.items()}
    return lines, players.make(pair, frames, opening), Sample(pair, frames) if task.keep else None


# A process loads the models once for all its pairs.
@cache
def _bench(load: Callable[[], Bench]) -> Bench:
    return load()


def dub(pair: Pair, bench: Bench, seed: int) -> dict[str, Dubbed]:
    """The pair's frames in every row that can be made, in the order of ROWS and last the exported one."""
    made: dict[str, Dubbed] = {"copy": Dubbed(pair.source.frames, pair.speech.mel, NAN)}
    if pair.truth is not None:
        made["truth"] = Dubbed(pair.truth.frames, pair.speech.mel, NAN)
    for row, function in bench.dub.items():
        start = time.perf_counter()
        frames = function(pair.whole, pair.speech.mel, derive(seed, "evaluate", pair.pair_id, row))
        made[row] = Dubbed(frames, pair.speech.mel, time.perf_counter() - start)
    if pair.other_mel is not None and "editor" in bench.dub:
        shuffled = bench.dub["editor"](pair.whole, pair.other_mel, derive(seed, "evaluate", pair.pair_id, "shuffled"))
        made["shuffled"] = Dubbed(shuffled, pair.speech.mel, NAN)
    rows = {row: made[row] for row in (*ROWS, EXPORTED) if row in made}
    return {row: replace(dubbed, frames=hold(dubbed.frames, pair.held_frames)) for row, dubbed in rows.items()}


def inspect(pair: Pair, bench: Bench, params: Params) -> Source:
    """What all rows of a pair are compared with."""
    source, truth = pair.source, pair.truth
    window = Window.of(source.frames.shape[1])
    inside = np.zeros_like(source.mask)
    window.take(inside)[:] = True
    masks = [crop.mask for crop in (source, truth) if crop is not None]
    mouth = np.logical_and.reduce([*masks, inside])
    shown = ~np.logical_or.reduce([crop.hidden for crop in (source, truth) if crop is not None])
    return Source(
        landmarks=bench.find(source.frames),
        truth_landmarks=None if truth is None else bench.find(truth.frames),
        embedding=None if bench.embed is None else bench.embed(source.frames),
        truth_embedding=None if truth is None or bench.embed is None else bench.embed(truth.frames),
        read=None if truth is None or bench.read is None else bench.read(truth.frames),
        reference=source.frames if truth is None else truth.frames,
        mouth=mouth,
        outside=~np.logical_or.reduce(masks),
        border=metrics.border(inside) | metrics.border(mouth),
        occluder=inside & (source if truth is None else truth).occluder,
        shown=shown,
        silent=shown & metrics.silent_frames(pair.speech.samples, len(source.frames), params.silence_dbfs),
    )


def look(row: str, frames: Frames, about: Source, bench: Bench) -> Landmarks:
    """The landmarks of one row's frames; the truth was filmed again, so that it is not its own judge."""
    if row == "copy":
        return about.landmarks
    return second_look(frames, bench.find) if row == "truth" else bench.find(frames)


def lip_measures(landmarks: Landmarks) -> Floats:
    """MEASURES of every frame, NaN where no face was found."""
    found = np.isfinite(landmarks).all(axis=(1, 2))
    lips = np.full((len(landmarks), len(MEASURES)), NAN)
    if found.any():
        lips[found] = measures(landmarks[found])
    return lips


def measure(dubbed: Dubbed, landmarks: Landmarks, read: Floats | None, about: Source, bench: Bench) -> dict[str, float]:
    """Every metric of one clip but its success; NaN where it could not be measured."""
    frames, mouth = dubbed.frames, about.mouth
    still = metrics.still_pixels(about.reference, mouth)
    confidence, distance = bench.sync(frames, dubbed.mel) if bench.sync else (NAN, NAN)
    face_share = float(np.isfinite(landmarks).all(axis=(1, 2)).mean())
    landmarks = np.where(about.shown[:, None, None], landmarks, NAN)
    lips = lip_measures(landmarks)
    found = {
        "face_share": face_share,
        "sync_confidence": confidence,
        "sync_distance": distance,
        "outside_psnr_db": metrics.psnr_db(frames, about.reference, about.outside),
        "sharpness_ratio": metrics.ratio(metrics.sharpness(frames, mouth), metrics.sharpness(about.reference, mouth)),
        "old_lip_r": metrics.correlation(lips[:, OPENING], lip_measures(about.landmarks)[:, OPENING]),
        "jitter_ratio": metrics.ratio(metrics.flicker(frames, still), metrics.flicker(about.reference, still)),
        "seam_db": metrics.ratio_db(metrics.seam(frames, about.border), metrics.seam(about.reference, about.border)),
        "seconds_per_second": dubbed.seconds / (len(frames) / FPS),
    }
    if bench.embed is not None and about.embedding is not None:
        embedded = bench.embed(frames)
        found["identity_cosine"] = metrics.identity_cosine(embedded, about.embedding)
        if about.truth_embedding is not None:
            found["identity_truth_cosine"] = metrics.frame_cosine(embedded, about.truth_embedding)
    if about.truth_landmarks is not None:
        found |= against_truth(frames, landmarks, about)
    if read is not None and about.read is not None:
        shown = about.shown
        found["read_opening_r"] = metrics.correlation(read[shown, OPENING], about.read[shown, OPENING])
        found["read_width_r"] = metrics.correlation(read[shown, WIDTH], about.read[shown, WIDTH])
    return {name: found.get(name, NAN) for name in (*METRICS, "face_share")}


def against_truth(frames: Frames, landmarks: Landmarks, about: Source) -> dict[str, float]:
    """The metrics that need the exact re-dub."""
    assert about.truth_landmarks is not None
    lips, truth = lip_measures(landmarks), lip_measures(about.truth_landmarks)
    # 0.1 px: below that the face mesh's own jitter is all there is.
    rest = float(np.maximum(0.1, metrics.lip_motion_px(about.truth_landmarks, about.silent)))
    return {
        "mouth_psnr_db": metrics.psnr_db(frames, about.reference, about.mouth),
        "occluder_psnr_db": metrics.psnr_db(frames, about.reference, about.occluder),
        "mouth_ssim": metrics.ssim(frames, about.reference, about.mouth),
        "lmd_px": metrics.lip_distance_px(landmarks, about.truth_landmarks),
        "lip_opening_r": metrics.correlation(lips[:, OPENING], truth[:, OPENING]),
        "lip_width_r": metrics.correlation(lips[:, WIDTH], truth[:, WIDTH]),
        "silence_motion_ratio": metrics.lip_motion_px(landmarks, about.silent) / rest,
    }


Line = Mapping[str, str | float]


def success(clip: Line, rows: Mapping[str, Line], rule: SuccessParams) -> float:
    """1 if the face is found, the mouth neither smeared nor another's nor flickering, the lips match, and what is
    before the mouth stays; else 0.

    NaN where a part of the rule could not be measured at all; a clip in which the face got lost counts as 0.

    Args:
        clip: the metrics of one row.
        rows: of all rows of the same pair, by their names.
        rule: the limits.
    """
    truth_cosine = float(rows["truth"]["identity_cosine"]) if "truth" in rows else NAN
    occluder_loss_db = float(rows["copy"]["occluder_psnr_db"]) - float(clip["occluder_psnr_db"])
    parts = (
        float(clip["face_share"]) - rule.min_face_share,
        float(clip["sharpness_ratio"]) - rule.min_sharpness_ratio,
        float(clip["identity_cosine"]) - (truth_cosine - rule.max_identity_loss),
        rule.max_jitter_ratio - float(clip["jitter_ratio"]),
        float(clip["read_opening_r"]) - rule.min_opening_r,
        rule.max_occluder_loss_db - (0.0 if np.isnan(occluder_loss_db) else occluder_loss_db),
    )
    if parts[0] < 0:
        return 0.0
    return NAN if np.isnan(parts).any() else float(all(part >= 0 for part in parts))
