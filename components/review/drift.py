"""How a run's clips are distributed against those of another run, or of the approved one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from components.core.base.gate import GATED_ROW
from components.core.statistics import drift
from components.core.statistics.drift import Drift, Limits
from components.review.run import Row, Run

LEAST = 5
"""Clips below which a distribution says nothing."""


@dataclass(frozen=True)
class Against:
    """What the gated row's clips are compared with: the other run's or the approved run's, and how it is called."""

    title: str
    clips: Sequence[Row]


def other(runs: Sequence[Run]) -> Against:
    """The first of two runs, or the approved run of the only one."""
    if len(runs) > 1:
        return Against(runs[0].title, clips(runs[0]))
    return Against("the approved run", runs[0].approved_clips())


def clips(run: Run) -> list[Row]:
    """One row per benchmark clip of the gated row, with its metrics."""
    return [row for row in run.table("evaluate/clips") if row["row"] == GATED_ROW]


def write(against: Against, run: Run, limits: Limits, page: Path) -> Drift | None:
    """Writes Evidently's report; None where the runs have no metric with enough clips to compare."""
    then, now = (pd.DataFrame(rows).select_dtypes("number") for rows in (against.clips, clips(run)))
    columns = tuple(
        name for name in limits.columns if all(name in table and table[name].count() >= LEAST for table in (then, now))
    )
    return drift.compare(now, then, replace(limits, columns=columns), page) if columns else None
