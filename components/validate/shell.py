"""Reads what a check needs from its folders and params, checks, writes."""

import argparse
import logging

import pandas as pd

from components.core.base import files, params, reviews
from components.validate import core, expectations, tables
from components.validate.expectations import Outcome
from components.validate.params import ClipsParams, CropsParams, Limits, PairsParams


def clips(options: argparse.Namespace) -> None:
    """Clips: a broken critical expectation stops the pipeline."""
    table = tables.read(options.clips / "clips.parquet", "ingest")
    outcomes = core.check_clips(table, params.load(ClipsParams, "validate.clips"), options.out / "data_docs")
    _settle("clips", table, outcomes, options)


def crops(options: argparse.Namespace) -> None:
    """Crops: a broken critical expectation stops the pipeline."""
    table = tables.read(options.crops / "crops.parquet", "crop")
    outcomes = core.check_crops(table, params.load(CropsParams, "validate.crops"), options.out / "data_docs")
    _settle("crops", table, outcomes, options)


def _settle(kind: str, table: pd.DataFrame, outcomes: list[Outcome], options: argparse.Namespace) -> None:
    """Writes the figures, says what failed, and stops at a broken critical expectation."""
    files.write_json(options.metrics, {kind: len(table), **expectations.summary(outcomes)})
    expectations.report(outcomes, f"{kind}.parquet")
    expectations.require(outcomes, f"{kind}.parquet")


def pairs(options: argparse.Namespace) -> None:
    """Pairs: the bad ones are quarantined, each with its reason."""
    values = params.load(PairsParams, "validate.pairs")
    made = tables.read(options.pairs / "pairs.parquet", "pairs")
    real = tables.read(options.crops / "crops.parquet", "crop")
    outcomes = core.check_pairs(made, values, options.out / "data_docs")
    expectations.report(outcomes, "pairs.parquet")
    expectations.require(outcomes, "pairs.parquet")
    result = core.sort(made, outcomes, reviews.rejected(options.reviews, "pair"))
    tables.write(options.out / "accepted.parquet", result.accepted)
    tables.write(options.out / "quarantined.parquet", result.quarantined)
    core.require_yield(result, outcomes, values.min_accepted)
    found = core.compare(result.accepted, real, values.drift, options.out / "drift.html")
    if found.is_too_far:
        logging.getLogger(__name__).warning("companions drift from real clips: %s", found.scores)
    files.write_json(options.metrics, core.figures(result, outcomes, found))


def footage(options: argparse.Namespace) -> None:
    """New footage against what was trained on: a drift report."""
    new, known = (tables.read(folder / "crops.parquet", "crop") for folder in (options.new, options.crops))
    found = core.compare_footage(new, known, params.load(Limits, "validate.footage"), options.out / "drift.html")
    if found.is_too_far:
        logging.getLogger(__name__).warning("new footage drifts from what was trained on: %s", found.scores)
    files.write_json(options.metrics, {"clips": len(new), **core.drifted(found)})
