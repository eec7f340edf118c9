"""The contract of metrics/evaluate.json, and intervals with known answers."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from components.core.base import files
from components.core.statistics.interval import Resampling
from components.evaluate import core, report
from components.evaluate.aside import OWN
from components.evaluate.benchmark import Pair
from components.evaluate.metrics import METRICS
from components.evaluate.params import Params
from components.evaluate.rows import ROWS
from tests.evaluate.conftest import World

HOW = Resampling(2000, 0)
MANIFEST = pd.DataFrame({"pair_id": ["a", "b"], "slices": ["language=en", "language=es"], "speech_sha256": ["1", "2"]})
# DESIGN section 6, and what came later: other tools read these names.
CONTRACT = """mouth_psnr_db, mouth_ssim, lmd_px, lip_opening_r, lip_width_r, read_opening_r, read_width_r,
sync_confidence, sync_distance, identity_cosine, identity_truth_cosine, outside_psnr_db, occluder_psnr_db,
sharpness_ratio, old_lip_r,
jitter_ratio, silence_motion_ratio, seam_db, success_rate, seconds_per_second"""


def test_the_names_are_the_contracts():
    assert list(METRICS) == re.split(r",\s+", CONTRACT)
    assert ROWS == ("truth", "shuffled", "copy", "generator", "editor-structure", "editor-lip", "editor")


def test_the_report_keeps_the_contract(clips: pd.DataFrame, tmp_path: Path):
    files.write_json(tmp_path / "evaluate.json", report.report(clips, MANIFEST, HOW, 2))  # refuses NaN
    found = json.loads((tmp_path / "evaluate.json").read_text())
    assert set(found) == {"benchmark_sha256", "rows", "slices", "paired", "not_measured"}
    assert set(found["rows"]) == set(ROWS)
    assert set(found["slices"]) == {"language=en", "language=es", "yaw=0-10"}
    for table in (found["rows"], *found["slices"].values()):
        for row in table.values():
            assert set(row) <= set(METRICS)
            for value in row.values():
                assert set(value) == {"mean", "lo", "hi", "n"}
                assert value["lo"] <= value["mean"] <= value["hi"]
    assert found["rows"]["editor"]["mouth_psnr_db"]["n"] == 4
    assert found["slices"]["language=en"]["editor"]["mouth_psnr_db"]["n"] == 2
    assert "seconds_per_second" not in found["rows"]["copy"]
    assert found["not_measured"] == {"occluder_psnr_db": "no clip has anything before the lower face"}


def test_own_footage_counts_in_its_slice_alone(clips: pd.DataFrame):
    own = clips[clips["row"] != "truth"].assign(slices=OWN, pair_id=clips["pair_id"] + "-own", old_lip_r=0.0)
    found, without = (report.report(table, MANIFEST, HOW, 2) for table in (pd.concat([clips, own]), clips))
    assert {name: part for name, part in found.items() if name != "slices"} == {
        name: part for name, part in without.items() if name != "slices"
    }
    assert set(found["slices"]) == {*without["slices"], OWN}
    assert found["slices"][OWN]["editor"]["old_lip_r"]["mean"] == 0


def test_the_fingerprint_is_of_the_pairs_that_count():
    own = pd.DataFrame({"pair_id": ["c"], "slices": [OWN], "speech_sha256": ["3"]})
    fingerprint = report.fingerprint(MANIFEST)
    assert re.fullmatch("[0-9a-f]{64}", fingerprint)
    assert report.fingerprint(pd.concat([MANIFEST, own])) == fingerprint
    assert report.fingerprint(MANIFEST.assign(speech_sha256=["1", "9"])) != fingerprint
    assert report.fingerprint(MANIFEST[:1]) != fingerprint


def test_paired_differences_are_within_pairs(clips: pd.DataFrame):
    found = report.paired(clips, "editor", "generator", HOW)
    rows = report.by_row(clips, HOW)
    for metric, value in found.items():
        assert value["mean"] == pytest.approx(rows["editor"][metric]["mean"] - rows["generator"][metric]["mean"])
    assert found["mouth_psnr_db"]["lo"] > 0
    lost = clips[~((clips["row"] == "generator") & (clips["pair_id"] == "c0--p0"))]
    assert report.paired(lost, "editor", "generator", HOW)["mouth_psnr_db"]["n"] == 3


def test_small_slices_are_left_out(clips: pd.DataFrame):
    assert set(report.by_slice(clips, HOW, 3)) == {"yaw=0-10"}


def test_reasons_say_why_a_metric_is_absent(without_truth: list[Pair], values: Params):
    clips = core.run(without_truth, World(judged=False), values, seed=0, workers=1).clips
    reasons = report.report(clips, MANIFEST, HOW, 2)["not_measured"]
    assert "exact re-dub" in reasons["mouth_psnr_db"]
    assert "exact re-dub" in reasons["success_rate"]
    assert reasons["sync_confidence"] == "the judge sync expert is absent"
    assert reasons["identity_cosine"] == "the judge identity expert is absent"
    assert "sharpness_ratio" not in reasons


def test_curves_hold_the_rows_as_lines(clips: pd.DataFrame):
    rows = report.by_row(clips, HOW)
    table = report.curves(rows)
    assert list(table) == ["row", "metric", "mean", "lo", "hi"]
    assert len(table) == sum(map(len, rows.values()))
