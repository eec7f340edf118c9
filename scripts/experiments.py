"""Sweeps one param by DVC experiments, and tables and draws what experiments measured.

python scripts/experiments.py --sweep editor.lip.rank 4 8 16    three experiments, in turn, outside of the workspace
python scripts/experiments.py --write docs/experiments.md       all experiments on HEAD, between the file's markers
python scripts/experiments.py --draw a.png HEAD rank-8          what `dvc plots diff HEAD rank-8` draws, as a picture
"""

import argparse
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.core.base import errors, files, params, runtime
from flows import summary

BEGIN, END = "<!-- experiments:begin -->", "<!-- experiments:end -->"
HEADLINE = "metrics/benchmark.json"
ROW = "editor"
CURVE, BENCHMARK = "plots/editor_structure.csv", "plots/evaluate.csv"
DRAWN = ("mouth_psnr_db", "read_opening_r", "read_width_r")  # the headline's columns that a dub is judged by

log = logging.getLogger(__name__)


def sweep(key: str, values: Sequence[str], call: Any = subprocess.run) -> None:
    """One experiment per value, named <last part of the key>-<value>; raises a UserError at the first that fails."""
    for value in values:
        name = re.sub(r"[^A-Za-z0-9]+", "-", f"{key.rpartition('.')[2]}-{value}").strip("-")
        log.info("experiment %s: %s=%s", name, key, value)
        command = [sys.executable, "-m", "dvc", "exp", "run", "--temp", "--name", name, "--set-param", f"{key}={value}"]
        if call(command, check=False).returncode != 0:
            raise errors.UserError(
                f"experiment {name} failed",
                fix="Its output is above; remove it with `dvc exp remove` before another try.",
            )


def table(shown: Sequence[Mapping[str, Any]]) -> str:
    """Markdown of `dvc exp show --json`: HEAD and each finished experiment on it, what it changed, its headline."""
    head = next(entry for entry in shown if entry["rev"] != "workspace")
    runs = [("HEAD", head["data"])]
    runs += [(entry["name"], entry["revs"][0]["data"]) for entry in head.get("experiments") or []]
    base = dict(_params(head["data"]))
    lines = []
    for name, data in runs:
        measured = _headline(data)
        if measured:
            changed = [f"{key}={value}" for key, value in _params(data) if base.get(key) != value]
            lines.append([name, ", ".join(changed) or "-", *(_number(measured.get(key)) for key in summary.COLUMNS)])
    head_line = ["experiment", "changed", *summary.COLUMNS.values()]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head_line, ["---"] * len(head_line), *lines])


def draw(plots: Mapping[str, Any], path: Path) -> None:
    """A picture of `dvc plots diff --json`: the structure phase's loss, the benchmark's means with their intervals.

    Truth's row is left out: its PSNR, a cap, would squeeze all others.
    """
    from matplotlib.figure import Figure

    curves, means = (plots["data"][name][0]["content"]["data"]["values"] for name in (CURVE, BENCHMARK))
    rows = [row for row in dict.fromkeys(point["row"] for point in means) if row != "truth"]
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    curve, *axes = figure.subplots(1, 1 + len(DRAWN))
    for number, revision in enumerate(plots["data"][CURVE][0]["revisions"]):
        line = [point for point in curves if point["rev"] == revision]
        curve.plot(*([float(point[key]) for point in line] for key in ("step", "loss")), label=revision)
        for point in means:
            if point["rev"] == revision and point["metric"] in DRAWN and point["row"] in rows:
                mean, low, high = (float(point[key]) for key in ("mean", "lo", "hi"))
                place, reach = rows.index(point["row"]) + number / 5, [[mean - low], [high - mean]]
                axes[DRAWN.index(point["metric"])].errorbar(mean, place, xerr=reach, fmt=f"C{number}o", markersize=4)
    for axis, metric in zip(axes, DRAWN, strict=True):
        axis.set(title=summary.COLUMNS[metric], yticks=range(len(rows)), yticklabels=rows if axis is axes[0] else [])
        axis.invert_yaxis()
    curve.set(title="structure phase, loss", xlabel="step", xscale="log")
    curve.legend()
    with files.replacing(path) as temporary:
        figure.savefig(temporary, dpi=110)


def _headline(data: Mapping[str, Any] | None) -> Mapping[str, float]:
    """The editor's means; empty for what has not run."""
    found = ((data or {}).get("metrics") or {}).get(HEADLINE, {}).get("data") or {}
    measured: Mapping[str, float] = found.get(ROW, {})
    return measured


def _params(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from params.leaves((data.get("params") or {}).get("params.yaml", {}).get("data") or {})


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def asked(*command: str) -> Any:
    """What a DVC command answers with --json; raises a UserError with the end of what it says if it fails."""
    line = [sys.executable, "-m", "dvc", *command, "--json"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise errors.UserError(f"`dvc {' '.join(command)}` failed", got=done.stderr.strip()[-300:])
    return json.loads(done.stdout)


def write(path: Path) -> None:
    """Puts the table between the markers of a file."""
    before, begin, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise errors.UserError(f"{path} has no place for the table", expected=f"{BEGIN} and {END}")
    files.write_text(path, f"{before}{BEGIN}\n{table(asked('exp', 'show'))}\n{END}{after}")


@errors.shell
def main() -> None:
    """Reads the arguments, sweeps, tables or draws."""
    runtime.start()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--sweep", nargs="+", metavar=("KEY", "VALUE"), help="a param and the values to try")
    what.add_argument("--write", type=Path, metavar="FILE", help="put the table between the markers of this file")
    what.add_argument("--draw", nargs="+", metavar=("PNG", "REV"), help="a picture to write and what it compares")
    arguments = parser.parse_args()
    if arguments.sweep:
        sweep(arguments.sweep[0], arguments.sweep[1:])
    elif arguments.draw:
        draw(asked("plots", "diff", *arguments.draw[1:]), Path(arguments.draw[0]))
    else:
        write(arguments.write)


if __name__ == "__main__":
    main()
