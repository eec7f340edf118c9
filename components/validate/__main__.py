"""Checks clips, crops or pairs against suites of expectations, and stops the pipeline where training would be wrong."""

import argparse
from pathlib import Path

from components.core.base import errors, runtime


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m components.validate", description=__doc__)
    tables = parser.add_subparsers(dest="table", required=True)
    clips = tables.add_parser("clips", help="clips.parquet: a broken critical expectation stops the pipeline")
    clips.add_argument("--clips", type=Path, required=True, help="folder of clips.parquet")
    crops = tables.add_parser("crops", help="crops.parquet: a broken critical expectation stops the pipeline")
    crops.add_argument("--crops", type=Path, required=True, help="folder of crops.parquet")
    pairs = tables.add_parser("pairs", help="pairs.parquet: bad companions are quarantined, each with its reason")
    pairs.add_argument("--pairs", type=Path, required=True, help="folder of pairs.parquet")
    pairs.add_argument("--crops", type=Path, required=True, help="folder of crops.parquet: real clips to compare with")
    pairs.add_argument("--reviews", type=Path, required=True, help="folder of people's decisions; rejected pairs go")
    footage = tables.add_parser("footage", help="new footage against what was trained on: a drift report")
    footage.add_argument("--new", type=Path, required=True, help="folder of the new footage's crops.parquet")
    footage.add_argument("--crops", type=Path, required=True, help="folder of crops.parquet: what was trained on")
    for parser_ in (clips, crops, pairs, footage):
        parser_.add_argument("--out", type=Path, required=True, help="folder for the reports")
        parser_.add_argument("--metrics", type=Path, required=True, help="JSON of the counts")
    return parser.parse_args()


@errors.shell
def main() -> None:
    options = arguments()
    runtime.start()
    from components.validate import shell

    checks = {"clips": shell.clips, "crops": shell.crops, "pairs": shell.pairs, "footage": shell.footage}
    checks[options.table](options)


if __name__ == "__main__":
    main()
