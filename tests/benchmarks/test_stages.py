"""Stages are told apart by what the command says, with their memory and its exit status."""

import sys

import pytest

from benchmarks import stages

SCRIPT = """
import time
print("Running stage 'small':", flush=True); time.sleep(1.2)
print("Running stage 'large':", flush=True); held = b"x" * 300_000_000; time.sleep(1.5)
raise SystemExit(3)
"""


def test_a_stage_has_its_own_time_and_memory(capsys: pytest.CaptureFixture[str]):
    found, status = stages.run([sys.executable, "-c", SCRIPT])
    assert status == 3
    assert [stage.name for stage in found] == ["before", "small", "large"]
    assert found[2].peak_gib > found[1].peak_gib + 0.2
    assert "Running stage 'large'" in capsys.readouterr().out
