"""Worker processes, progress and the offline settings."""

import logging
import os
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest

from components.core.base import runtime

ROOT = Path(__file__).resolve().parents[3]


def square(value: int) -> int:
    """A function that a worker process can import."""
    if value < 0:
        raise ValueError(f"{value} is negative")
    return value * value


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    assert runtime.map_processes(abs, iter([-3, 2, -1]), "abs", workers) == [3, 2, 1]
    assert runtime.map_processes(abs, [], "abs", workers) == []


def test_a_failure_in_one_item_is_raised() -> None:
    with pytest.raises(ValueError, match="-1 is negative"):
        runtime.map_processes(square, [1, -1], "square", 1)


def test_progress_without_a_terminal_logs_tenths(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), runtime.progress("crop", 20) as advance:
        for _ in range(20):
            advance(1)
    assert len(caplog.records) == 10
    assert caplog.messages[-1] == "crop: 20 of 20"


def test_start_keeps_what_the_user_has_set() -> None:
    code = "from components.core.base import runtime; import os; runtime.start(); print(os.environ['HF_HUB_OFFLINE'])"
    environment = {**os.environ, "HF_HUB_OFFLINE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "0\n"


def test_tools_started_by_hand_are_as_quiet_as_ours() -> None:
    """DVC and Prefect read project files of their own; they must say what OFFLINE says."""
    dvc = ConfigParser()
    dvc.read_string((ROOT / ".dvc" / "config").read_text())
    assert runtime.OFFLINE["DVC_NO_ANALYTICS"] == "1"
    assert not dvc.getboolean("core", "analytics")
    assert not dvc.getboolean("core", "check_update")
    prefect = tomllib.loads((ROOT / "prefect.toml").read_text())
    assert runtime.OFFLINE["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert prefect["server"]["analytics_enabled"] is False


def test_cores_is_what_this_process_may_use() -> None:
    assert runtime.cores() == len(os.sched_getaffinity(0))
