"""Minutes and peak memory of every stage while a command such as `dvc repro` runs.

    python -m benchmarks.stages dvc repro

Memory is the proportional set size of the command and all that it starts, sampled twice a second: what is shared
between processes counts once. A stage begins where DVC says so. Writes benchmarks/stages.json and a table.
"""

import argparse
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

EVERY_S = 0.5
BEGINS = re.compile(r"Running stage '([^']+)'")
GIB = 2**30


@dataclass
class Stage:
    """What one stage took."""

    name: str
    began_s: float
    minutes: float = 0.0
    peak_gib: float = 0.0


def memory(process: psutil.Process) -> float:
    """GiB of a process and its descendants; those that end meanwhile count nothing."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total / GIB


def follow(lines: Iterable[str], stages: list[Stage]) -> None:
    """Passes the lines on, and begins a stage where one says so."""
    for line in lines:
        sys.stdout.write(line)
        sys.stdout.flush()
        if found := BEGINS.search(line):
            stages.append(Stage(found[1], time.monotonic()))


def run(command: list[str]) -> tuple[list[Stage], int]:
    """The stages of the command, the first of which is what came before any, and its exit status."""
    stages = [Stage("before", time.monotonic())]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as job:
        assert job.stdout is not None
        reader = threading.Thread(target=follow, args=(job.stdout, stages), daemon=True)
        reader.start()
        process = psutil.Process(job.pid)
        while job.poll() is None:
            try:
                stages[-1].peak_gib = max(stages[-1].peak_gib, memory(process))
            except psutil.NoSuchProcess:
                break
            time.sleep(EVERY_S)
        reader.join()
    for stage, after in zip(stages, [*(stage.began_s for stage in stages[1:]), time.monotonic()], strict=True):
        stage.minutes = (after - stage.began_s) / 60
    return stages, job.returncode


def main() -> None:
    """Runs, reports, and ends as the command did."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stages", description=__doc__.splitlines()[0])
    parser.add_argument("command", nargs=argparse.REMAINDER, help="such as: dvc repro")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/stages.json"), help="before the command")
    options = parser.parse_args()
    if not options.command:
        parser.error("name the command that is to be measured, such as: dvc repro")
    stages, status = run(options.command)
    lines = [{key: value for key, value in asdict(stage).items() if key != "began_s"} for stage in stages]
    options.out.write_text(json.dumps(lines, indent=2) + "\n")
    print("| stage | minutes | peak memory, GiB |\n| --- | --- | --- |")
    for stage in stages:
        print(f"| {stage.name} | {stage.minutes:.1f} | {stage.peak_gib:.2f} |")
    total, peak = sum(stage.minutes for stage in stages), max(stage.peak_gib for stage in stages)
    print(f"| all | {total:.1f} | {peak:.2f} |")
    sys.exit(status)


if __name__ == "__main__":
    main()
