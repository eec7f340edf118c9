"""Sweeps one param by DVC experiments, and tables what experiments measured.

python scripts/experiments.py --sweep editor.lip.rank 4 8 16    three experiments, in turn, outside of the workspace
python scripts/experiments.py --write docs/experiments.md       all experiments on HEAD, between the file's markers
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


def _headline(data: Mapping[str, Any] | None) -> Mapping[str, float]:
    """The editor's means; empty for what has not run."""
    found = ((data or {}).get("metrics") or {}).get(HEADLINE, {}).get("data") or {}
    measured: Mapping[str, float] = found.get(ROW, {})
    return measured


def _params(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from params.leaves((data.get("params") or {}).get("params.yaml", {}).get("data") or {})


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


@errors.shell
def main() -> None:
    """Reads the arguments, sweeps or tables."""
    runtime.start()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--sweep", nargs="+", metavar=("KEY", "VALUE"), help="a param and the values to try")
    what.add_argument("--write", type=Path, metavar="FILE", help="put the table between the markers of this file")
    arguments = parser.parse_args()
    if arguments.sweep:
        sweep(arguments.sweep[0], arguments.sweep[1:])
        return
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "exp", "show", "--json"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise errors.UserError("`dvc exp show` failed", got=done.stderr.strip()[-300:])
    before, begin, rest = arguments.write.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise errors.UserError(f"{arguments.write} has no place for the table", expected=f"{BEGIN} and {END}")
    files.write_text(arguments.write, f"{before}{BEGIN}\n{table(json.loads(done.stdout))}\n{END}{after}")


if __name__ == "__main__":
    main()
