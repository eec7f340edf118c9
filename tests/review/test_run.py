"""A run is read as far as it went."""

import hashlib
from pathlib import Path

import pytest

from components.core.base.errors import UserError
from components.review.run import Run


def test_a_finished_run_is_read(project: Path):
    run = Run(project, "x", "abc").check()
    assert run.id == hashlib.sha256((project / "dvc.lock").read_bytes()).hexdigest()[:12]
    assert run.metrics("evaluate")["rows"]["editor"]["lip_opening_r"]["mean"] == 0.5
    assert run.card["card_id"] == "0123456789ab"
    assert len(run.table("pairs/pairs")) == 6
    assert list(run.losses()) == ["generator"]
    assert run.unfinished() == []
    assert run.params()["editor.lip.rank"] == 8
    assert run.data_hash() == "0a1b.dir"


def test_nothing_is_said_in_clear_words(tmp_path: Path):
    (tmp_path / "artifacts").mkdir()
    with pytest.raises(UserError, match=r"rev9 holds no run.*make repro"):
        Run(tmp_path, "rev9", "abc").check()


def test_what_was_cut_off_counts_as_absent(tmp_path: Path):
    (tmp_path / "metrics").mkdir()
    (tmp_path / "artifacts/pairs").mkdir(parents=True)
    (tmp_path / "metrics/evaluate.json").write_text('{"rows": {')
    (tmp_path / "artifacts/pairs/pairs.parquet").write_bytes(b"PAR1")
    (tmp_path / "dvc.lock").write_text("stages: {a: {deps: []}}")
    (tmp_path / "dvc.yaml").write_text("stages: {a: {}, b: {}}")
    run = Run(tmp_path, "x", "abc").check()
    assert (run.metrics("evaluate"), run.table("pairs/pairs"), run.losses(), run.card) == ({}, [], {}, {})
    assert run.unfinished() == ["b"]
