"""How far companions are from real clips, column by column (Evidently)."""

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from components.core.base.errors import UserError
from components.core.base.files import replacing

RANDOM = re.compile(r'"id": "([0-9a-f-]{36})"|root_metric_([0-9a-f]{32})')


@dataclass(frozen=True)
class Drift:
    """Score per column, and the share of columns above the threshold."""

    scores: dict[str, float]
    share: float


@dataclass(frozen=True)
class Method:
    """How drift is scored: the columns, Evidently's name of the distance, and the score that counts as drift."""

    columns: tuple[str, ...]
    name: str
    threshold: float


def drift(companions: pd.DataFrame, real: pd.DataFrame, method: Method, page: Path) -> Drift:
    """The drift of companions against real crops; writes Evidently's report as one self-contained page.

    Raises:
        UserError: the tables share none of the columns, one of them has no value, or the method is unknown.
    """
    columns = [name for name in method.columns if {name} <= set(companions) & set(real)]
    if not columns:
        raise UserError(
            "companions and real crops have no drift column in common",
            got=f"pairs.parquet with {', '.join(companions)}",
            expected=f"some of {', '.join(method.columns)} in pairs.parquet and crops.parquet",
            fix="Mend validate.pairs.drift_columns.",
        )
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    about = DataDefinition(numerical_columns=columns)
    current, reference = (Dataset.from_pandas(table[columns].astype(float), about) for table in (companions, real))
    preset = DataDriftPreset(columns=columns, num_method=method.name, num_threshold=method.threshold)
    try:
        snapshot = Report([preset]).run(current_data=current, reference_data=reference)
    except ValueError as error:
        raise UserError("drift can't be scored", got=str(error), fix="Mend validate.pairs.drift_*.") from None
    with replacing(page) as path:
        snapshot.save_html(str(path))
        path.write_text(_stable(path.read_text()))
    values = [(metric["config"], metric["value"]) for metric in snapshot.dict()["metrics"]]
    scores = {config["column"]: float(value) for config, value in values if "column" in config}
    share = next(float(value["share"]) for config, value in values if "column" not in config)
    return Drift(scores, share)


def _stable(page: str) -> str:
    """The page with its random names numbered: equal for equal results, so that training on them is not repeated."""
    names = dict.fromkeys(one or other for one, other in RANDOM.findall(page))
    for number, name in enumerate(names):
        page = page.replace(name, f"part{number}")
    return page
