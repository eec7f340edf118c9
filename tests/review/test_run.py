"""A run is read as far as it went."""

import hashlib
import shutil
from pathlib import Path

import pytest
import yaml

from components.core.base.errors import UserError
from components.review.run import Run
from tests.review import world


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


def test_what_is_older_than_what_it_was_made_of_is_named(tmp_path: Path):
    def entry(path: str, md5: str) -> dict[str, str]:
        return {"path": path, "md5": md5}

    def stale(pairs: str, accepted: bytes) -> list[str]:
        folder = tmp_path / "artifacts/validation"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "accepted.parquet").write_bytes(accepted)
        stages = {
            "pairs": {"deps": [entry("components/pairs", "c0de")], "outs": [entry("artifacts/pairs", pairs)]},
            "validate": {"deps": [entry("artifacts/pairs", "old")], "outs": [entry("artifacts/validation", "any.dir")]},
            "editor": {
                "deps": [entry("artifacts/validation/accepted.parquet", hashlib.md5(b"old").hexdigest())],
                "outs": [entry("artifacts/editor", "e")],
            },
            "evaluate": {"deps": [entry("artifacts/editor", "e")]},
        }
        (tmp_path / "dvc.lock").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
        return Run(tmp_path, "x", "abc").stale()

    assert stale("old", b"old") == []
    assert stale("old", b"new") == ["editor", "evaluate"]
    assert stale("new", b"old") == ["validate", "editor", "evaluate"]


def test_the_committed_run_is_of_one_piece(tmp_path: Path):
    shutil.copy(Path(__file__).parents[2] / "dvc.lock", tmp_path)
    assert Run(tmp_path, "x", "abc").stale() == []


def test_a_shard_that_was_cut_off_is_read_up_to_the_cut(tmp_path: Path):
    run = Run(world.write(tmp_path, clips=4, companions=2), "x", "abc")
    shard = tmp_path / "artifacts/evaluate/players-00000.tar"
    assert (len(list(run.samples("evaluate"))), run.cut_off("evaluate")) == (4, [])
    for whole in (2, 0):
        world.cut(shard, whole)
        assert (len(list(run.samples("evaluate"))), run.cut_off("evaluate")) == (whole, [shard.name])
    shard.write_bytes(b"")
    assert (list(run.samples("evaluate")), run.cut_off("evaluate")) == ([], [shard.name])
    shard.write_bytes(b"no tar" * 5120)
    assert (list(run.samples("evaluate")), run.cut_off("evaluate")) == ([], [shard.name])


def test_a_line_that_was_cut_off_is_no_step_of_training(tmp_path: Path):
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots/generator.csv").write_text("step,loss\n1,0.5\n2,")
    assert Run(tmp_path, "x", "abc").losses() == {"generator": [{"step": "1", "loss": "0.5"}]}
