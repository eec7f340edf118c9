"""Pictures of the review page to be looked at: every section of it, as wide as a desk's window and as a phone's.

`python -m scripts.screenshots --out DIR` after `make repro`; other options, such as `--rev REV` or `--compare A B`, are
handed to `dubstrap review`, whose page is left in DIR/site. Needs Chromium; what Chromium complains of is an error.
"""

import argparse
import logging
import subprocess
import sys
from pathlib import Path

from components.core.base import errors, runtime
from scripts import browser

WIDTHS_PX = (1280, 390)
UNPAINTED = "canvas:not([data-frame])"
BARE = "::-webkit-scrollbar { display: none }"


def shoot(windows: browser.Windows, index: Path, out: Path) -> list[Path]:
    """A PNG of each part of the page at each width: DIR/1280-verdict.png and so on.

    Raises:
        UserError: the page reaches for the internet, or its script or a file of it fails.
    """
    made = []
    for width_px in WIDTHS_PX:
        page = windows.open(index.resolve().as_uri(), width_px)
        page.wait_for_selector(UNPAINTED, state="detached")
        for part in page.locator("header, section").all():
            made.append(out / f"{width_px}-{part.get_attribute('id') or 'header'}.png")
            part.screenshot(path=made[-1], style=BARE)
    if windows.problems:
        raise errors.UserError(f"{index} has faults", got="; ".join(windows.problems))
    return made


@errors.shell
def main() -> None:
    """Builds the page, opens it, shoots."""
    parser = argparse.ArgumentParser(prog="python -m scripts.screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for 1280-verdict.png and so on, and the page")
    options, others = parser.parse_known_args()
    runtime.start()
    if browser.executable() is None:
        raise errors.UserError("Chromium is not installed here", fix="Debian: apt-get install chromium")
    site = options.out / "site"
    review = (sys.executable, "-m", "components.review", "--out", str(site), *others)
    if failed := subprocess.run(review, check=False).returncode:
        sys.exit(failed)
    with browser.chromium() as chromium:
        made = shoot(browser.Windows(chromium), site / "index.html", options.out)
    logging.getLogger(__name__).info("look at %d pictures in %s", len(made), options.out)


if __name__ == "__main__":
    main()
