"""What the page says of a run's figures, in tables and charts, beside those of another run where there is one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from components.core.base import gate, weights
from components.review import charts
from components.review.run import Row, Run

ROWS = ("editor", "truth", "copy", "generator", "editor-structure", "editor-lip", "onnx", "shuffled")
"""The editor first, so that it is seen beside the metric's name on any screen."""
HEADLINE = (
    "mouth_psnr_db", "read_opening_r", "read_width_r", "lip_opening_r", "lip_width_r", "old_lip_r", "sync_confidence",
    "identity_cosine",
    "sharpness_ratio", "success_rate",
)  # fmt: skip
CONTENDERS = ("editor", "copy", "generator", "onnx")
SLICE_ROW = "editor"
AGAINST_ITSELF = ("mouth_psnr_db",)
"""Where the truth's value is a cap that says nothing and would squeeze a chart."""
PUBLISHED_WAY = {"lse_c": "↑", "lse_d": "↓", "csim": "↑", "lpips": "↓", "fid": "↓", "fvd": "↓"}
SPEED = {
    "seconds_per_second": "seconds per second of cropped video", "megabytes": "megabytes",
    "max_abs_error": "largest difference from torch",
}  # fmt: skip
DOWN_TOO = ("seconds_per_second",)


@dataclass(frozen=True)
class Cell:
    """One figure, its interval, its change against the other run, and whether that is `better`, `worse` or neither."""

    text: str
    interval: str = ""
    change: str = ""
    verdict: str = ""


Line = tuple[str, Sequence[Cell]]
"""A line's heading and its cells."""


@dataclass(frozen=True)
class Table:
    """A table with a heading per column."""

    head: Sequence[str]
    lines: Sequence[Line]


def benchmark(run: Run) -> Row:
    """The rows of evaluate.json and onnx.json; empty before evaluate."""
    found: Row = {}
    for stage in ("evaluate", "onnx"):
        found |= run.metrics(stage).get("rows", {})
    return found


def metrics(run: Run, base: Mapping[str, Any]) -> Table:
    """Every metric of every row, and the change against the rows of `base`."""
    ours = benchmark(run)
    names = dict.fromkeys((*gate.RIGHT, *(name for values in ours.values() for name in values)))
    return Table(("metric", *_present(ours, ROWS)), _by_metric(ours, base, ROWS, list(names)))


def headline(run: Run, base: Mapping[str, Any]) -> Table:
    """What a decision starts from: a few metrics of the editor and of what it has to beat."""
    ours = benchmark(run)
    return Table(("headline", *_present(ours, CONTENDERS)), _by_metric(ours, base, CONTENDERS, HEADLINE))


def _by_metric(ours: Row, base: Mapping[str, Any], order: Sequence[str], names: Sequence[str]) -> list[Line]:
    rows = _present(ours, order)
    return [
        (f"{name} {wanted(name)}", [cell(name, ours[row].get(name), base.get(row, {}).get(name)) for row in rows])
        for name in names
        if any(name in ours[row] for row in rows)
    ]


def _present(ours: Row, order: Sequence[str]) -> list[str]:
    return [row for row in order if row in ours]


def slices(run: Run, base: Mapping[str, Any]) -> Table:
    """The headline of the final editor in each slice."""
    ours = run.metrics("evaluate").get("slices", {})
    names = [name for name in HEADLINE if any(name in rows.get(SLICE_ROW, {}) for rows in ours.values())]
    lines = []
    for slice_, rows in ours.items():
        then = base.get(slice_, {}).get(SLICE_ROW, {})
        mine = rows.get(SLICE_ROW, {})
        count = max((int(value.get("n", 0)) for value in mine.values()), default=0)
        lines.append((f"{slice_} ({count})", [cell(name, mine.get(name), then.get(name)) for name in names]))
    return Table(("slice (clips)", *names), lines)


def ablations(run: Run, old: Run | None) -> list[Table]:
    """The tables of `python -m scripts.ablations`; none where it has not run."""
    tables = []
    then = old.metrics("ablations") if old else {}
    for kind, lines in run.metrics("ablations").items():
        names = [name for name in gate.RIGHT if any(name in values for values in lines.values())]
        ordered = sorted(lines.items(), key=lambda line: (int(line[0]) if line[0].isdigit() else 0, line[0]))
        before = then.get(kind, {})
        cells = [
            (line, [cell(name, values.get(name), before.get(line, {}).get(name)) for name in names])
            for line, values in ordered
        ]
        tables.append(Table((kind, *names), cells))
    return [table for table in tables if table.lines]


def _real(run: Run) -> dict[str, dict[str, Mapping[str, Any]]]:
    """metrics/real.json by kind of test and line."""
    kinds: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name, values in run.metrics("real").items():
        kind, _, line = name.partition(", ")
        kinds.setdefault(kind, {}).update({line: values} if line else values)
    return kinds


def real(run: Run, old: Run | None) -> list[Table]:
    """The tables of `python -m scripts.real_footage`, a kind of test each; none where it has not run."""
    tables = []
    before = _real(old) if old else {}
    for kind, lines in _real(run).items():
        names = list(dict.fromkeys(name for values in lines.values() for name in values))
        then = before.get(kind, {})
        cells = [
            (line, [cell(name, _number(values.get(name)), _number(then.get(line, {}).get(name))) for name in names])
            for line, values in lines.items()
        ]
        tables.append(Table((kind, *names), cells))
    return tables


def _number(value: Any) -> Mapping[str, float] | None:
    if isinstance(value, Mapping):
        return value
    return {"mean": value} if isinstance(value, int | float) else None


def published(run: Run, old: Run | None) -> Row:
    """The table of metrics/published.json, and what was not measured, with the paths that are expected."""
    found = run.metrics("published") or {"not_measured": weights.not_measured()}
    then = old.metrics("published").get("rows", {}) if old else {}
    rows = {row: values for row, values in found.get("rows", {}).items() if values}
    names = list(dict.fromkeys(name for values in rows.values() for name in values))
    lines = [
        (
            f"{name} {PUBLISHED_WAY.get(name, '')}",
            [cell(name, values.get(name), then.get(row, {}).get(name)) for row, values in rows.items()],
        )
        for name in names
    ]
    return {"table": Table(("published metric", *rows), lines), "absent": found.get("not_measured", {})}


def speed(runs: Sequence[Run]) -> Table:
    """What the exported editor costs and how near it is to the trained one, in every run."""
    found = {side: run.metrics("export").get("parity", {}) for side, run in by_side(runs)}
    first = next(iter(found.values()))
    lines = [
        (title, [cell(name, _number(values.get(name)), _number(first.get(name))) for values in found.values()])
        for name, title in SPEED.items()
    ]
    return Table(("exported editor", *found), lines if any(found.values()) else [])


def by_side(runs: Sequence[Run]) -> list[tuple[str, Run]]:
    """One run or two, and how the page calls them."""
    return list(zip(("A", "B") if len(runs) > 1 else ("this run",), runs, strict=True))


def cell(name: str, value: Mapping[str, float] | None, base: Mapping[str, float] | None) -> Cell:
    """A figure, with its interval if it has one. Better and worse are differences beyond the other's whole interval."""
    if value is None:
        return Cell("not measured")
    text = f"{value['mean']:.3g}"
    interval = f"({value['lo']:.3g} to {value['hi']:.3g})" if "lo" in value else ""
    if base is None or base["mean"] == value["mean"]:
        return Cell(text, interval)
    verdict = ""
    if "lo" in value and "lo" in base:
        verdict = "worse" if _is_worse(name, value, base) else "better" if _is_worse(name, base, value) else ""
    return Cell(text, interval, f"{value['mean'] - base['mean']:+.3g}", verdict)


def _is_worse(name: str, value: Mapping[str, float], than: Mapping[str, float]) -> bool:
    if name not in PUBLISHED_WAY:
        return gate.is_worse(name, value, than)
    return value["mean"] < than["lo"] if PUBLISHED_WAY[name] == "↑" else value["mean"] > than["hi"]


def wanted(name: str) -> str:
    """Which way is better, as a sign."""
    right = gate.DOWN if name in DOWN_TOO else gate.RIGHT.get(name)
    return "" if right is None else {gate.UP: "↑", gate.DOWN: "↓"}.get(right, f"→ {right:g}")


def intervals(run: Run) -> list[tuple[str, Markup]]:
    """A chart of each headline metric: its mean and interval in every row."""
    ours = benchmark(run)
    found = {
        name: {
            row: ours[row][name]
            for row in _present(ours, ROWS)
            if name in ours[row] and not (row == "truth" and name in AGAINST_ITSELF)
        }
        for name in HEADLINE
    }
    return [(f"{name} {wanted(name)}", charts.whiskers(values, name)) for name, values in found.items() if values]


def losses(runs: Sequence[Run]) -> list[tuple[str, Markup]]:
    """A chart per stage that trains: its loss, by expert where there are several, of every run."""
    stages = dict.fromkeys(name for run in runs for name in run.losses())
    found = []
    for stage in stages:
        series: dict[str, list[tuple[float, float]]] = {}
        for side, run in zip("AB", runs, strict=False):
            for row in run.losses().get(stage, []):
                name = row.get("expert") or "loss"
                key = f"{name} ({side})" if len(runs) > 1 else name
                series.setdefault(key, []).append((float(row["step"]), float(row["loss"])))
        found.append((stage, charts.lines(series, f"training loss of {stage}")))
    return [(stage, chart) for stage, chart in found if chart]
