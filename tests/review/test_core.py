"""The site says what there is and what is missing, escapes what it is given, and loads nothing from elsewhere."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from components.core.base import files
from components.core.base.errors import UserError
from components.review import core, drift
from components.review.run import Run
from tests.review import world
from tests.review.conftest import OPTIONS


class Tags(HTMLParser):
    """Every tag and every address of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def read(site: Path) -> Tags:
    return Tags((site / "index.html").read_text())


def test_the_page_loads_nothing_from_elsewhere(site: Path):
    addresses = read(site).addresses
    assert all(
        address.startswith("#") or address.startswith("data:") or (site / address).exists() for address in addresses
    )
    assert {"pairs_docs/index.html", "drift.html"} <= set(addresses)
    assert len(list((site / "films").iterdir())) == 4 + 6


def test_hostile_names_and_reasons_stay_text(site: Path):
    page = read(site)
    assert "img" not in page.tags
    assert page.text.count("onerror=alert(1)") >= 2
    assert page.text.count("{{7*7}}") >= 2
    assert core.json_for_script({"a": "</script><!--\u2028"}) == '{"a": "\\u003c/script\\u003e\\u003c!--\\u2028"}'
    assert json.loads(core.json_for_script(world.HOSTILE)) == world.HOSTILE


def test_what_was_not_measured_and_what_was_turned_away_is_said(site: Path):
    text = read(site).text
    for words in (
        "not_measured",
        "mouth_ssim: no reason",
        "no_face",
        "no approved run",
        "0a1b.dir",
        "1.20 s per second",
    ):
        assert words.replace("not_measured", "Not measured") in text


def test_a_half_finished_run_says_what_is_missing(tmp_path: Path):
    files.write_json(tmp_path / "project/metrics/ingest.json", {"clips": 3, "rejected": 0})
    files.write_text(tmp_path / "project/dvc.yaml", "stages: {ingest: {}, evaluate: {}}")
    files.write_text(tmp_path / "project/dvc.lock", "stages: {ingest: {deps: []}}")
    core.build([Run(tmp_path / "project", "half", "abc")], tmp_path / "out", OPTIONS)
    text = read(tmp_path / "out").text
    assert "not finished: evaluate has not run" in text
    for command in ("dvc repro evaluate", "dvc repro pairs", "dvc repro export"):
        assert command in text


def test_the_gate_and_changes_are_against_the_approved_run(tmp_path: Path):
    project = world.write(tmp_path / "project")
    rows = {"editor": {"lip_opening_r": world.interval(0.9), "mouth_psnr_db": world.interval(0.1)}}
    files.write_json(project / "metrics/approved.json", {"rows": rows})
    core.build([Run(project, "now", "abc")], tmp_path / "out", OPTIONS)
    text = read(tmp_path / "out").text
    assert "not passed, 1 metric of the editor fell" in text
    assert "lip_opening_r: was 0.9 (0.85 to 0.95), is 0.5 (0.45 to 0.55)" in text
    assert "-0.4 worse" in text
    assert "+0.4 better" in text


def test_ablations_are_tables_of_their_own(tmp_path: Path):
    project = world.write(tmp_path / "project")
    line = {"train_steps": 400, "mouth_psnr_db": world.interval(27.5)}
    files.write_json(project / "metrics/ablations.json", {"variants": {"no pasted mouths": line}, "steps": {}})
    core.build([Run(project, "x", "abc")], tmp_path / "out", OPTIONS)
    text = read(tmp_path / "out").text
    assert "no pasted mouths" in text
    assert "27.5 (27.4 to 27.6)" in text
    assert "train_steps" not in text


def test_two_runs_side_by_side(project: Path, tmp_path: Path):
    other = Run(world.write(tmp_path / "b", shift=0.2), "candidate", "def")
    core.build([Run(project, "base", "abc"), other], tmp_path / "out", OPTIONS)
    text = read(tmp_path / "out").text
    assert "A = base" in text
    assert "editor.lip.rank" in text
    assert "+0.2 better" in text
    assert "loss (A)" in text
    assert not (tmp_path / "out/against.html").exists()  # four clips have no distribution


@pytest.mark.slow
def test_distributions_of_two_runs_are_compared(tmp_path: Path):
    old, new = (
        Run(world.write(tmp_path / name, clips=6, shift=shift), name, "abc") for name, shift in (("a", 0), ("b", 0.2))
    )
    assert drift.write(old, new, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "lip_opening_r" in text
    assert "mouth_ssim" not in text  # measured on no clip


def test_only_reviews_are_replaced(project: Path, tmp_path: Path):
    run = Run(project, "x", "abc")
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(UserError, match="is not a review"):
        core.build([run], tmp_path, OPTIONS)
    assert (tmp_path / "mine.txt").read_text() == "precious"
    for _ in range(2):
        core.build([run], tmp_path / "site", OPTIONS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt", "site"]
