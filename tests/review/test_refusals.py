"""What the server can't read or refuses is said on the page, which shows everything else."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from components.core.base import files
from scripts.browser import Windows
from tests.review.test_page import painted, served

pytestmark = pytest.mark.browser


def test_a_bad_line_costs_no_player(windows: Windows, project: Path, tmp_path: Path):
    with served(project, tmp_path / "site", tmp_path / "reviews") as where:
        files.write_text(tmp_path / "reviews/merged.jsonl", "<<<<<<< HEAD\n")
        page = painted(windows.open(where))
        expect(page.locator("#verdict [role=alert]")).to_contain_text("merged.jsonl is no decision")


def test_another_token_is_said_when_deciding(windows: Windows, project: Path, tmp_path: Path):
    with served(project, tmp_path / "site", tmp_path / "reviews") as where:
        page = painted(windows.open(where))
        words = "open the address with its token"
        page.route("**/api/decisions", lambda route: route.fulfill(status=401, content_type="text/plain", body=words))
        page.locator("#verdict .decide input").fill("Ann")
        page.locator('#verdict [data-verdict="approve"]').click()
        expect(page.locator("#verdict [role=status]")).to_have_text(f"not saved: {words}")
