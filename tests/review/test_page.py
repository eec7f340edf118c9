"""The page in headless Chromium: offline, in step, deciding, at both widths, accessible."""

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import uvicorn
from playwright.sync_api import Page, expect

from components.core.base import reviews
from components.core.statistics.drift import Limits, compare
from components.review import core, server
from components.review.run import Run
from scripts.browser import Windows
from tests.review import world
from tests.review.conftest import OPTIONS

pytestmark = pytest.mark.browser
AXE = Path(__file__).parent / "axe" / "axe.min.js"
SHOWN = "document.querySelectorAll('#clip figure:not([hidden]) canvas')"
UNPAINTED = "#clip figure:not([hidden]) canvas:not([data-frame])"
# The frame that each visible tile really shows, read from its pixels (world.grey).
SEEN = f"[...{SHOWN}].map(c => Math.round((c.getContext('2d').getImageData(24, 24, 1, 1).data[1] - 30) / 10))"
# Notes what is seen at each repaint of the window, from now on.
RECORD = f"""() => {{
    window.recorded = [];
    const watch = () => {{ recorded.push({SEEN}); requestAnimationFrame(watch); }};
    watch();
}}"""

# Keeps the films of the players that are made from now on; they are in no document.
FILMS = """() => {
    window.films = [];
    const create = document.createElement.bind(document);
    document.createElement = tag => {
        const made = create(tag);
        if (tag === "video") films.push(made);
        return made;
    };
}"""


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


def painted(page: Page) -> Page:
    """The page, once every visible tile of a clip shows a frame."""
    page.wait_for_selector(UNPAINTED, state="detached")
    return page


@pytest.fixture(scope="module")
def address(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served review that nobody has decided in."""
    folder = tmp_path_factory.mktemp("served")
    with served(project, folder / "site", folder / "reviews") as where:
        yield where


@pytest.mark.parametrize("width_px", [1280, 390])
def test_it_opens_from_disk_offline_without_a_word_on_the_console(windows: Windows, site: Path, width_px: int):
    page = painted(windows.open((site / "index.html").as_uri(), width_px))
    assert windows.problems == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width_px
    for part in ("#clip canvas", "#clip .curve", '[data-role="play"]', "#metrics td"):
        assert page.locator(part).first.bounding_box()["width"] > 10, part
    assert page.locator(".decide:not([hidden])").count() == 0  # read-only


def test_tiles_stay_in_step_while_playing_and_stepping(windows: Windows, address: str):
    page = painted(windows.open(address))
    tile = page.locator("#clip figure:not([hidden]) canvas").first
    assert set(page.evaluate(SEEN)) == {0}
    for expected in (1, 2, 3):
        page.locator('#clip [data-role="on"]').click()
        expect(tile).to_have_attribute("data-frame", str(expected))
        assert set(page.evaluate(SEEN)) == {expected}
    page.locator('#clip [data-role="back"]').click()
    expect(tile).to_have_attribute("data-frame", "2")
    page.evaluate(RECORD)
    page.locator('#clip [data-role="play"]').click()
    expect(tile).to_have_attribute("data-frame", re.compile(f"{world.FRAMES - 2}|{world.FRAMES - 1}"))
    recorded = page.evaluate("new Promise(done => requestAnimationFrame(() => done(recorded)))")
    assert recorded[-1][0] >= world.FRAMES - 2
    assert max(max(tiles) - min(tiles) for tiles in recorded) <= 1
    assert len({tiles[0] for tiles in recorded}) > 5, "it did not play"


def test_a_player_has_sound_curves_keys_speed_and_the_mouth_alone(windows: Windows, address: str):
    page = windows.open(address)
    page.evaluate(FILMS)
    page.locator("#clip .list button").nth(1).click()
    painted(page)
    tile = page.locator("#clip figure:not([hidden]) canvas").first

    lines = page.locator("#clip .curve .line").evaluate_all("all => all.map(line => line.getAttribute('d'))")
    drawn = dict(zip(page.locator("#clip .plot + .legend .key").all_text_contents(), lines, strict=True))
    high = 0.1 + 0.01 * (world.FRAMES - 1) * len(world.ROWS)  # world.evaluate: the editor's last; the lowest is .1
    places = [(4 + 592 * f / (world.FRAMES - 1), 124 - 118 * 0.01 * f / (high - 0.1)) for f in range(world.FRAMES)]
    assert drawn["truth"] == "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    assert drawn["editor"].count("M") == 2  # a frame in between has no face

    cursor = page.locator("#clip .curve .cursor")
    player = page.locator("#clip .player > div")
    for key, frame in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        player.press(key)
        expect(tile).to_have_attribute("data-frame", str(frame))
        assert set(page.evaluate(SEEN)) == {frame}
        assert float(cursor.get_attribute("x1")) == pytest.approx(places[frame][0])

    page.locator("#clip").get_by_label("mouth only").check()
    assert tile.evaluate("tile => [tile.width, tile.height]") == [world.SIZE * 8 // 12, world.SIZE * 6 // 12]
    page.locator("#clip").get_by_label("mouth only").uncheck()
    page.locator("#clip [aria-label=speed]").select_option("0.5")
    player.press(" ")
    expect(tile).to_have_attribute("data-frame", re.compile(f"{world.FRAMES - 2}|{world.FRAMES - 1}"))
    (film,) = page.evaluate("films.map(f => [f.muted, f.volume, f.playbackRate, f.webkitAudioDecodedByteCount > 0])")
    assert film == [False, 1, 0.5, True]


def test_the_worst_come_first_by_any_metric_and_slices_filter(windows: Windows, address: str):
    page = windows.open(address)

    def names() -> list[str]:
        return page.locator("#clip .list button").evaluate_all("all => all.map(b => b.dataset.id.slice(0, 8))")

    def choose(role: str, value: str) -> list[str]:
        page.locator(f"#clip [data-role={role}]").select_option(value)
        return names()

    assert names() == ["speaker0", "speaker1", "speaker2", "speaker3"]
    assert choose("end", "best")[0] == "speaker3"
    assert choose("metric", "sharpness_ratio")[0] == "speaker3"  # 0.36 is nearest to 1
    assert choose("slice", "language=es") == ["speaker2", "speaker0"]
    page.locator("#clip [data-role=search]").fill("AKER0")
    assert names() == ["speaker0"]
    quarantined = filter(None, page.locator("#pair .mark").all_text_contents())
    assert sorted(quarantined) == ["quarantined: no_flicker", "quarantined: review"]


def test_a_quarantined_pair_is_one_click_away(windows: Windows, address: str):
    page = painted(windows.open(address))
    shown = page.locator("#pair .player > div")
    assert shown.get_attribute("data-id") != "speaker2-clip1--0"
    page.locator('#data a[href="#pair:speaker2-clip1--0"]').click()
    expect(shown).to_have_attribute("data-id", "speaker2-clip1--0")
    assert "In quarantine: review" in page.locator("#pair .player").text_content()
    assert page.locator("#pair .legend").text_content().count("companion") == 1
    page = windows.open(address + "#clip:speaker3-clip--pair3")  # as somebody sends it
    expect(page.locator("#clip .player > div")).to_have_attribute("data-id", "speaker3-clip--pair3")
    windows.open(address + "#clip:%E0%A4%A")  # cut off
    assert windows.problems == []


@pytest.mark.parametrize("kind", ["pair", "clip"])
@pytest.mark.parametrize("verdict", ["approve", "reject", "comment"])
def test_a_decision_survives_a_reload(windows: Windows, project: Path, tmp_path: Path, kind: str, verdict: str):
    said = f"#{kind} .said li"
    with served(project, tmp_path / "site", tmp_path / "reviews") as where:
        page = painted(windows.open(where))
        page.locator(f"#{kind} .decide input").fill("Ann")
        page.locator(f"#{kind} .decide textarea").fill(world.HOSTILE)
        judged = page.locator(f"#{kind} .player > div").get_attribute("data-id")
        page.locator(f'#{kind} [data-verdict="{verdict}"]').click()
        expect(page.locator(f"#{kind} .decide [role=status]")).to_have_text(f"saved: {verdict}")
        page = windows.open(where, 390)
        assert page.locator(said).text_content().startswith(f"{verdict}: {world.HOSTILE} — Ann")
        mark = page.locator(f"#{kind} .list [aria-current=true] .mark").text_content()
        standing = {"approve": ["approved"], "reject": ["rejected"], "comment": []}[verdict]
        assert [word for word in ("approved", "rejected") if word in mark] == standing
        assert page.locator("img").count() == 0
        shown = {}
        for state in ("", "open", "approve", "reject"):
            page.locator(f"#{kind} [data-role=state]").select_option(state)
            shown[state] = set(page.locator(f"#{kind} .list button").evaluate_all("all => all.map(b => b.dataset.id)"))
        assert [state for state in shown if judged in shown[state]] == ["", "open" if verdict == "comment" else verdict]
        assert len(shown["approve"] | shown["reject"]) == len(standing)
        assert shown["open"] == shown[""] - shown["approve"] - shown["reject"]
        assert windows.problems == []
    (kept,) = reviews.read(tmp_path / "reviews")
    assert (kept.kind, kept.id, kept.verdict, kept.comment) == (kind, judged, verdict, world.HOSTILE)
    core.build([Run(project, "x", "abc")], tmp_path / "still", replace(OPTIONS, reviews=tmp_path / "reviews"))
    page = windows.open((tmp_path / "still/index.html").as_uri())  # read-only, it shows what was decided
    assert world.HOSTILE in page.locator(said).text_content()
    assert page.locator("[data-verdict]").count() == 0


def test_what_is_not_saved_is_said(windows: Windows, address: str):
    page = painted(windows.open(address))
    page.locator("#verdict .decide input").fill("")
    page.locator('#verdict [data-verdict="approve"]').click()
    expect(page.locator("#verdict [role=status]")).to_have_text(re.compile("^not saved: reviewer must have"))


def test_a_decision_of_an_earlier_run_still_stands(windows: Windows, project: Path, tmp_path: Path):
    pair = "speaker0-clip0--0"
    for kind, id_ in (("pair", pair), ("model", "another card")):
        decision = reviews.Decision(reviews.now(), "earlier", kind, id_, "approve", "fine", "Bob")
        reviews.append(tmp_path / "reviews/old.jsonl", decision)
    with served(project, tmp_path / "site", tmp_path / "reviews") as where:
        page = windows.open(f"{where}#pair:{pair}")
        said = page.locator(f'#pair [data-id="{pair}"] .said li').text_content()
        assert said.startswith("approve: fine — Bob")
        assert said.endswith("UTC (run earlier)")
        marks = page.locator("#pair .mark", has_text=re.compile("^app"))
        assert marks.all_text_contents() == ["approved (run earlier)"]
        assert page.locator("#verdict .said li").count() == 0  # another model's
        page.locator('#pair [data-verdict="reject"]').click()
        expect(page.locator("#pair .decide [role=status]")).to_have_text(re.compile("^not saved"))
        page.locator("#pair .decide input").fill("Ann")
        page.locator('#pair [data-verdict="reject"]').click()
        expect(marks).to_have_count(0)  # the newest wins


def test_reports_can_not_decide(windows: Windows, project: Path, tmp_path: Path):
    hostile = """<!DOCTYPE html><title>-</title><script>
    const body = {kind: "model", id: "0123456789ab", verdict: "approve", comment: "", reviewer: "nobody"};
    fetch("/api/decisions", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)})
      .then(() => { document.title = "sent"; }, () => { document.title = "refused"; });</script>"""
    with served(project, tmp_path / "site", tmp_path / "reviews") as where:
        (tmp_path / "site/drift.html").write_text(hostile)
        page = windows.open(where + "drift.html", ready="body")
        expect(page).not_to_have_title("-")
        assert page.title() == "refused"
    assert reviews.read(tmp_path / "reviews") == []


@pytest.mark.slow
def test_evidently_works_under_our_policy(windows: Windows, project: Path, tmp_path: Path):
    with served(project, tmp_path / "site", tmp_path / "reviews") as where:
        table = pd.DataFrame({"lip_opening_r": [0.1 * number for number in range(9)]})
        limits = Limits(("lip_opening_r",), "wasserstein", 0.3, 0.5)
        compare(table, table, limits, tmp_path / "site/drift.html")
        page = windows.open(where + "drift.html", ready="body")
        expect(page.locator("body")).to_contain_text("lip_opening_r", use_inner_text=True)
        assert windows.problems == []


def test_five_hundred_pairs_with_long_names(
    windows: Windows, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    run = Run(project, "the workspace", "abc")
    one = core.companions.pairs(run, 1, 1)[0]
    many = [replace(one, id=f"{number:03}-{'long name ' * 20}{world.HOSTILE}") for number in range(500)]
    monkeypatch.setattr(core.companions, "pairs", lambda *given: many)
    core.build([run], tmp_path / "site", OPTIONS)
    for width_px in (1280, 390):
        page = windows.open((tmp_path / "site/index.html").as_uri(), width_px)
        assert page.locator("#pair .list button").count() == 500
        assert page.evaluate("document.documentElement.scrollWidth") <= width_px
    assert windows.problems == []


@pytest.fixture(scope="module")
def compared(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of two runs, the later one worse."""
    folder = tmp_path_factory.mktemp("compared")
    worse = world.write(folder / "worse", shift=-0.2)
    return core.build([Run(project, "old", "abc"), Run(worse, "new", "def")], folder / "site", OPTIONS)


@pytest.mark.parametrize("width_px", [1280, 390])
def test_the_editor_is_in_sight_and_both_runs_dubs_side_by_side(windows: Windows, compared: Path, width_px: int):
    page = painted(windows.open(compared.as_uri(), width_px))
    for table in ("#verdict", "#metrics"):
        assert page.locator(f"{table} thead th:nth-child(2)").first.text_content() == "editor"
        cell = page.locator(f"{table} td").first.bounding_box()
        assert cell["x"] + cell["width"] <= width_px
    tiles = [page.locator(f"#clip canvas[data-tile='editor ({run})']").bounding_box() for run in "AB"]
    assert tiles[0]["y"] == tiles[1]["y"]
    marks = page.locator("#clip .plot > :last-child > span").all_text_contents()
    assert marks == ["0 s", "0.38 s", "0.76 s"]


@pytest.fixture(params=["served", "read-only", "compared"])
def shown(request: pytest.FixtureRequest) -> str:
    """The address of each kind of page."""
    if request.param == "served":
        return str(request.getfixturevalue("address"))
    path: Path = request.getfixturevalue("compared" if request.param == "compared" else "site")
    return (path if path.is_file() else path / "index.html").as_uri()


@pytest.mark.parametrize("width_px", [1280, 390])
def test_it_is_accessible(windows: Windows, shown: str, width_px: int):
    page = painted(windows.open(shown, width_px))
    page.evaluate(AXE.read_text() + "; 1")
    found = page.evaluate(
        "axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 150)).join(' | ')))"
    )
    assert found == []
