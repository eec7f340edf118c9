"""Every kind of problem that a page may have is noted; a page without any is not blamed."""

from pathlib import Path

import pytest

from scripts.browser import Windows
from tests.review.conftest import chromium, windows  # noqa: F401 (fixtures)

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("fault", "noted"),
    [
        ("<script>console.log('fine')</script>", []),
        ("<script>console.error('ouch')</script>", ["ouch"]),
        ("<script>console.warn('hm')</script>", ["hm"]),
        ("<script>console.assert(false, 'untrue')</script>", ["untrue"]),
        ("<script>setTimeout(() => { throw Error('thrown') })</script>", ["thrown"]),
        ("<script>Promise.reject(Error('rejected'))</script>", ["rejected"]),
        ("<img src=absent.png>", ["ERR_FILE_NOT_FOUND"]),
        ("<video src=absent.mp4>", ["ERR_FILE_NOT_FOUND"]),
        ("<img src=http://127.0.0.1:1/>", ["ERR_UNSAFE_PORT"]),
        ("<img src=http://example.com/>", ["loads http://example.com/", "ERR_NAME_NOT_RESOLVED"]),
        ("<iframe src=http://localhost/></iframe>", ["loads http://localhost/"]),
        (
            "<script>fetch('http://192.0.2.1/')</script>",
            ["loads http://192.0.2.1/", "ERR_NAME_NOT_RESOLVED", "Failed to fetch"],
        ),
        ("<meta http-equiv=Content-Security-Policy content='img-src data:'><img src=absent.png>", ["directive"]),
    ],
)
def test_problems_are_noted(windows: Windows, tmp_path: Path, fault: str, noted: list[str]):  # noqa: F811
    (tmp_path / "index.html").write_text(f"<!DOCTYPE html><title>x</title>{fault}")
    windows.open((tmp_path / "index.html").as_uri(), ready="body").wait_for_load_state("networkidle")
    assert len(windows.problems) == len(noted), windows.problems
    assert all(any(word in problem for problem in windows.problems) for word in noted), windows.problems
