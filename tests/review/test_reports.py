"""The real reports that the page links to, as validation writes them, in headless Chromium without the internet."""

from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import expect

from components.review import core
from components.review.run import Run
from components.validate import core as validate
from components.validate import expectations
from components.validate.params import PairsParams
from scripts.browser import Windows
from tests.review import world
from tests.review.conftest import OPTIONS
from tests.validate.conftest import crops, pairs, pairs_params  # noqa: F401 (fixtures)

pytestmark = pytest.mark.browser
LINKS = "[...document.links].map(link => link.href)"


@pytest.fixture
def reported(
    pairs: pd.DataFrame,  # noqa: F811
    crops: pd.DataFrame,  # noqa: F811
    pairs_params: PairsParams,  # noqa: F811
    tmp_path: Path,
) -> Path:
    """The page of a run that has nothing but validated pairs, one of which fails an expectation."""
    out = tmp_path / "run/artifacts/validation/pairs"
    table = pairs.assign(identity_cosine=[0.1, *pairs["identity_cosine"][1:]])
    validate.check_pairs(table, pairs_params, out / "data_docs")
    validate.compare(table, crops, pairs_params.drift, out / "drift.html")
    return core.build([Run(tmp_path / "run", "the workspace", "abc")], tmp_path / "site", OPTIONS)


def test_data_docs_and_drift_show_their_figures_offline(windows: Windows, reported: Path):
    page = windows.open(reported.as_uri())
    linked = [link for link in page.evaluate(LINKS) if link.endswith(".html")]
    assert [Path(link).name for link in linked] == ["index.html", "drift.html"]
    page = windows.open(linked[0], ready="body")
    suites, results = sorted(page.evaluate(LINKS), key=lambda link: "validations" in link)
    for address, shown in ((suites, "identity_cosine"), (results, "0.1"), (linked[1], "mouth_motion")):
        page = windows.open(address, ready="body")
        expect(page.locator("body")).to_contain_text(shown, use_inner_text=True)
        page.wait_for_timeout(500)  # for what is asked for late
    assert windows.problems == []
    page = windows.open(results, 390, ready="body")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shown = page.locator("tr i:visible")
    assert set(shown.all_text_contents()) == {"✓ passed", "✗ failed"}
    page.locator("#option2").click()
    assert shown.all_text_contents() == ["✗ failed"]


def test_data_docs_show_hostile_values_as_text(windows: Windows, tmp_path: Path):
    kinds = {
        "expect_column_values_to_match_regex": {"regex": "^[a-z]+$"},
        "expect_column_distinct_values_to_contain_set": {"value_set": ["ann"]},
    }
    suite = [
        expectations.Expectation(kind, {"column": "speaker", **more}, "warning", "Rename it.", None)
        for kind, more in kinds.items()
    ]
    handler = '<a onmouseover="document.title = 1" href="javascript:document.title = 2">bob</a>'
    expectations.check(pd.DataFrame({"speaker": [world.HOSTILE, handler]}), suite, "clips", tmp_path)
    page = windows.open(next(tmp_path.glob("validations/**/*.html")).as_uri(), ready="body")
    expect(page.locator("body")).to_contain_text("<img src=x onerror=alert(1)>", use_inner_text=True)
    assert page.locator("img, script").count() == 0
    assert windows.problems == []
    link = page.get_by_role("link", name="bob").first
    title = page.title()
    link.hover()
    link.click()
    assert page.title() == title
    assert windows.problems  # the browser says what it refused
