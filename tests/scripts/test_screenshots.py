"""The review page of a small run is shot whole, at both widths."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from components.core.base.errors import UserError
from scripts import screenshots
from scripts.browser import Windows
from tests.review.conftest import chromium, windows  # noqa: F401 (fixtures)
from tests.review.world import write

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]


def test_every_part_is_shot_at_both_widths(windows: Windows, tmp_path: Path):  # noqa: F811
    """Asks for `windows` because it skips without Chromium."""
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-m", "scripts.screenshots", "--out", str(out), "--compare", "workspace", "workspace"],
        cwd=write(tmp_path / "project"),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "compared with" in (out / "site/index.html").read_text()
    for width_px in screenshots.WIDTHS_PX:
        shot = {path.stem.partition("-")[2]: cv2.imread(str(path)) for path in out.glob(f"{width_px}-*.png")}
        assert {"header", "verdict", "clip", "pair", "metrics", "lineage"} <= set(shot)
        assert all(width_px * 0.8 < picture.shape[1] <= width_px for picture in shot.values())
        assert all(picture.std() > 1 for picture in shot.values()), "blank"
        assert shot["clip"].shape[0] > 300, "cut off"


def test_a_page_with_a_fault_is_refused(windows: Windows, tmp_path: Path):  # noqa: F811
    index = tmp_path / "index.html"
    index.write_text("<!DOCTYPE html><body data-ready=yes><header>x</header><script>console.error('ouch')</script>")
    with pytest.raises(UserError, match=r"index\.html has faults.*ouch"):
        screenshots.shoot(windows, index, tmp_path)
