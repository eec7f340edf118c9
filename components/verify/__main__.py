"""Read the Content Credentials (C2PA) of a dubbed video back, and say whether they hold."""

import argparse
import json
import sys
from pathlib import Path

from components.core.base import runtime
from components.core.base.errors import shell


@shell
def main() -> None:
    """The command `dubstrap verify`."""
    parser = argparse.ArgumentParser("dubstrap verify", description=__doc__)
    parser.add_argument("file", type=Path, help="a video that `dubstrap dub` wrote")
    parser.add_argument("--json", action="store_true", help="everything, as JSON")
    given = parser.parse_args()
    runtime.start()
    from components.verify import core

    found = core.run(given.file)
    text = json.dumps(found.manifests, indent=2, sort_keys=True) if given.json else core.text(found)
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
