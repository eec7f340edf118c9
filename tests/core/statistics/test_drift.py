"""The drift report: scores that follow the data, one page that loads nothing."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.core.base.errors import UserError
from components.core.statistics.drift import Limits, compare

LIMITS = Limits(("sharpness", "mouth_motion"), "wasserstein", 0.5, 0.25)


def table(rows: int) -> pd.DataFrame:
    """Rows of the same distribution, however many."""
    return pd.DataFrame({"sharpness": np.linspace(8, 12, rows), "mouth_motion": np.linspace(1.5, 2.5, rows)})


NEW, OLD = table(30), table(40)


def test_shifted_columns_drift_by_their_shift_in_standard_deviations(tmp_path: Path):
    moved = NEW.assign(sharpness=NEW["sharpness"] + 5 * OLD["sharpness"].std())
    found = compare(moved, OLD, LIMITS, tmp_path / "drift.html")
    assert found.scores["sharpness"] == pytest.approx(5, abs=5 * 0.05)
    assert found.scores["mouth_motion"] < 0.1
    assert found.share == 0.5
    assert found.is_too_far
    assert not compare(moved, OLD, replace(LIMITS, max_share=0.5), tmp_path / "drift.html").is_too_far
    assert compare(NEW, OLD, LIMITS, tmp_path / "same.html").share == 0


def test_the_page_is_self_contained_and_the_same_for_the_same_tables(tmp_path: Path):
    for name in ("a.html", "b.html"):
        compare(NEW, OLD, LIMITS, tmp_path / name)
    text = (tmp_path / "a.html").read_text()
    assert "mouth_motion" in text
    assert not re.search(r"<(script|link|img|iframe)[^>]*\s(src|href)=[\"']?(https?:)?//", text)
    assert (tmp_path / "b.html").read_text() == text


def test_columns_that_only_one_table_has_are_left_out(tmp_path: Path):
    found = compare(NEW, OLD.drop(columns="sharpness"), LIMITS, tmp_path / "drift.html")
    assert set(found.scores) == {"mouth_motion"}


def test_what_can_t_be_compared_is_a_user_error(tmp_path: Path):
    with pytest.raises(UserError, match=r"no drift column in common.*and split"):
        compare(NEW, pd.DataFrame({"split": ["train"]}), LIMITS, tmp_path / "drift.html")
    with pytest.raises(UserError, match="waserstein"):
        compare(NEW, OLD, replace(LIMITS, method="waserstein"), tmp_path / "drift.html")
    with pytest.raises(UserError, match="empty column 'sharpness'"):
        compare(NEW.assign(sharpness=float("nan")), OLD, LIMITS, tmp_path / "drift.html")


@pytest.mark.parametrize("rows", [1, 2])
def test_a_handful_of_rows_is_enough(tmp_path: Path, rows: int):
    assert set(compare(NEW[:rows], OLD[:rows], LIMITS, tmp_path / "drift.html").scores) == set(LIMITS.columns)


def test_missing_values_do_not_count(tmp_path: Path):
    gappy = NEW.copy()
    gappy.loc[::2, "sharpness"] = float("nan")
    assert compare(gappy, OLD, LIMITS, tmp_path / "drift.html").scores["sharpness"] < 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [({"columns": ()}, "got none"), ({"max_share": 2.0}, "got 2.0"), ({"threshold": -1.0}, "got -1.0")],
)
def test_limits_are_checked(change: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        replace(LIMITS, **change)
