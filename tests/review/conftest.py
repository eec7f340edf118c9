"""One tiny run for all tests of the folder, its site, and a browser where there is one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.core.statistics.drift import Limits
from components.review import core
from components.review.run import Run
from scripts.browser import Page, chromium, executable
from tests.review import world

LIMITS = Limits(("lip_opening_r", "mouth_ssim"), "wasserstein", 0.3, 0.5)
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


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A tab of Chromium."""
    if executable() is None:
        pytest.skip("Chromium is not installed here (Debian: apt-get install chromium)")
    with chromium(tmp_path_factory.mktemp("profile")) as tab:
        yield tab
