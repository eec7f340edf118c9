"""Runs stages of dvc.yaml one after the other where DVC can't be installed, such as on a GPU lent for minutes.

    python -m scripts.without_dvc generator evaluate

The commands are dvc.yaml's own. Only validate-pairs is not: Great Expectations and Evidently may be absent there too,
so pairs are sorted by the limits of its suite alone, without Data Docs and drift report; validate-clips and
validate-crops, which only judge, are left out where it is absent. Writes the machine and the
seconds of each stage to metrics/stages.json. What it leaves is not versioned: copy artifacts/ home and `dvc commit`.
"""

import argparse
import os
import runpy
import shlex
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml

from components.core.base import files, params, runtime
from components.core.base.errors import UserError
from components.validate import core, expectations, tables
from components.validate.expectations import Expectation, Outcome
from components.validate.params import PairsParams

JUDGES = ("validate-clips", "validate-crops")
PAIRS, OUT = Path("artifacts/pairs/pairs.parquet"), Path("artifacts/validation/pairs")


def commands(first: str, last: str) -> dict[str, list[str]]:
    """The commands of the stages from the first to the last, in dvc.yaml's order."""
    stages: dict[str, Any] = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]
    names = list(stages)
    wanted = names[names.index(first) : names.index(last) + 1]
    found = {name: stages[name]["cmd"] for name in wanted}
    return {name: [cmd] if isinstance(cmd, str) else list(cmd) for name, cmd in found.items()}


def run(command: list[str]) -> None:
    """Runs `python -m MODULE ...` in this process, so that nothing is imported twice."""
    python, flag, module, *arguments = command
    if (python, flag) != ("python", "-m"):
        raise UserError(f"cannot run {shlex.join(command)}", expected="python -m MODULE ...")
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def sort_pairs() -> None:
    """Writes accepted.parquet and quarantined.parquet."""
    made, values = tables.read(PAIRS, "pairs"), params.load(PairsParams, "validate.pairs")
    suite = expectations.read(expectations.SUITES / "pairs.yaml", values)
    outcomes = [outcome(made, one) for one in suite if one.filter]
    found = core.sort(made, outcomes, ())
    OUT.mkdir(parents=True, exist_ok=True)
    tables.write(OUT / "accepted.parquet", found.accepted)
    tables.write(OUT / "quarantined.parquet", found.quarantined)
    core.require_yield(found, outcomes, values.min_accepted)
    counts = {"pairs": len(made), "accepted": len(found.accepted), "rejected": found.rejected}
    files.write_json(Path("metrics/validate_pairs.json"), counts)


def outcome(table: pd.DataFrame, expectation: Expectation) -> Outcome:
    """What came of a limit on a column: the rows outside it."""
    limits = expectation.kwargs
    column = table[limits["column"]]
    inside = column.between(limits.get("min_value", -float("inf")), limits.get("max_value", float("inf")))
    failing = tuple(int(row) for row in inside.index[~inside & column.notna()])
    return Outcome(expectation, not failing, "", failing)


def main() -> None:
    """Runs, and says after each stage what it took."""
    runtime.start()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", help="such as generator")
    parser.add_argument("last", help="such as evaluate")
    options = parser.parse_args()
    seconds: dict[str, float] = {}
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{os.cpu_count()} CPU cores"
    for stage, lines in commands(options.first, options.last).items():
        if stage in JUDGES and not find_spec("great_expectations"):
            print(f"{stage}: left out, there is no Great Expectations", flush=True)
            continue
        start = time.monotonic()
        if stage == "validate-pairs":
            sort_pairs()
        else:
            for line in lines:
                run(shlex.split(line))
        seconds[stage] = round(time.monotonic() - start, 1)
        files.write_json(Path("metrics/stages.json"), {"device": device, "seconds": seconds})
        print(f"{stage}: {seconds[stage]:.0f} s", flush=True)


if __name__ == "__main__":
    main()
