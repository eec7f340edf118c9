"""What the page says in words, tables and charts about a run, beside another one where there is one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from components.core.base import gate
from components.review import charts
from components.review.run import Row, Run

ROWS = ("truth", "shuffled", "copy", "generator", "editor-structure", "editor-lip", "editor", "onnx")
HEADLINE = (
    "mouth_psnr_db", "read_opening_r", "read_width_r", "lip_opening_r", "lip_width_r", "old_lip_r", "sync_confidence",
    "identity_cosine",
    "sharpness_ratio", "success_rate",
)  # fmt: skip
CONTENDERS = ("copy", "generator", "editor", "onnx")
SLICE_ROW = "editor"
AGAINST_ITSELF = ("mouth_psnr_db",)
"""Where the truth's value is a cap that says nothing and would squeeze a chart."""
PUBLISHED_WAY = {"lse_c": "↑", "lse_d": "↓", "csim": "↑", "lpips": "↓", "fid": "↓", "fvd": "↓"}
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
        count = max((int(value["n"]) for value in mine.values()), default=0)
        lines.append((f"{slice_} ({count})", [cell(name, mine.get(name), then.get(name)) for name in names]))
    return Table(("slice (clips)", *names), lines)


def ablations(run: Run) -> list[Table]:
    """The tables of `python -m scripts.ablations`; none where it has not run."""
    tables = []
    for kind, lines in run.metrics("ablations").items():
        names = [name for name in gate.RIGHT if any(name in values for values in lines.values())]
        ordered = sorted(lines.items(), key=lambda line: (int(line[0]) if line[0].isdigit() else 0, line[0]))
        cells = [(line, [cell(name, values.get(name), None) for name in names]) for line, values in ordered]
        tables.append(Table((kind, *names), cells))
    return [table for table in tables if table.lines]


def real(run: Run) -> list[Table]:
    """The tables of `python -m scripts.real_footage`, a kind of test each; none where it has not run."""
    kinds: dict[str, dict[str, Mapping[str, float]]] = {}
    for name, values in run.metrics("real").items():
        kind, _, line = name.partition(", ")
        kinds.setdefault(kind, {}).update({line: values} if line else values)
    tables = []
    for kind, lines in kinds.items():
        names = list(dict.fromkeys(name for values in lines.values() for name in values))
        cells = [(line, [_plain_cell(_number(values.get(name))) for name in names]) for line, values in lines.items()]
        tables.append(Table((kind, *names), cells))
    return tables


def _number(value: Any) -> Mapping[str, float] | None:
    if isinstance(value, Mapping):
        return value
    return {"mean": value} if isinstance(value, int | float) else None


def published(run: Run) -> Row:
    """The table of metrics/published.json, and what was not measured, with the path that is expected."""
    found = run.metrics("published")
    rows = {row: values for row, values in found.get("rows", {}).items() if values}
    names = list(dict.fromkeys(name for values in rows.values() for name in values))
    lines = [
        (f"{name} {PUBLISHED_WAY.get(name, '')}", [_plain_cell(values.get(name)) for values in rows.values()])
        for name in names
    ]
    return {"table": Table(("published metric", *rows), lines), "absent": found.get("not_measured", {})}


def _plain_cell(value: Mapping[str, float] | None) -> Cell:
    if value is not None and "lo" not in value:
        return Cell(f"{value['mean']:.3g}")
    return cell("", value, None)


def cell(name: str, value: Mapping[str, float] | None, base: Mapping[str, float] | None) -> Cell:
    """A mean with its interval. Better and worse are differences beyond the other's whole interval."""
    if value is None:
        return Cell("not measured")
    text, interval = f"{value['mean']:.3g}", f"({value['lo']:.3g} to {value['hi']:.3g})"
    if base is None or base["mean"] == value["mean"]:
        return Cell(text, interval)
    verdict = "worse" if gate.is_worse(name, value, base) else "better" if gate.is_worse(name, base, value) else ""
    return Cell(text, interval, f"{value['mean'] - base['mean']:+.3g}", verdict)


def wanted(name: str) -> str:
    """Which way is better, as a sign."""
    right = gate.DOWN if name in DOWN_TOO else gate.RIGHT.get(name)
    return "" if right is None else {gate.UP: "↑", gate.DOWN: "↓"}.get(right, f"→ {right:g}")


def intervals(run: Run) -> list[tuple[str, Markup]]:
    """A chart of each headline metric: its mean and interval in every row."""
    ours = benchmark(run)
    rows = {name: ROWS[1:] if name in AGAINST_ITSELF else ROWS for name in HEADLINE}
    found = {name: {row: ours[row][name] for row in rows[name] if name in ours.get(row, {})} for name in HEADLINE}
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


def yields(run: Run) -> list[tuple[str, int, int]]:
    """(what, how many passed, of how many) from footage to training pairs."""
    ingest, crop, validation = (run.metrics(stage) for stage in ("ingest", "crop", "validate_pairs"))
    found = [
        (name, values[key], values[key] + values["rejected"])
        for name, values, key in (("ingest: clips", ingest, "clips"), ("crop: faces", crop, "crops"))
        if {key, "rejected"} <= set(values)
    ]
    total = validation.get("pairs", 0)
    found += [(f"pairs: {name}", round(share * total), total) for name, share in validation.get("yield", {}).items()]
    if "accepted" in validation:
        found.append(("pairs: accepted in all", validation["accepted"], total))
    return found


def rejects(run: Run) -> list[Row]:
    """Clips and crops that were turned away: source, reason, detail."""
    return [
        {"stage": stage, **{key: str(row.get(key, "")) for key in ("source", "reason", "detail")}}
        for stage, name in (("ingest", "clips/rejects"), ("crop", "crops/rejects"))
        for row in run.table(name)
    ]


def quarantine(run: Run, items: Sequence[Row]) -> list[Row]:
    """Every pair that validation or a person turned away: its reason, and the address of its player and its film."""
    films = {item["id"]: item["film"] for item in items if item["kind"] == "pair"}
    return [
        {**{key: row[key] for key in ("pair_id", "speaker", "reason")}, "film": films.get(row["pair_id"])}
        for row in run.table("validation/pairs/quarantined")
    ]


def drifts(run: Run) -> list[tuple[str, Row]]:
    """(what against what, score by column and share of drifted columns) of each comparison that was made."""
    stages = {"validate_pairs": "Companions against real clips", "footage": "New footage against training footage"}
    found = [(title, run.metrics(stage).get("drift", {})) for stage, title in stages.items()]
    return [(title, drift) for title, drift in found if drift]


def lineage(run: Run) -> list[Row]:
    """For each stage that ran: what it read and what it left, with DVC's hashes."""
    return [
        {
            "stage": name,
            "deps": [(str(entry["path"]), str(entry.get("md5", "-"))) for entry in stage.get("deps", [])],
            "outs": [(str(entry["path"]), str(entry.get("md5", "-"))) for entry in stage.get("outs", [])],
        }
        for name, stage in run.stages().items()
    ]


def changed_params(old: Run, new: Run) -> list[tuple[str, str, str]]:
    """(key, value before, value now) of the params that differ."""
    before, now = old.params(), new.params()
    keys = sorted(before.keys() | now.keys())
    absent = "-"
    pairs = ((key, str(before.get(key, absent)), str(now.get(key, absent))) for key in keys)
    return [pair for pair in pairs if pair[1] != pair[2]]
