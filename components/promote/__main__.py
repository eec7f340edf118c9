"""Make the exported model the approved one, if the gate is passed and somebody approved it; or pack its release."""

import argparse
import hashlib
import logging
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from components.core.base import errors, params, runtime

if TYPE_CHECKING:
    from components.promote.cards import Lineage

ABSENT, NO_COMMIT = "unknown", "no commit"


@errors.shell
def main() -> None:
    """Reads the arguments and promotes, or releases what was promoted."""
    parser = argparse.ArgumentParser(prog="dubstrap promote", description=__doc__)
    parser.add_argument("--release", type=Path, metavar="DIR", help="pack models/approved into this folder instead")
    arguments = parser.parse_args()
    runtime.start()
    from components.promote import core

    log, project = logging.getLogger(__name__), core.Project(Path())
    if arguments.release:
        log.info("packed %s", core.release(project, arguments.release))
        return
    log.info("model %s is in %s", core.promote(project, lineage()), project.approved)
    log.info("commit %s and %s: later runs are compared with them", project.baseline, project.baseline_clips)


def lineage() -> "Lineage":
    """What git and DVC say of the workspace."""
    from components.promote.cards import Lineage

    head = ["git", "rev-parse", "--verify", "--quiet", "HEAD"]
    done = subprocess.run(head, capture_output=True, text=True, check=False)
    outs = params.read(Path("data.dvc")).get("outs", [{}]) if Path("data.dvc").is_file() else [{}]
    lock = Path("dvc.lock")
    run = hashlib.sha256(lock.read_bytes()).hexdigest()[:12] if lock.is_file() else ABSENT
    return Lineage(done.stdout.strip() or NO_COMMIT, str(outs[0].get("md5", ABSENT)), run)


if __name__ == "__main__":
    main()
