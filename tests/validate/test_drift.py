"""The drift report: scores that follow the data, one page that loads nothing."""

import re
from pathlib import Path

import pandas as pd
import pytest

from components.core.base.errors import UserError
from components.validate.drift import Method, drift

METHOD = Method(("sharpness", "mouth_motion"), "wasserstein", 0.5)


def test_shifted_columns_drift_by_their_shift_in_standard_deviations(
    pairs: pd.DataFrame, crops: pd.DataFrame, tmp_path: Path
):
    real = crops[crops["split"] == "train"]
    moved = pairs.assign(sharpness=pairs["sharpness"] + 5 * real["sharpness"].std())
    found = drift(moved, real, METHOD, tmp_path / "drift.html")
    assert found.scores["sharpness"] == pytest.approx(5, abs=5 * 0.05)
    assert found.scores["mouth_motion"] < 0.1
    assert found.share == 0.5
    assert drift(pairs, real, METHOD, tmp_path / "same.html").share == 0


def test_the_page_is_self_contained(pairs: pd.DataFrame, crops: pd.DataFrame, tmp_path: Path):
    drift(pairs, crops, METHOD, tmp_path / "drift.html")
    text = (tmp_path / "drift.html").read_text()
    assert "mouth_motion" in text
    assert not re.search(r"<(script|link|img|iframe)[^>]*\s(src|href)=[\"']?(https?:)?//", text)


def test_columns_that_only_one_table_has_are_left_out(pairs: pd.DataFrame, crops: pd.DataFrame, tmp_path: Path):
    found = drift(pairs, crops.drop(columns="sharpness"), METHOD, tmp_path / "drift.html")
    assert set(found.scores) == {"mouth_motion"}


def test_nothing_in_common_is_a_user_error(pairs: pd.DataFrame, crops: pd.DataFrame, tmp_path: Path):
    with pytest.raises(UserError, match="no drift column in common"):
        drift(pairs, crops[["split", "role"]], METHOD, tmp_path / "drift.html")


def test_a_method_that_evidently_does_not_know_is_a_user_error(
    pairs: pd.DataFrame, crops: pd.DataFrame, tmp_path: Path
):
    with pytest.raises(UserError, match="waserstein"):
        drift(pairs, crops, Method(("sharpness",), "waserstein", 0.5), tmp_path / "drift.html")


@pytest.mark.parametrize("rows", [1, 2])
def test_a_handful_of_companions_is_enough(pairs: pd.DataFrame, crops: pd.DataFrame, tmp_path: Path, rows: int):
    assert set(drift(pairs[:rows], crops[:rows], METHOD, tmp_path / "drift.html").scores) == set(METHOD.columns)


def test_missing_values_do_not_count(pairs: pd.DataFrame, crops: pd.DataFrame, tmp_path: Path):
    gappy = pairs.copy()
    gappy.loc[::2, "sharpness"] = float("nan")
    found = drift(gappy, crops[crops["split"] == "train"], METHOD, tmp_path / "drift.html")
    assert found.scores["sharpness"] < 0.1
    with pytest.raises(UserError, match="empty column 'sharpness'"):
        drift(pairs.assign(sharpness=float("nan")), crops, METHOD, tmp_path / "drift.html")
