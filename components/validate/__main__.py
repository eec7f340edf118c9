"""Checks clips or pairs against suites of expectations, and stops the pipeline where training would be wrong."""

import argparse
import logging
from pathlib import Path

from components.core.base import errors, files, params, reviews, runtime
from components.validate import core, expectations, tables
from components.validate.params import ClipsParams, Limits, PairsParams


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m components.validate", description=__doc__)
    tables = parser.add_subparsers(dest="table", required=True)
    clips = tables.add_parser("clips", help="clips.parquet: a broken critical expectation stops the pipeline")
    clips.add_argument("--clips", type=Path, required=True, help="folder of clips.parquet")
    pairs = tables.add_parser("pairs", help="pairs.parquet: bad companions are quarantined, each with its reason")
    pairs.add_argument("--pairs", type=Path, required=True, help="folder of pairs.parquet")
    pairs.add_argument("--crops", type=Path, required=True, help="folder of crops.parquet: real clips to compare with")
    pairs.add_argument("--reviews", type=Path, required=True, help="folder of people's decisions; rejected pairs go")
    footage = tables.add_parser("footage", help="new footage against what was trained on: a drift report")
    footage.add_argument("--new", type=Path, required=True, help="folder of the new footage's crops.parquet")
    footage.add_argument("--crops", type=Path, required=True, help="folder of crops.parquet: what was trained on")
    for parser_ in (clips, pairs, footage):
        parser_.add_argument("--out", type=Path, required=True, help="folder for the reports")
        parser_.add_argument("--metrics", type=Path, required=True, help="JSON of the counts")
    return parser.parse_args()


@errors.shell
def main() -> None:
    options = arguments()
    runtime.start()
    {"clips": validate_clips, "pairs": validate_pairs, "footage": validate_footage}[options.table](options)


def validate_clips(options: argparse.Namespace) -> None:
    table = tables.read(options.clips / "clips.parquet", "ingest")
    outcomes = core.check_clips(table, params.load(ClipsParams, "validate.clips"), options.out / "data_docs")
    files.write_json(options.metrics, {"clips": len(table), **expectations.summary(outcomes)})
    expectations.report(outcomes, "clips.parquet")
    expectations.require(outcomes, "clips.parquet")


def validate_pairs(options: argparse.Namespace) -> None:
    values = params.load(PairsParams, "validate.pairs")
    pairs = tables.read(options.pairs / "pairs.parquet", "pairs")
    crops = tables.read(options.crops / "crops.parquet", "crop")
    outcomes = core.check_pairs(pairs, values, options.out / "data_docs")
    expectations.report(outcomes, "pairs.parquet")
    expectations.require(outcomes, "pairs.parquet")
    result = core.sort(pairs, outcomes, reviews.rejected(options.reviews, "pair"))
    tables.write(options.out / "accepted.parquet", result.accepted)
    tables.write(options.out / "quarantined.parquet", result.quarantined)
    core.require_yield(result, outcomes, values.min_accepted)
    found = core.compare(result.accepted, crops, values.drift, options.out / "drift.html")
    if found.is_too_far:
        logging.getLogger(__name__).warning("companions drift from real clips: %s", found.scores)
    files.write_json(options.metrics, core.figures(result, outcomes, found))


def validate_footage(options: argparse.Namespace) -> None:
    new, crops = (tables.read(folder / "crops.parquet", "crop") for folder in (options.new, options.crops))
    found = core.compare_footage(new, crops, params.load(Limits, "validate.footage"), options.out / "drift.html")
    if found.is_too_far:
        logging.getLogger(__name__).warning("new footage drifts from what was trained on: %s", found.scores)
    files.write_json(options.metrics, {"clips": len(new), **core.drifted(found)})


if __name__ == "__main__":
    main()
