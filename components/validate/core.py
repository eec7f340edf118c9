"""Judges tables of clips, of crops and of pairs. Knows no command line; writes only into the folders it is given."""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from components.core.base.errors import UserError
from components.core.statistics import drift
from components.core.statistics.drift import Drift, Limits
from components.validate import expectations
from components.validate.expectations import SUITES, Outcome
from components.validate.params import ClipsParams, CropsParams, PairsParams

PEOPLE = "review"
"""The filter's name under which pairs are quarantined that a person rejected."""
PEOPLE_FIX = "Make more companions (pairs in params.yaml), or approve some again (`dubstrap review --serve`)."


@dataclass(frozen=True)
class Sorted:
    """Pairs that may teach the editor and pairs that may not.

    Attributes:
        accepted: rows of pairs.parquet.
        quarantined: the others, with `reason`, the names of every filter that turned the row away.
        rejected: by filter, how many rows it turned away, whatever the other filters said; people are one of them.
    """

    accepted: pd.DataFrame
    quarantined: pd.DataFrame
    rejected: dict[str, int]


def check_clips(clips: pd.DataFrame, params: ClipsParams, docs: Path) -> list[Outcome]:
    """The outcomes of suites/clips.yaml; Data Docs go into `docs`."""
    suite = expectations.read(SUITES / "clips.yaml", params)
    return expectations.check(_with_speaker_splits(clips), suite, "clips", docs)


def check_crops(crops: pd.DataFrame, params: CropsParams, docs: Path) -> list[Outcome]:
    """The outcomes of suites/crops.yaml; Data Docs go into `docs`."""
    suite = expectations.read(SUITES / "crops.yaml", params)
    return expectations.check(_with_speaker_splits(crops), suite, "crops", docs)


def _with_speaker_splits(table: pd.DataFrame) -> pd.DataFrame:
    """The table and `speaker_splits`, the number of splits that the row's speaker is in."""
    if not {"speaker", "split"} <= set(table):
        return table
    return table.assign(speaker_splits=table.groupby("speaker")["split"].transform("nunique"))


def check_pairs(pairs: pd.DataFrame, params: PairsParams, docs: Path) -> list[Outcome]:
    """The outcomes of suites/pairs.yaml; Data Docs go into `docs`."""
    return expectations.check(pairs, expectations.read(SUITES / "pairs.yaml", params), "pairs", docs)


def sort(pairs: pd.DataFrame, outcomes: list[Outcome], turned_down: Collection[str]) -> Sorted:
    """Parts the pairs by the suite's filters and by the pair_ids that people turned down.

    A missing value fails, for what was not measured can't be trusted.
    """
    table = pairs.reset_index(drop=True)
    reasons: list[list[str]] = [[] for _ in range(len(table))]
    failing_by = {
        str(outcome.expectation.filter): set(outcome.failing) | _missing(table, outcome)
        for outcome in outcomes
        if outcome.expectation.filter
    }
    failing_by[PEOPLE] = set(table.index[table["pair_id"].isin(turned_down)])
    for name, failing in failing_by.items():
        for row in failing:
            reasons[row].append(name)
    joined = pd.Series([", ".join(names) for names in reasons], dtype=str)
    bad = joined != ""
    rejected = {name: len(failing) for name, failing in failing_by.items()}
    return Sorted(table[~bad], table[bad].assign(reason=joined[bad]), rejected)


def _missing(table: pd.DataFrame, outcome: Outcome) -> set[int]:
    """The rows without a value in the column that the expectation is about."""
    column = table[outcome.expectation.kwargs["column"]]
    return set(column.index[column.isna()])


def compare(accepted: pd.DataFrame, crops: pd.DataFrame, limits: Limits, page: Path) -> Drift:
    """Drift of the accepted companions from the real crops that they stand in for."""
    return drift.compare(accepted, crops[_trained_on(crops)], limits, page)


def compare_footage(new: pd.DataFrame, crops: pd.DataFrame, limits: Limits, page: Path) -> Drift:
    """Drift of new footage from the training footage, both as rows of crops.parquet.

    Raises:
        UserError: either side has no footage.
    """
    arrived, known = new[new["role"] == "footage"], crops[_trained_on(crops)]
    if arrived.empty or known.empty:
        raise UserError(
            "there is no footage to compare",
            got=f"{len(arrived)} new crops and {len(known)} of training",
            expected="at least one of each",
            fix="See rejects.parquet beside crops.parquet for what was turned away and why.",
        )
    return drift.compare(arrived, known, limits, page)


def _trained_on(crops: pd.DataFrame) -> "pd.Series[bool]":
    return (crops["split"] == "train") & (crops["role"] == "footage")


def require_yield(result: Sorted, outcomes: list[Outcome], min_accepted: int) -> None:
    """Raises a UserError with the yield of every filter, and what to change for the strictest; logs the yield."""
    total = len(result.accepted) + len(result.quarantined)
    logging.getLogger(__name__).info("pairs: %d of %d accepted, the others quarantined", len(result.accepted), total)
    if len(result.accepted) >= min_accepted:
        return
    strictest = max(result.rejected, key=lambda name: result.rejected[name])
    raise UserError(
        "too few companions passed the filters",
        got=f"{len(result.accepted)} of {total}: "
        + ", ".join(f"{name} kept {total - count}" for name, count in result.rejected.items()),
        expected=f"at least {min_accepted} (validate.pairs.min_accepted)",
        fix=next((o.expectation.fix for o in outcomes if o.expectation.filter == strictest), PEOPLE_FIX),
    )


def figures(result: Sorted, outcomes: list[Outcome], found: Drift | None) -> dict[str, Any]:
    """The numbers of metrics/validate_pairs.json."""
    total = len(result.accepted) + len(result.quarantined)
    yields = {name: (total - count) / total if total else 0.0 for name, count in result.rejected.items()}
    return {
        "pairs": total,
        "accepted": len(result.accepted),
        "quarantined": len(result.quarantined),
        "accepted_share": len(result.accepted) / total if total else 0.0,
        "yield": yields,
        **expectations.summary(outcomes),
        **({} if found is None else drifted(found)),
    }


def drifted(found: Drift) -> dict[str, Any]:
    """Drift as every metrics file has it."""
    return {"drift": {"drifted_share": found.share, "score": found.scores, "too_far": found.is_too_far}}
