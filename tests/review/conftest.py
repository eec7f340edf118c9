"""One tiny run for all tests of the folder, its site, and a browser where there is one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from components.core.statistics.drift import Limits
from components.review import core
from components.review.run import Run
from scripts import browser
from tests.review import world

LIMITS = Limits(("lip_opening_r", "mouth_ssim"), "wasserstein", 0.3, 0.5)
expect.set_options(timeout=browser.WAIT_MS)
OPTIONS = core.Options(most_pairs=500, workers=1, decides=False, reviews=Path("absent"), limits=LIMITS)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    return world.write(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def site(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its page, read-only."""
    out = tmp_path_factory.mktemp("out") / "site"
    core.build([Run(project, "the workspace", "abc")], out, OPTIONS)
    return out


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium, for one file: other tests of this thread may want asyncio."""
    if browser.executable() is None:
        pytest.skip("Chromium is not installed here (Debian: apt-get install chromium)")
    with browser.chromium() as started:
        yield started


@pytest.fixture
def windows(chromium: Browser) -> Iterator[browser.Windows]:
    """Its windows in one test, which begins without problems."""
    opened = browser.Windows(chromium)
    yield opened
    opened.close()
