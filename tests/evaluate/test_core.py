"""The whole evaluation in a world whose right answers are known."""

import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.core.media.crops import Crop
from components.evaluate import core, rows
from components.evaluate.benchmark import Pair
from components.evaluate.metrics import METRICS
from components.evaluate.params import Params, SamplingParams
from components.evaluate.rows import ROWS, Bench
from tests.evaluate.conftest import SIZE, World, crop, find, perfect, speech


def mean(clips: pd.DataFrame, row: str, metric: str) -> float:
    return float(clips[clips["row"] == row][metric].mean())


def test_every_pair_is_in_every_row_with_every_metric(clips: pd.DataFrame):
    assert clips.groupby("pair_id")["row"].apply(list).tolist() == [list(ROWS)] * 4
    assert set(METRICS) < set(clips)
    assert clips["face_share"].eq(1).all()
    ours = clips[clips["row"].isin(["generator", "editor-structure", "editor-lip", "editor"])]
    assert ours[list(METRICS)].drop(columns="occluder_psnr_db").notna().all().all()
    assert ours["occluder_psnr_db"].isna().all()  # nothing is before a mouth


def test_the_perfect_editor_reaches_truth(clips: pd.DataFrame):
    assert mean(clips, "editor", "mouth_psnr_db") == mean(clips, "truth", "mouth_psnr_db") == 60
    assert mean(clips, "editor", "mouth_ssim") == pytest.approx(1)
    assert mean(clips, "editor", "lmd_px") == 0
    assert mean(clips, "editor", "lip_opening_r") == pytest.approx(1)
    assert mean(clips, "editor", "read_width_r") == pytest.approx(1)
    for ratio in ("sharpness_ratio", "jitter_ratio", "silence_motion_ratio"):
        assert mean(clips, "editor", ratio) == pytest.approx(1)
    assert mean(clips, "editor", "seam_db") == 0
    assert mean(clips, "editor", "success_rate") == 1


def test_the_truth_row_is_a_second_measurement(clips: pd.DataFrame):
    assert 0 < mean(clips, "truth", "lmd_px") < 10
    for r in ("lip_opening_r", "read_opening_r"):
        assert 0.9 < mean(clips, "truth", r) < 1


def test_copy_keeps_the_old_lips_and_shuffled_follows_the_wrong_speech(clips: pd.DataFrame):
    assert mean(clips, "copy", "old_lip_r") == pytest.approx(1)
    assert mean(clips, "copy", "outside_psnr_db") == 60
    for row in ("copy", "shuffled"):
        assert mean(clips, row, "lip_opening_r") < 0.5
        assert mean(clips, row, "read_opening_r") < 0.5
        assert mean(clips, row, "success_rate") == 0
        assert mean(clips, row, "sync_confidence") < mean(clips, "truth", "sync_confidence") - 0.4


def test_the_blurred_generator_loses_detail_but_not_its_lips(clips: pd.DataFrame):
    assert mean(clips, "generator", "sharpness_ratio") < 0.5
    assert mean(clips, "generator", "lip_opening_r") > 0.8
    assert mean(clips, "generator", "mouth_psnr_db") < mean(clips, "editor", "mouth_psnr_db")
    assert mean(clips, "generator", "outside_psnr_db") < 40


def test_work_is_timed_only_where_there_is_work(clips: pd.DataFrame):
    timed = clips.groupby("row")["seconds_per_second"].apply(lambda column: column.notna().all())
    assert timed[timed].index.tolist() == ["editor", "editor-lip", "editor-structure", "generator"]


def test_without_truth_what_needs_it_is_absent(without_truth: list[Pair], values: Params):
    clips = core.run(without_truth, World(), values, seed=0, workers=1).clips
    assert "truth" not in set(clips["row"])
    needing = ("mouth_psnr_db", "lmd_px", "lip_opening_r", "silence_motion_ratio", "success_rate")
    for metric in (*needing, "identity_truth_cosine", "occluder_psnr_db"):
        assert clips[metric].isna().all()
    for metric in ("sync_confidence", "identity_cosine", "sharpness_ratio", "old_lip_r", "jitter_ratio", "seam_db"):
        assert clips[metric].notna().all()


def test_without_judges_what_they_say_is_absent(pairs: list[Pair], values: Params):
    clips = core.run(pairs[:2], World(judged=False), values, seed=0, workers=1).clips
    assert clips[["sync_confidence", "identity_cosine", "read_opening_r", "success_rate"]].isna().all().all()
    assert clips["lip_opening_r"].notna().all()


def test_one_pair_alone_has_no_shuffled_row(pairs: list[Pair], values: Params):
    clips = core.run([replace(pairs[0], other_mel=None)], World(), values, seed=0, workers=1).clips
    assert "shuffled" not in set(clips["row"])


def test_only_chosen_pairs_keep_their_frames(pairs: list[Pair], values: Params):
    evaluation = core.run(pairs, World(), replace(values, sample_pairs=2), seed=0, workers=1)
    assert [sample.pair.pair_id for sample in evaluation.samples] == ["c0--p0", "c3--p3"]
    assert set(evaluation.samples[0].frames) == set(ROWS)


GOOD = {
    "face_share": 1.0,
    "sharpness_ratio": 0.9,
    "identity_cosine": 0.8,
    "jitter_ratio": 1.2,
    "read_opening_r": 0.95,
    "occluder_psnr_db": 31.5,
}
OTHERS = {"truth": {"identity_cosine": 0.9}, "copy": {"occluder_psnr_db": 33.0}}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, 1),
        ({"sharpness_ratio": 0.1}, 0),
        ({"identity_cosine": 0.6}, 0),
        ({"jitter_ratio": 2.5}, 0),
        ({"read_opening_r": 0.2}, 0),
        ({"occluder_psnr_db": 30.5}, 0),
        ({"occluder_psnr_db": np.nan}, 1),  # there is none
        ({"face_share": 0.1, "read_opening_r": np.nan}, 0),  # a lost face is a failure, not a gap in the data
        ({"identity_cosine": np.nan}, np.nan),
    ],
)
def test_success_needs_all_of_its_parts(values: Params, change: dict[str, float], expected: float):
    assert core.success(GOOD | change, OTHERS, values.success) == pytest.approx(expected, nan_ok=True)


@dataclass(frozen=True)
class HalfRight(World):
    """An editor that leaves every other frame as it was."""

    def __call__(self) -> Bench:
        return replace(super().__call__(), dub={"editor": half_right})


def half_right(source: Crop, mel: np.ndarray, seed: int) -> np.ndarray:
    frames = perfect(source, mel, seed)
    frames[::2] = source.frames[::2]
    return frames


def test_lips_behind_a_hand_are_not_compared(pairs: list[Pair], values: Params):
    assert pairs[0].truth is not None
    hand = np.zeros_like(pairs[0].truth.occluder)
    hand[::2] = True
    covered = replace(pairs[0], truth=replace(pairs[0].truth, occluder=hand))
    open_r, covered_r = (
        mean(core.run([pair], HalfRight(), values, seed=0, workers=1).clips, "editor", "lip_opening_r")
        for pair in (pairs[0], covered)
    )
    assert open_r < 0.9
    assert covered_r == pytest.approx(1)


@dataclass(frozen=True)
class OverHands(World):
    """An editor that is right but where something is before the mouth."""

    def __call__(self) -> Bench:
        return replace(super().__call__(), dub={"editor": over_hands})


def over_hands(source: Crop, mel: np.ndarray, seed: int) -> np.ndarray:
    frames = perfect(source, mel, seed)
    frames[source.occluder] = frames[source.occluder] // 2
    return frames


def test_a_hand_that_is_painted_over_is_no_success(pairs: list[Pair], values: Params):
    assert pairs[0].truth is not None
    hand = np.zeros_like(pairs[0].truth.occluder)
    hand[::2, 30:34, 20:24] = True
    sides = {name: replace(getattr(pairs[0], name), occluder=hand) for name in ("truth", "source", "whole")}
    rule = replace(values.success, max_jitter_ratio=99.0)
    clips = [
        core.run([replace(pairs[0], **sides)], world, replace(values, success=rule), seed=0, workers=1).clips
        for world in (World(), OverHands())
    ]
    assert [mean(found, "editor", "success_rate") for found in clips] == [1, 0]
    kept, lost = (mean(found, "editor", "occluder_psnr_db") for found in clips)
    assert lost < 20 < kept


def test_lost_faces_are_gaps_in_the_lip_measures():
    landmarks = find(crop("c", 1, speech(1)).frames)
    landmarks[3] = np.nan
    lips = core.lip_measures(landmarks)
    assert np.isnan(lips[3]).all()
    assert np.isfinite(np.delete(lips, 3, axis=0)).all()
    assert np.isnan(core.lip_measures(np.full_like(landmarks, np.nan))).all()


def test_a_second_look_moves_the_landmarks_back(pairs: list[Pair]):
    def centre(frames: np.ndarray) -> np.ndarray:
        weight = 255.0 - frames.mean(axis=3)
        grid = np.arange(SIZE) * 256 / SIZE
        xy = [(weight * axis).sum(axis=(1, 2)) / weight.sum(axis=(1, 2)) for axis in (grid, grid[:, None])]
        return np.repeat(np.stack([*xy, np.zeros(len(frames))], axis=1)[:, None], 478, axis=1)

    dot = np.full((3, SIZE, SIZE, 3), 255, np.uint8)
    dot[:, 20:28, 20:28] = 0
    look = rows.second_look(rows.filmed_again(dot, 0), centre)
    assert np.abs(look - centre(dot)).max() < 0.5  # without the way back it would be 2.7


def test_the_loader_can_be_sent_to_workers_and_cached():
    sampling = SamplingParams(2, 1.0, 1.5)
    loader = rows.Loader(Path("g"), Path("e"), Path("x"), None, sampling, sampling, 1)
    again = pickle.loads(pickle.dumps(loader))
    assert (again, hash(again)) == (loader, hash(loader))
