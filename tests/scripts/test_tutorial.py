"""The pictures of a run that went as far as evaluate, and of one that did not."""

import sys
from pathlib import Path

import cv2
import pytest

from scripts import tutorial
from tests.review import world


def call(monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    arguments = ["--artifacts", str(folder / "artifacts"), "--page", str(folder / "docs/page.md")]
    monkeypatch.setattr(sys, "argv", ["tutorial", *arguments, "--images", str(folder / "docs/images")])
    tutorial.main()
    return (folder / "docs/page.md").read_text()


def test_there_is_a_picture_of_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    world.write(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/page.md").write_text(f"before\n{tutorial.BEGIN}\nold\n{tutorial.END}\nafter\n")
    page = call(monkeypatch, tmp_path)
    assert page.startswith("before")
    assert page.endswith("after\n")
    assert "old" not in page
    assert {path.stem for path in (tmp_path / "docs/images").iterdir()} == {"crops", "pairs", "phases"}
    assert "images/pairs.jpg" in page
    assert "clips.jpg" not in page  # this run's clips are gone
    row_px = tutorial.TILE_PX + tutorial.LABEL_PX
    assert cv2.imread(str(tmp_path / "docs/images/pairs.jpg")).shape == (3 * 3 * row_px, 7 * tutorial.TILE_PX, 3)
    assert cv2.imread(str(tmp_path / "docs/images/phases.jpg")).shape[0] == 2 * 6 * row_px


def test_a_page_without_a_place_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    world.write(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/page.md").write_text("nothing")
    with pytest.raises(SystemExit):
        call(monkeypatch, tmp_path)
    assert "no place for the pictures" in capsys.readouterr().err
