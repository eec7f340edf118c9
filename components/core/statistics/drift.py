"""How far the rows of one table are from those of another, column by column (Evidently): a mean can hide a tail."""

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from components.core.base.errors import UserError
from components.core.base.files import replacing

RANDOM = re.compile(r'"id": "([0-9a-f-]{36})"|root_metric_([0-9a-f]{32})')


@dataclass(frozen=True)
class Limits:
    """What counts as drift: a section of params.yaml.

    Attributes:
        columns: those that are compared, where both tables have them.
        method: Evidently's name of the distance.
        threshold: the score from which a column has drifted.
        max_share: the share of drifted columns above which people are warned.
    """

    columns: tuple[str, ...]
    method: str
    threshold: float
    max_share: float

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("columns must name at least one column, got none")
        if self.threshold < 0:
            raise ValueError(f"threshold must not be negative, got {self.threshold}")
        if not 0 <= self.max_share <= 1:
            raise ValueError(f"max_share must be in [0, 1], got {self.max_share}")


@dataclass(frozen=True)
class Drift:
    """Score per column, the share of columns that have drifted, and whether that is more than the limits allow."""

    scores: dict[str, float]
    share: float
    is_too_far: bool


def compare(current: pd.DataFrame, reference: pd.DataFrame, limits: Limits, page: Path) -> Drift:
    """The drift of one table from a reference; writes Evidently's report as one self-contained page.

    Columns that either table lacks are left out.

    Raises:
        UserError: none of the columns is in both, one of them has no value, or the method is unknown.
    """
    columns = [name for name in limits.columns if {name} <= set(current) & set(reference)]
    if not columns:
        raise UserError(
            "no drift column in common",
            got=f"tables with {', '.join(map(str, current))} and {', '.join(map(str, reference))}",
            expected=f"some of {', '.join(limits.columns)} in both",
            fix="Mend the columns under validate in configs/.",
        )
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    about = DataDefinition(numerical_columns=columns)
    now, then = (Dataset.from_pandas(table[columns].astype(float), about) for table in (current, reference))
    preset = DataDriftPreset(columns=columns, num_method=limits.method, num_threshold=limits.threshold)
    try:
        snapshot = Report([preset]).run(current_data=now, reference_data=then)
    except ValueError as error:
        raise UserError("drift can't be scored", got=str(error), fix="Mend the limits under validate.") from None
    with replacing(page) as path:
        snapshot.save_html(str(path))
        path.write_text(_stable(path.read_text()))
    values = [(metric["config"], metric["value"]) for metric in snapshot.dict()["metrics"]]
    scores = {config["column"]: float(value) for config, value in values if "column" in config}
    share = next(float(value["share"]) for config, value in values if "column" not in config)
    return Drift(scores, share, share > limits.max_share)


def _stable(page: str) -> str:
    """The page with its random names numbered: equal for equal results, so that training on them is not repeated."""
    names = dict.fromkeys(one or other for one, other in RANDOM.findall(page))
    for number, name in enumerate(names):
        page = page.replace(name, f"part{number}")
    return page
