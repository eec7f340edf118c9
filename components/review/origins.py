"""What the page says of a run's data: how much of it passed, what was turned away, what every stage read and left."""

from collections.abc import Sequence
from dataclasses import replace

from components.review.run import PARTS, Row, Run
from components.review.sections import Cell, Table, by_side

MAKES = {"evaluate": "evaluate", "pairs": "pairs", "crops": "crop"}
"""The stage that makes each folder of PARTS."""
REASON = ("source", "reason", "detail")
DRIFTS = {"validate_pairs": "Companions against real clips", "footage": "New footage against training footage"}


def gaps(run: Run) -> list[str]:
    """What was cut off while it was made, what is not on the page for it, and what is older than what it is made of."""
    said = [
        f"artifacts/{folder}/{name} was cut off while it was written: what lies behind the cut is not shown, nor are "
        f"later shards. `dvc repro {MAKES[folder]}` makes them anew."
        for folder in PARTS
        for name in run.cut_off(folder)
    ]
    if stale := run.stale():
        said.append(
            f"What is shown of {', '.join(stale)} is older than what it was made of: a later run was not finished. "
            "`dvc repro` makes it anew."
        )
    if run.table("pairs/pairs"):
        if not any(run.samples("crops")):
            said.append("artifacts/crops has no clips: pairs have no player. `dvc repro crop` makes them anew.")
        elif not run.table("crops/crops"):
            said.append(
                "artifacts/crops/crops.parquet is not there: pairs have neither the speech that drove them nor its own "
                "lips. `dvc repro crop` makes it anew."
            )
    return said


def yields(runs: Sequence[Run]) -> Table:
    """How many passed each filter from footage to training pairs, in every run."""
    found = {side: _yields(run) for side, run in by_side(runs)}
    names = dict.fromkeys(name for one in found.values() for name in one)
    return Table(("yields", *found), [(name, _passed([one.get(name) for one in found.values()])) for name in names])


def _yields(run: Run) -> dict[str, tuple[int, int]]:
    """(how many passed, of how many) by filter."""
    ingest, crop, validation = (run.metrics(stage) for stage in ("ingest", "crop", "validate_pairs"))
    found = {
        name: (values[key], values[key] + values["rejected"])
        for name, values, key in (("ingest: clips", ingest, "clips"), ("crop: faces", crop, "crops"))
        if {key, "rejected"} <= set(values)
    }
    total = validation.get("pairs", 0)
    found |= {f"pairs: {name}": (round(share * total), total) for name, share in validation.get("yield", {}).items()}
    if "accepted" in validation:
        found["pairs: accepted in all"] = (validation["accepted"], total)
    return found


def _passed(counts: Sequence[tuple[int, int] | None]) -> list[Cell]:
    shares = [100 * count[0] / count[1] if count and count[1] else None for count in counts]
    cells = [
        Cell("{} of {}".format(*count), "" if share is None else f"({share:.0f} %)") if count else Cell("not measured")
        for count, share in zip(counts, shares, strict=True)
    ]
    first, last = shares[0], shares[-1]
    if first is not None and last is not None and first != last:
        cells[-1] = replace(cells[-1], change=f"{last - first:+.1f} points")
    return cells


def rejects(runs: Sequence[Run]) -> list[Row]:
    """Clips and crops that were turned away: source, stage, reason, detail, and in which of the runs."""
    found: dict[tuple[str, ...], list[str]] = {}
    for side, run in by_side(runs):
        for stage, name in (("ingest", "clips/rejects"), ("crop", "crops/rejects")):
            for row in run.table(name):
                found.setdefault((stage, *(str(row.get(key, "")) for key in REASON)), []).append(side)
    return [
        {**dict(zip(("stage", *REASON), row, strict=True)), "runs": " and ".join(dict.fromkeys(where))}
        for row, where in found.items()
    ]


def quarantine(run: Run, items: Sequence[Row]) -> list[Row]:
    """Every pair that validation or a person turned away: its reason, and the address of its player and its film."""
    films = {item["id"]: item["film"] for item in items if item["kind"] == "pair"}
    return [
        {**{key: row[key] for key in ("pair_id", "speaker", "reason")}, "film": films.get(row["pair_id"])}
        for row in run.table("validation/pairs/quarantined")
    ]


def drifts(runs: Sequence[Run]) -> list[str]:
    """What is distributed otherwise than what, of each comparison that was made in each run."""
    found = [
        (f"{title} ({side})" if len(runs) > 1 else title, run.metrics(stage).get("drift"))
        for stage, title in DRIFTS.items()
        for side, run in by_side(runs)
    ]
    return [f"{title}: {_drift(drift)}." for title, drift in found if drift]


def _drift(drift: Row) -> str:
    scores = ", ".join(f"{name} {score:.2f}" for name, score in drift.get("score", {}).items())
    share = drift.get("drifted_share")
    above = "" if share is None else f"; {100 * share:.0f} % of the columns above the threshold"
    return (scores or "no column's score was kept") + above


def lineage(runs: Sequence[Run]) -> list[Row]:
    """For each stage that ran: what it read and what it left, with DVC's hashes in every run."""
    stages = [run.stages() for run in runs]
    names = dict.fromkeys(name for one in stages for name in one)
    found = [
        {"stage": name, **{kind: _hashes([one.get(name, {}) for one in stages], kind) for kind in ("deps", "outs")}}
        for name in names
    ]
    return [
        {**one, "differs": any(len(set(hashes)) > 1 for kind in ("deps", "outs") for _, hashes in one[kind])}
        for one in found
    ]


def _hashes(stages: Sequence[Row], kind: str) -> list[tuple[str, list[str]]]:
    """(path, its hash in every run) of one stage; "-" where a run has none."""
    found = [{str(entry["path"]): str(entry.get("md5", "-")) for entry in stage.get(kind, [])} for stage in stages]
    paths = dict.fromkeys(path for one in found for path in one)
    return [(path, [one.get(path, "-") for one in found]) for path in paths]


def changed_params(old: Run, new: Run) -> list[tuple[str, str, str]]:
    """(key, value before, value now) of the params that differ."""
    before, now = old.params(), new.params()
    keys = sorted(before.keys() | now.keys())
    absent = "-"
    pairs = ((key, str(before.get(key, absent)), str(now.get(key, absent))) for key in keys)
    return [pair for pair in pairs if pair[1] != pair[2]]
