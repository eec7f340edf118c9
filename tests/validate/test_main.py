"""The command line, with files as the stages leave them."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from components.validate import __main__ as stage


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs the stage in a folder of its own, with the default params."""
    section = yaml.safe_load(Path("configs/validate/default.yaml").read_text())
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"validate": section}))
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["validate", *arguments])
        stage.main()

    return call


def save(path: Path, table: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path)


CLIPS = ("clips", "--clips", "clips", "--out", "out", "--metrics", "metrics.json")
PAIRS = ("pairs", "--pairs", "pairs", "--crops", "crops", "--out", "out", "--metrics", "metrics.json")


def test_clips_leave_docs_and_metrics(run, clips: pd.DataFrame):
    save(Path("clips/clips.parquet"), clips)
    run(*CLIPS)
    assert json.loads(Path("metrics.json").read_text())["clips"] == 12
    assert Path("out/data_docs/index.html").exists()


def test_a_broken_expectation_ends_with_one_line_and_its_docs(run, clips: pd.DataFrame, capsys):
    save(Path("clips/clips.parquet"), clips.assign(licence=None))
    with pytest.raises(SystemExit) as end:
        run(*CLIPS)
    assert end.value.code == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("error: clips.parquet fails")
    assert Path("out/data_docs/index.html").exists()


def test_pairs_leave_both_tables_drift_and_metrics(run, pairs: pd.DataFrame, crops: pd.DataFrame):
    save(Path("pairs/pairs.parquet"), pairs.assign(identity_cosine=[0.0] + [0.9] * 29))
    save(Path("crops/crops.parquet"), crops)
    run(*PAIRS)
    figures = json.loads(Path("metrics.json").read_text())
    assert (figures["accepted"], figures["quarantined"]) == (29, 1)
    assert set(figures["drift"]["score"]) == {"sharpness", "mouth_motion"}
    assert len(pd.read_parquet("out/accepted.parquet")) == 29
    assert pd.read_parquet("out/quarantined.parquet")["reason"].tolist() == ["identity"]
    assert Path("out/drift.html").exists()


def test_too_few_companions_keep_the_quarantine_for_reading(run, pairs: pd.DataFrame, crops: pd.DataFrame, capsys):
    save(Path("pairs/pairs.parquet"), pairs.assign(lip_change_px=0.0))
    save(Path("crops/crops.parquet"), crops)
    with pytest.raises(SystemExit) as end:
        run(*PAIRS)
    assert end.value.code == 2
    assert "lips_moved kept 0" in capsys.readouterr().err
    assert len(pd.read_parquet("out/quarantined.parquet")) == 30
    assert len(pd.read_parquet("out/accepted.parquet")) == 0


@pytest.mark.parametrize("content", [None, b"", b"not parquet"])
def test_missing_and_broken_tables_name_the_stage_to_run(run, capsys, content: bytes | None):
    if content is not None:
        Path("clips").mkdir()
        Path("clips/clips.parquet").write_bytes(content)
    with pytest.raises(SystemExit) as end:
        run(*CLIPS)
    assert end.value.code == 2
    assert "ingest" in capsys.readouterr().err
