"""Pictures of the review page to be looked at: every section of it, as wide as a desk's window and as a phone's.

`python -m scripts.screenshots --out DIR` after `make repro`; other options, such as `--rev REV` or `--compare A B`, are
handed to `dubstrap review`, whose page is left in DIR/site. Needs Chromium; what Chromium complains of is an error.
"""

import argparse
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

from components.core.base import errors, runtime
from scripts.browser import Page, chromium, executable

WIDTHS_PX = (1280, 390)
PARTS = "[...document.querySelectorAll('header, section')].map(part => part.id || 'header')"
PAINTED = "[...document.querySelectorAll('canvas')].every(tile => tile.dataset.frame !== undefined)"


def shoot(page: Page, index: Path, out: Path) -> list[Path]:
    """A PNG of each part of the page at each width: DIR/1280-verdict.png and so on.

    Raises:
        UserError: the page reaches for the internet, or its script or a file of it fails.
    """
    page.call("Emulation.setScrollbarsHidden", hidden=True)
    made = []
    for width_px in WIDTHS_PX:
        page.open(index.resolve().as_uri(), width_px)
        page.wait(PAINTED)
        for part in page.evaluate(PARTS):
            made.append(out / f"{width_px}-{part}.png")
            page.picture(made[-1], "header" if part == "header" else f"#{part}")
    if page.problems:
        raise errors.UserError(f"{index} has faults", got="; ".join(page.problems))
    return made


@errors.shell
def main() -> None:
    """Builds the page, opens it, shoots."""
    parser = argparse.ArgumentParser(prog="python -m scripts.screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for 1280-verdict.png and so on, and the page")
    options, others = parser.parse_known_args()
    runtime.start()
    if executable() is None:
        raise errors.UserError("Chromium is not installed here", fix="Debian: apt-get install chromium")
    site = options.out / "site"
    review = (sys.executable, "-m", "components.review", "--out", str(site), *others)
    if failed := subprocess.run(review, check=False).returncode:
        sys.exit(failed)
    with tempfile.TemporaryDirectory() as profile, chromium(Path(profile)) as page:
        made = shoot(page, site / "index.html", options.out)
    logging.getLogger(__name__).info("look at %d pictures in %s", len(made), options.out)


if __name__ == "__main__":
    main()
