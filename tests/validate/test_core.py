"""Bad clips stop the pipeline; bad companions are quarantined with every reason."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.core.base.errors import UserError
from components.validate import core, expectations
from components.validate.params import ClipsParams, CropsParams, PairsParams


def test_good_clips_pass_every_expectation(clips: pd.DataFrame, clips_params: ClipsParams, tmp_path: Path):
    outcomes = core.check_clips(clips, clips_params, tmp_path / "docs")
    assert [o.expectation.subject for o in outcomes if not o.success] == []
    assert (tmp_path / "docs" / "index.html").exists()
    expectations.require(outcomes, "clips.parquet")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("clip_id", "clip01", "expect_column_values_to_be_unique of clip_id"),
        ("licence", None, "not_be_null of licence.*dubstrap rights"),
        ("licence", "", "lengths_to_be_between of licence"),
        ("sha256", "zz", "match_regex of sha256"),
        ("split", "test", "be_in_set of split"),
        ("speaker", "speaker3", "speaker_splits.*must not be trained on"),
        ("duration_s", 0.2, "of duration_s: 1 of 12 rows, such as 0.2"),
        ("width_px", 32, "of width_px"),
        ("role", "actor", "of role"),
    ],
)
def test_one_bad_row_is_named_with_its_fix(
    clips: pd.DataFrame, clips_params: ClipsParams, tmp_path: Path, column: str, value: object, message: str
):
    clips[column] = clips[column].astype(object)
    clips.loc[0, column] = value
    outcomes = core.check_clips(clips, clips_params, tmp_path / "docs")
    with pytest.raises(UserError, match=message):
        expectations.require(outcomes, "clips.parquet")


def test_tables_without_rows_columns_or_speakers_fail(clips: pd.DataFrame, clips_params: ClipsParams, tmp_path: Path):
    for bad, message in (
        (clips[:0], "row_count"),
        (clips.drop(columns="speaker"), "columns_to_match_set"),
        (clips[clips["speaker"] == "speaker0"], "unique_value_count_to_be_between of speaker"),
        (clips[clips["split"] == "train"], "distinct_values_to_contain_set of split"),
    ):
        outcomes = core.check_clips(bad, clips_params, tmp_path / message)
        with pytest.raises(UserError, match=message):
            expectations.require(outcomes, "clips.parquet")


def test_odd_but_usable_clips_only_warn(
    clips: pd.DataFrame, clips_params: ClipsParams, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    clips.loc[0, ["fps_in", "loudness_dbfs", "audio_offset_s"]] = 5.0, -70.0, -2.0
    outcomes = core.check_clips(clips, clips_params, tmp_path / "docs")
    expectations.require(outcomes, "clips.parquet")
    expectations.report(outcomes, "clips.parquet")
    assert [record.levelname for record in caplog.records] == ["INFO", *["WARNING"] * 3]
    assert "18 of 21 expectations hold" in caplog.text
    assert "fps_in: 1 of 12 rows, such as 5.0" in caplog.text
    assert expectations.summary(outcomes)["warning_failed"] == 3


def test_good_crops_pass_every_expectation(cropped: pd.DataFrame, crops_params: CropsParams, tmp_path: Path):
    outcomes = core.check_crops(cropped, crops_params, tmp_path / "docs")
    assert [o.expectation.subject for o in outcomes if not o.success] == []
    assert (tmp_path / "docs" / "index.html").exists()
    expectations.require(outcomes, "crops.parquet")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("crop_id", "clip01-00", "be_unique of crop_id"),
        ("speaker", "speaker3", "speaker_splits.*must not be trained on"),
        ("size_px", 48, "unique_value_count_to_be_between of size_px"),
        ("frames", 5, "of frames: 1 of 12 rows, such as 5.*crop.min_frames"),
        ("mouth_motion", None, "not_be_null of mouth_motion"),
        ("sharpness", 0.0, "of sharpness: 1 of 12 rows, such as 0.0"),
        ("shard", "clips-00000.tar", "match_regex of shard"),
    ],
)
def test_one_bad_crop_is_named_with_its_fix(
    cropped: pd.DataFrame, crops_params: CropsParams, tmp_path: Path, column: str, value: object, message: str
):
    cropped.loc[0, column] = value
    outcomes = core.check_crops(cropped, crops_params, tmp_path / "docs")
    with pytest.raises(UserError, match=message):
        expectations.require(outcomes, "crops.parquet")


def test_crops_without_a_benchmark_or_a_column_fail(cropped: pd.DataFrame, crops_params: CropsParams, tmp_path: Path):
    for bad, message in (
        (cropped[:0], "row_count"),
        (cropped.drop(columns="speaker"), "columns_to_match_set"),
        (cropped[cropped["split"] == "train"], "distinct_values_to_contain_set of split.*rejects.parquet"),
    ):
        outcomes = core.check_crops(bad, crops_params, tmp_path / message.split()[0])
        with pytest.raises(UserError, match=message):
            expectations.require(outcomes, "crops.parquet")


def test_odd_but_usable_crops_only_warn(
    cropped: pd.DataFrame, crops_params: CropsParams, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    odd = cropped.assign(sharpness=2.0, yaw_max_deg=80.0, mouth_motion=0.001, occluded_share=0.9, face_share=0.1)
    outcomes = core.check_crops(odd, crops_params, tmp_path / "docs")
    expectations.require(outcomes, "crops.parquet")
    expectations.report(outcomes, "crops.parquet")
    assert expectations.summary(outcomes)["warning_failed"] == 5
    assert "yaw_max_deg: 12 of 12 rows, such as 80.0. In a profile" in caplog.text


def test_bad_companions_are_quarantined_with_every_reason(
    pairs: pd.DataFrame, pairs_params: PairsParams, tmp_path: Path
):
    pairs = pairs.set_index(pairs.index + 100)  # row numbers, not labels, are what counts
    pairs.iloc[3, pairs.columns.get_loc("identity_cosine")] = 0.1
    pairs.iloc[3, pairs.columns.get_loc("flicker_ratio")] = 9.0
    pairs.iloc[7, pairs.columns.get_loc("lip_change_px")] = np.nan  # not measured is not trusted
    outcomes = core.check_pairs(pairs, pairs_params, tmp_path / "docs")
    result = core.sort(pairs, outcomes, ())
    assert dict(zip(result.quarantined["pair_id"], result.quarantined["reason"], strict=True)) == {
        "pair03": "identity, no_flicker",
        "pair07": "lips_moved",
    }
    assert len(result.accepted) == 28
    assert "reason" not in result.accepted
    assert result.rejected == {
        "identity": 1,
        "lips_moved": 1,
        "outside_unchanged": 0,
        "no_flicker": 1,
        "no_collapse": 0,
        "review": 0,
    }
    figures = core.figures(result, outcomes, None)
    assert figures["accepted_share"] == pytest.approx(28 / 30)
    assert figures["yield"]["identity"] == pytest.approx(29 / 30)
    assert "drift" not in figures


def test_what_people_turned_down_is_quarantined_too(pairs: pd.DataFrame, pairs_params: PairsParams, tmp_path: Path):
    pairs.loc[3, "flicker_ratio"] = 9.0
    outcomes = core.check_pairs(pairs, pairs_params, tmp_path / "docs")
    result = core.sort(pairs, outcomes, {"pair03", "pair05", "of another run"})
    assert result.quarantined["reason"].tolist() == ["no_flicker, review", "review"]
    assert result.rejected["review"] == 2
    result = core.sort(pairs, outcomes, set(pairs["pair_id"]))
    with pytest.raises(UserError, match=r"review kept 0.*dubstrap review --serve"):
        core.require_yield(result, outcomes, 1)


def test_a_low_yield_names_every_filter_and_what_to_change(
    pairs: pd.DataFrame, pairs_params: PairsParams, tmp_path: Path
):
    pairs.loc[:24, "sharpness_ratio"] = 0.1
    outcomes = core.check_pairs(pairs, pairs_params, tmp_path / "docs")
    result = core.sort(pairs, outcomes, ())
    with pytest.raises(UserError) as error:
        core.require_yield(result, outcomes, pairs_params.min_accepted)
    assert "got 5 of 30: identity kept 30" in str(error.value)
    assert "no_collapse kept 5" in str(error.value)
    assert "validate.pairs.min_sharpness_ratio" in str(error.value)
    core.require_yield(result, outcomes, 5)


def test_missing_columns_and_double_pairs_are_critical(pairs: pd.DataFrame, pairs_params: PairsParams, tmp_path: Path):
    double = pd.concat([pairs, pairs[:1]], ignore_index=True)
    for bad, message in ((double, "unique of pair_id"), (pairs.drop(columns="flicker_ratio"), "columns_to_match_set")):
        outcomes = core.check_pairs(bad, pairs_params, tmp_path / message.replace(" ", "_"))
        with pytest.raises(UserError, match=message):
            expectations.require(outcomes, "pairs.parquet")


def test_companions_are_compared_with_real_training_crops_only(
    pairs: pd.DataFrame, crops: pd.DataFrame, pairs_params: PairsParams, tmp_path: Path
):
    limits = pairs_params.drift
    found = core.compare(pairs, crops, limits, tmp_path / "drift.html")
    assert found.share == 0  # the benchmark's crops, far away, are not in it
    tighter = replace(limits, threshold=0.0)
    assert core.compare(pairs, crops, tighter, tmp_path / "drift.html").share == 1


def test_new_footage_is_compared_with_the_training_crops(
    crops: pd.DataFrame, pairs_params: PairsParams, tmp_path: Path
):
    page = tmp_path / "drift.html"
    assert core.compare_footage(crops[crops["split"] == "train"], crops, pairs_params.drift, page).share == 0
    far = core.compare_footage(crops[crops["split"] == "benchmark"], crops, pairs_params.drift, page)
    assert far.is_too_far
    with pytest.raises(UserError, match="got 0 new crops and 40 of training"):
        core.compare_footage(crops.assign(role="truth"), crops, pairs_params.drift, page)
