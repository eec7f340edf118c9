"""Footage to clips: probes, rejects with a reason, resamples to 25 fps and 16 kHz, cuts shots."""

import argparse
from pathlib import Path

from components.core.base import files, params, runtime
from components.core.base.errors import shell


@shell
def main() -> None:
    """Reads the arguments and params.yaml, runs, writes the metrics."""
    parser = argparse.ArgumentParser(
        prog="python -m components.ingest",
        description=__doc__,
        epilog="Footage is data/footage/<speaker>/<clip>.mp4 (or mov, mkv, mpg, ...) with a rights.yaml beside it: "
        "`dubstrap rights data/footage/<speaker>` writes one. See components/ingest/README.md.",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with footage/ and, perhaps, truth/")
    parser.add_argument("--out", type=Path, required=True, help="folder for the clips and their tables")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON file for counts and seconds")
    parser.add_argument("--workers", type=int, default=runtime.cores(), help="processes (default: every core)")
    args = parser.parse_args()
    runtime.start()

    from components.ingest.core import run
    from components.ingest.params import Params

    made = run(args.data, args.out, params.load(Params, "ingest"), args.workers)
    files.write_json(args.metrics, made.metrics())


if __name__ == "__main__":
    main()
