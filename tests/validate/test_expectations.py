"""Suites are read strictly, run by Great Expectations, and leave pages that load nothing."""

import re
from pathlib import Path

import pandas as pd
import pytest

from components.core.base.errors import UserError
from components.validate import docs, expectations
from components.validate.params import PairsParams

SUITE = """
- {type: expect_column_values_to_be_unique, kwargs: {column: name}, severity: critical, fix: Rename one.}
- {type: expect_column_values_to_be_between, kwargs: {column: size, min_value: $min_accepted}, severity: warning,
   filter: small, fix: Grow.}
- {type: expect_column_values_to_be_between, kwargs: {column: absent, min_value: 0}, severity: critical, fix: Add it.}
- {type: expect_table_row_count_to_be_between, kwargs: {min_value: 1}, severity: critical, fix: Add rows.}
"""


@pytest.fixture
def suite(tmp_path: Path, pairs_params: PairsParams) -> list[expectations.Expectation]:
    (tmp_path / "suite.yaml").write_text(SUITE)
    return expectations.read(tmp_path / "suite.yaml", pairs_params)


def test_names_are_replaced_by_params(suite: list[expectations.Expectation], pairs_params: PairsParams):
    assert suite[1].kwargs["min_value"] == pairs_params.min_accepted
    assert [e.filter for e in suite] == [None, "small", None, None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1", "expected a list of expectations"),
        ("- {type: x, kwargs: {}}", "expected type, kwargs, severity, fix"),
        ("- {type: x, kwargs: {}, severity: bad, fix: y}", "expected critical or warning"),
        ("- {type: x, kwargs: {a: $min_acepted}, severity: warning, fix: y}", r"such as \$min_accepted"),
        ("- {type: x, kwargs: {}, severity: warning, fix: y, filtre: z}", "filtre"),
    ],
)
def test_a_wrong_suite_says_where_and_what(tmp_path: Path, pairs_params: PairsParams, text: str, message: str):
    (tmp_path / "suite.yaml").write_text(text)
    with pytest.raises(UserError, match=message):
        expectations.read(tmp_path / "suite.yaml", pairs_params)


def test_an_expectation_nobody_knows_is_a_user_error(tmp_path: Path):
    unknown = expectations.Expectation("expect_wonders", {}, "critical", "Don't.", None)
    with pytest.raises(UserError, match="expect_wonders"):
        expectations.check(pd.DataFrame({"a": [1]}), [unknown], "odd", tmp_path / "docs")


def test_outcomes_keep_the_suites_order_and_tell_what_was_seen(suite: list[expectations.Expectation], tmp_path: Path):
    table = pd.DataFrame({"name": ["a", "b", "b"], "size": [100.0, 1.0, 100.0]}, index=[7, 8, 9])
    unique, size, absent, rows = expectations.check(table, suite, "table", tmp_path / "docs")
    assert not unique.success
    assert unique.observed == "2 of 3 rows, such as b"
    assert (size.success, size.failing) == (False, (1,))
    assert not absent.success
    assert "absent" in absent.observed
    assert (rows.success, rows.observed) == (True, "3")
    with pytest.raises(UserError) as error:
        expectations.require([unique, size, absent, rows], "table.parquet")
    line = str(error.value)
    assert "fails 2 critical expectations" in line
    assert "expect_column_values_to_be_unique of name: 2 of 3 rows, such as b" in line
    assert line.endswith("Rename one. Add it.")
    assert expectations.summary([unique, size, absent, rows]) == {
        "expectations": 4,
        "critical_failed": 2,
        "warning_failed": 1,
    }


def test_data_docs_load_nothing_and_do_not_change_between_runs(suite: list[expectations.Expectation], tmp_path: Path):
    table = pd.DataFrame({"name": ["a", "b"], "size": [100.0, 1.0]})
    pages = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        expectations.check(table, suite, "table", folder)
        pages.append({page.relative_to(folder): page.read_text() for page in folder.rglob("*.html")})
    for text in pages[0].values():
        assert not re.search(r"<(script|link|img)[^>]*(src|href)=.https?:|url\(.?https?:", text)
    index = pages[0][Path("index.html")]
    results, suites = (tmp_path / "one" / name for name in re.findall(r'href="([^"]+)"', index))
    assert "size" in results.read_text()
    assert "Rename one." in suites.read_text()
    shown = results.read_text()
    assert [re.findall(rf">{sign}</i>", shown) != [] for sign in ("✓ passed", "✗ failed", "! raised an error")] == [
        True, True, True,
    ]  # fmt: skip
    assert not re.search(r"onclick|Show more info|<script", shown)
    assert all('name="viewport"' in text and '<html lang="en">' in text for text in pages[0].values())
    assert all(docs.POLICY in text for text in pages[0].values())
    assert pages[0] == pages[1]
