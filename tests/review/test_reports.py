"""The real reports that the page links to, as validation writes them, in headless Chromium without the internet."""

from pathlib import Path

import pandas as pd
import pytest

from components.review import core
from components.review.run import Run
from components.validate import core as validate
from components.validate.params import PairsParams
from scripts.browser import Page
from tests.review.conftest import OPTIONS
from tests.validate.conftest import crops, pairs, pairs_params  # noqa: F401 (fixtures)

pytestmark = pytest.mark.browser
LOADED = "document.readyState === 'complete' && document.body.innerText.length > 20"
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


def test_data_docs_and_drift_show_their_figures_offline(page: Page, reported: Path):
    page.problems.clear()
    page.open(reported.as_uri())
    linked = [link for link in page.evaluate(LINKS) if link.endswith(".html")]
    assert [Path(link).name for link in linked] == ["index.html", "drift.html"]
    page.open(linked[0], ready=LOADED)
    suites, results = sorted(page.evaluate(LINKS), key=lambda link: "validations" in link)
    for address, shown in ((suites, "identity_cosine"), (results, "0.1"), (linked[1], "mouth_motion")):
        page.open(address, ready=f"{LOADED} && document.body.innerText.includes('{shown}')")
        page.evaluate("new Promise(done => setTimeout(done, 500))")  # for what is asked for late
    assert page.problems == []
    page.open(results, 390, ready=LOADED)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shown = "[...document.querySelectorAll('tr i')].filter(sign => sign.offsetParent).map(sign => sign.textContent)"
    assert set(page.evaluate(shown)) == {"✓ passed", "✗ failed"}
    page.evaluate("document.getElementById('option2').click()")
    assert page.evaluate(shown) == ["✗ failed"]
