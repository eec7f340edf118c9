"""Damaged files of six container kinds: 50 here; `python -m scripts.fuzz_dub` does 2,000."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from components.core.base import seeds
from components.core.base.errors import UserError
from scripts import fuzz_dub
from scripts.fuzz_dub import Case, Outcome, damage, verdict
from tests.dub.people import film


@pytest.mark.slow
def test_damaged_files_are_refused_in_one_line_and_never_crash_or_hang(tinting):
    found = list(fuzz_dub.run(film(frames=fuzz_dub.FRAMES).pictures, tinting, 50, seed=0))
    assert {one.kind for one in found} == set(fuzz_dub.KINDS)
    assert [one for one in found if one.verdict not in ("refused", "dubbed")] == []
    assert [one for one in found if one.verdict == "dubbed"]  # edited, encoded and signed
    reasons = {one.said.partition(":")[2] for one in found}
    assert len(reasons) > 5  # the damage reaches more than one check


def test_damage_is_the_same_for_the_same_seed_and_differs_between_files():
    data = bytes(np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8))
    made = [damage(data, seeds.rng(3, "fuzz", index)) for index in range(40)]
    assert made == [damage(data, seeds.rng(3, "fuzz", index)) for index in range(40)]
    assert len(set(made)) == 40
    assert sum(one != data for one in made) >= 38


@pytest.mark.parametrize(
    ("answer", "files", "expected"),
    [
        ({"code": 2, "said": "error: bad.mp4: no such thing\n"}, [], "refused"),
        ({"code": 2, "said": "error: bad.mp4: no such thing\n"}, [".out-x.mp4"], "partial output"),
        ({"code": 2, "said": "error: something else\n"}, [], "no line that names the file"),
        ({"code": 2, "said": "error: whole.mp4: the other input\n"}, [], "no line that names the file"),
        ({"code": 2, "said": "error: bad.mp4\nerror: bad.mp4\n"}, [], "no line that names the file"),
        ({"code": 1, "said": "Traceback"}, [], "exit code 1"),
        ("hang", [], "hang"),
        ("crash -11", [], "crash -11"),
    ],
)
def test_every_fault_is_seen(tmp_path, answer, files, expected):
    for name in files:
        (tmp_path / name).touch()
    case = Case("bad.mp4", "whole.mp4", str(tmp_path / "out.mp4"), "model", str(tmp_path.parent / "bad.mp4"))
    assert verdict(answer, case)[0] == expected


def test_a_process_that_dies_is_a_crash_and_one_that_sleeps_a_hang(monkeypatch):
    case = Case(*"abcde")
    for code, expected in (("import os; os.abort()", "crash -6"), ("import time; time.sleep(60)", "hang")):
        monkeypatch.setattr(fuzz_dub, "SERVE", code)
        monkeypatch.setattr(fuzz_dub, "HANG_S", 5.0 if expected != "hang" else 0.5)
        worker = fuzz_dub.Worker()
        assert worker.ask(case) == expected
        worker.close()


def test_a_run_goes_on_after_its_log_and_after_no_other(tmp_path):
    path, about = tmp_path / "fuzz.jsonl", {"seed": 3}
    assert fuzz_dub.logged(path, about) == []
    outcomes = [Outcome("mp4", name, Case(*"abcde"), "said") for name in ("refused", "hang")]
    for one in outcomes:
        fuzz_dub.append(path, asdict(one))
    assert fuzz_dub.logged(path, about) == outcomes
    with pytest.raises(UserError, match="is of another run"):
        fuzz_dub.logged(path, {"seed": 4})


def test_the_table_counts_faults():
    case = Case(*map(str, [Path("a")] * 5))
    outcomes = [Outcome("mp4", name, case, "") for name in ("refused", "dubbed", "hang")]
    text = fuzz_dub.table(outcomes, 7)
    assert "3 damaged files, seed 7: 1 faults" in text
    assert "| mp4 | 1 | 1 | 1 |" in text
