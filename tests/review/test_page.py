"""The page in headless Chromium: offline, in step, deciding, at both widths, accessible."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import uvicorn

from components.core.base import reviews
from components.core.statistics.drift import Limits, compare
from components.review import core, server
from components.review.run import Run
from scripts.browser import Page
from tests.review import world
from tests.review.conftest import OPTIONS

pytestmark = pytest.mark.browser
AXE = Path(__file__).parent / "axe" / "axe.min.js"
SHOWN = "document.querySelectorAll('#clip figure:not([hidden]) canvas')"
PAINTED = f"[...{SHOWN}].every(c => c.dataset.frame !== undefined)"
# The frame that each visible tile really shows, read from its pixels (world.grey).
SEEN = f"[...{SHOWN}].map(c => Math.round((c.getContext('2d').getImageData(24, 24, 1, 1).data[1] - 30) / 10))"
# Notes what is seen at each repaint of the window, from now on.
RECORD = (
    f"window.recorded = []; const watch = () => {{ recorded.push({SEEN}); requestAnimationFrame(watch); }}; watch(); 1"
)


@contextlib.contextmanager
def served(project: Path, out: Path, folder: Path) -> Iterator[str]:
    """The address of a review of the project that keeps decisions."""
    run = Run(project, "the workspace", "abc")
    core.build([run], out, replace(OPTIONS, decides=True, reviews=folder))
    listener = server.listen(server.Address("127.0.0.1", 0))
    target = server.Target(run.rev, run.id)
    uvicorn_server = uvicorn.Server(uvicorn.Config(server.app(out, folder, target, ""), log_level="error"))
    thread = threading.Thread(target=uvicorn_server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        uvicorn_server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(scope="module")
def address(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served review that nobody has decided in."""
    folder = tmp_path_factory.mktemp("served")
    with served(project, folder / "site", folder / "reviews") as where:
        yield where


@pytest.mark.parametrize("width_px", [1280, 390])
def test_it_opens_from_disk_offline_without_a_word_on_the_console(page: Page, site: Path, width_px: int):
    page.problems.clear()
    page.open((site / "index.html").as_uri(), width_px)
    page.wait(PAINTED)
    assert page.problems == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width_px
    for part in ("#clip canvas", "#clip .curve", '[data-role="play"]', "#metrics td"):
        assert page.evaluate(f"document.querySelector('{part}').getBoundingClientRect().width") > 10, part
    assert page.evaluate("document.querySelector('.decide:not([hidden])')") is None  # read-only


def test_tiles_stay_in_step_while_playing_and_stepping(page: Page, address: str):
    page.open(address)
    page.wait(PAINTED)
    assert set(page.evaluate(SEEN)) == {0}
    for expected in (1, 2, 3):
        page.click('#clip [data-role="on"]')
        page.wait(f"{SHOWN}[0].dataset.frame == {expected}")
        assert set(page.evaluate(SEEN)) == {expected}
    page.click('#clip [data-role="back"]')
    page.wait(f"{SHOWN}[0].dataset.frame == 2")
    page.evaluate(RECORD)
    page.click('#clip [data-role="play"]')
    page.wait("window.recorded.at(-1)?.[0] >= " + str(world.FRAMES - 2))
    recorded = page.evaluate("window.recorded")
    assert max(max(tiles) - min(tiles) for tiles in recorded) <= 1
    assert len({tiles[0] for tiles in recorded}) > 5, "it did not play"


def test_the_worst_come_first_by_any_metric_and_slices_filter(page: Page, address: str):
    page.open(address)
    names = "[...document.querySelectorAll('#clip .list button')].map(b => b.dataset.id.slice(0, 8))"

    def choose(role: str, value: str) -> list[str]:
        page.evaluate(
            f"(() => {{ const s = document.querySelector('#clip [data-role={role}]'); s.value = '{value}';"
            "s.dispatchEvent(new Event('input')); })()"
        )
        found: list[str] = page.evaluate(names)
        return found

    assert page.evaluate(names) == ["speaker0", "speaker1", "speaker2", "speaker3"]
    assert choose("end", "best")[0] == "speaker3"
    assert choose("metric", "sharpness_ratio")[0] == "speaker3"  # 0.36 is nearest to 1
    assert choose("slice", "language=es") == ["speaker2", "speaker0"]
    assert choose("search", "AKER0") == ["speaker0"]
    quarantined = page.evaluate("[...document.querySelectorAll('#pair .mark')].map(m => m.textContent).filter(Boolean)")
    assert sorted(quarantined) == ["quarantined: no_flicker", "quarantined: review"]


def test_a_quarantined_pair_is_one_click_away(page: Page, address: str):
    page.open(address)
    page.wait(PAINTED)
    shown = "document.querySelector('#pair .player > div').dataset.id"
    assert page.evaluate(shown) != "speaker2-clip1--0"
    page.click('#data a[href="#pair:speaker2-clip1--0"]')
    page.wait(f"{shown} === 'speaker2-clip1--0'")
    assert "In quarantine: review" in page.evaluate("document.querySelector('#pair .player').textContent")
    assert page.evaluate("document.querySelector('#pair .legend').textContent").count("companion") == 1
    page.problems.clear()
    page.open(address + "#clip:speaker3-clip--pair3")  # as somebody sends it
    page.wait("document.querySelector('#clip .player > div').dataset.id === 'speaker3-clip--pair3'")
    page.open(address + "#clip:%E0%A4%A")  # cut off
    assert page.problems == []


@pytest.mark.parametrize("kind", ["pair", "clip"])
@pytest.mark.parametrize("verdict", ["approve", "reject", "comment"])
def test_a_decision_survives_a_reload(page: Page, project: Path, tmp_path: Path, kind: str, verdict: str):
    said = f"document.querySelector('#{kind} .said')"
    with served(project, tmp_path / "site", tmp_path / "reviews") as where:
        page.problems.clear()
        page.open(where)
        page.wait(PAINTED)
        page.evaluate(
            f"(box => {{ box.querySelector('input').value = 'Ann';"
            f"box.querySelector('textarea').value = {core.json_for_script(world.HOSTILE)}; }})"
            f"(document.querySelector('#{kind} .decide'))"
        )
        judged = page.evaluate(f"document.querySelector('#{kind} .player > div').dataset.id")
        page.click(f'#{kind} [data-verdict="{verdict}"]')
        page.wait(f"document.querySelector('#{kind} .decide [role=status]').textContent === 'saved: {verdict}'")
        page.open(where, 390)
        page.wait(f"{said}.children.length")
        assert page.evaluate(f"{said}.textContent").startswith(f"{verdict}: {world.HOSTILE} — Ann")
        mark = page.evaluate(f"document.querySelector('#{kind} .list [aria-current=true] .mark').textContent")
        standing = {"approve": ["approved"], "reject": ["rejected"], "comment": []}[verdict]
        assert [word for word in ("approved", "rejected") if word in mark] == standing
        assert page.evaluate("document.querySelectorAll('img').length") == 0
        assert page.problems == []
    (kept,) = reviews.read(tmp_path / "reviews")
    assert (kept.kind, kept.id, kept.verdict, kept.comment) == (kind, judged, verdict, world.HOSTILE)
    core.build([Run(project, "x", "abc")], tmp_path / "still", replace(OPTIONS, reviews=tmp_path / "reviews"))
    page.open((tmp_path / "still/index.html").as_uri())  # read-only, it shows what was decided
    page.wait(f"{said}.children.length")
    assert world.HOSTILE in page.evaluate(f"{said}.textContent")
    assert page.evaluate("document.querySelectorAll('[data-verdict]').length") == 0


def test_what_is_not_saved_is_said(page: Page, address: str):
    page.open(address)
    page.wait(PAINTED)
    page.evaluate("document.querySelector('#verdict .decide input').value = ''")
    page.click('#verdict [data-verdict="approve"]')
    page.wait(
        "document.querySelector('#verdict [role=status]').textContent.startsWith('not saved: reviewer must have')"
    )


def test_a_decision_of_an_earlier_run_still_stands(page: Page, project: Path, tmp_path: Path):
    pair = "speaker0-clip0--0"
    for kind, id_ in (("pair", pair), ("model", "another card")):
        decision = reviews.Decision(reviews.now(), "earlier", kind, id_, "approve", "fine", "Bob")
        reviews.append(tmp_path / "reviews/old.jsonl", decision)
    with served(project, tmp_path / "site", tmp_path / "reviews") as where:
        page.open(f"{where}#pair:{pair}")
        said = page.wait(f"document.querySelector('#pair [data-id=\"{pair}\"] .said').textContent")
        assert said.startswith("approve: fine — Bob")
        assert said.endswith("UTC (run earlier)")
        marks = "[...document.querySelectorAll('#pair .mark')].map(m => m.textContent).filter(t => t.startsWith('app'))"
        assert page.evaluate(marks) == ["approved (run earlier)"]
        assert page.evaluate("document.querySelectorAll('#verdict .said li').length") == 0  # another model's
        page.click('#pair [data-verdict="reject"]')
        page.wait("document.querySelector('#pair .decide [role=status]').textContent.startsWith('not saved')")
        page.evaluate("document.querySelector('#pair .decide input').value = 'Ann'; 1")
        page.click('#pair [data-verdict="reject"]')
        page.wait(f"{marks}.length === 0")  # the newest wins


def test_reports_can_not_decide(page: Page, project: Path, tmp_path: Path):
    hostile = """<!DOCTYPE html><title>-</title><script>
    const body = {kind: "model", id: "0123456789ab", verdict: "approve", comment: "", reviewer: "nobody"};
    fetch("/api/decisions", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)})
      .then(() => { document.title = "sent"; }, () => { document.title = "refused"; });</script>"""
    with served(project, tmp_path / "site", tmp_path / "reviews") as where:
        (tmp_path / "site/drift.html").write_text(hostile)
        page.call("Page.navigate", url=where + "drift.html")
        assert page.wait("document.title !== '-' && document.title") == "refused"
    assert reviews.read(tmp_path / "reviews") == []


@pytest.mark.slow
def test_evidently_works_under_our_policy(page: Page, project: Path, tmp_path: Path):
    with served(project, tmp_path / "site", tmp_path / "reviews") as where:
        table = pd.DataFrame({"lip_opening_r": [0.1 * number for number in range(9)]})
        limits = Limits(("lip_opening_r",), "wasserstein", 0.3, 0.5)
        compare(table, table, limits, tmp_path / "site/drift.html")
        page.problems.clear()
        page.call("Page.navigate", url=where + "drift.html")
        page.wait("document.body?.innerText.includes('lip_opening_r')")
        assert page.problems == []


def test_five_hundred_pairs_with_long_names(page: Page, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run = Run(project, "the workspace", "abc")
    one = core.companions.pairs(run, 1, 1)[0]
    many = [replace(one, id=f"{number:03}-{'long name ' * 20}{world.HOSTILE}") for number in range(500)]
    monkeypatch.setattr(core.companions, "pairs", lambda *given: many)
    core.build([run], tmp_path / "site", OPTIONS)
    page.problems.clear()
    for width_px in (1280, 390):
        page.open((tmp_path / "site/index.html").as_uri(), width_px)
        assert page.evaluate("document.querySelectorAll('#pair .list button').length") == 500
        assert page.evaluate("document.documentElement.scrollWidth") <= width_px
    assert page.problems == []


@pytest.fixture(scope="module")
def compared(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of two runs, the later one worse."""
    folder = tmp_path_factory.mktemp("compared")
    worse = world.write(folder / "worse", shift=-0.2)
    return core.build([Run(project, "old", "abc"), Run(worse, "new", "def")], folder / "site", OPTIONS)


@pytest.mark.parametrize("width_px", [1280, 390])
def test_the_editor_is_in_sight_and_both_runs_dubs_side_by_side(page: Page, compared: Path, width_px: int):
    page.open(compared.as_uri(), width_px)
    page.wait(PAINTED)
    for table in ("#verdict", "#metrics"):
        assert page.evaluate(f"document.querySelector('{table} thead th:nth-child(2)').textContent") == "editor"
        assert page.evaluate(f"document.querySelector('{table} td').getBoundingClientRect().right") <= width_px
    tile = "document.querySelector(`#clip canvas[data-tile='editor (${run})']`)"
    assert len(set(page.evaluate(f"['A', 'B'].map(run => {tile}.getBoundingClientRect().top)"))) == 1
    marks = "[...document.querySelectorAll('#clip .plot > :last-child > span')].map(mark => mark.textContent)"
    assert page.evaluate(marks) == ["0 s", "0.38 s", "0.76 s"]


@pytest.fixture(params=["served", "read-only", "compared"])
def shown(request: pytest.FixtureRequest) -> str:
    """The address of each kind of page."""
    if request.param == "served":
        return str(request.getfixturevalue("address"))
    path: Path = request.getfixturevalue("compared" if request.param == "compared" else "site")
    return (path if path.is_file() else path / "index.html").as_uri()


@pytest.mark.parametrize("width_px", [1280, 390])
def test_it_is_accessible(page: Page, shown: str, width_px: int):
    page.open(shown, width_px)
    page.wait(PAINTED)
    page.evaluate(AXE.read_text() + "; 1")
    found = page.evaluate(
        "axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 150)).join(' | ')))"
    )
    assert found == []
