"""How a run's clips are distributed against another run's, metric by metric (Evidently): a mean can hide a tail."""

from pathlib import Path

import pandas as pd

from components.review.run import Run

ROW = "editor"
LEAST = 5
"""Clips below which a distribution says nothing."""


def write(old: Run, new: Run, page: Path) -> bool:
    """Writes a self-contained report about the editor's clips; False where the runs have no metric to compare."""
    tables = [_table(run) for run in (old, new)]
    columns = [
        name for name in tables[1] if name in tables[0] and all(table[name].count() >= LEAST for table in tables)
    ]
    if not columns:
        return False
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    about = DataDefinition(numerical_columns=columns)
    before, now = (Dataset.from_pandas(table[columns], about) for table in tables)
    Report([DataDriftPreset(columns=columns)]).run(current_data=now, reference_data=before).save_html(str(page))
    return True


def _table(run: Run) -> pd.DataFrame:
    """One line per clip of the editor's row, its metrics as columns."""
    lines = [row for row in run.table("evaluate/clips") if row["row"] == ROW]
    return pd.DataFrame(lines).select_dtypes("number")
