"""The command line, with files as the stages leave them."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from components.core.base import reviews
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
CROPS = ("crops", "--crops", "crops", "--out", "out", "--metrics", "metrics.json")
PAIRS = (
    "pairs",
    "--pairs",
    "pairs",
    "--crops",
    "crops",
    "--reviews",
    "reviews",
    "--out",
    "out",
    "--metrics",
    "metrics.json",
)


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


def test_crops_leave_docs_and_metrics_and_a_bad_one_stops_the_run(run, cropped: pd.DataFrame, capsys):
    save(Path("crops/crops.parquet"), cropped)
    run(*CROPS)
    figures = json.loads(Path("metrics.json").read_text())
    assert (figures["crops"], figures["critical_failed"], figures["warning_failed"]) == (12, 0, 0)
    assert Path("out/data_docs/index.html").exists()
    save(Path("crops/crops.parquet"), cropped.assign(split="train"))
    with pytest.raises(SystemExit) as end:
        run(*CROPS)
    assert end.value.code == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("error: crops.parquet fails 1 critical expectation")
    assert "see artifacts/crops/rejects.parquet" in line


def test_pairs_leave_both_tables_drift_and_metrics(run, pairs: pd.DataFrame, crops: pd.DataFrame):
    save(Path("pairs/pairs.parquet"), pairs.assign(identity_cosine=[0.0] + [0.9] * 29))
    save(Path("crops/crops.parquet"), crops)
    run(*PAIRS)
    figures = json.loads(Path("metrics.json").read_text())
    assert (figures["accepted"], figures["quarantined"]) == (29, 1)
    assert set(figures["drift"]["score"]) == {"sharpness", "mouth_motion"}
    assert (figures["drift"]["drifted_share"], figures["drift"]["too_far"]) == (0, False)
    assert len(pd.read_parquet("out/accepted.parquet")) == 29
    assert pd.read_parquet("out/quarantined.parquet")["reason"].tolist() == ["identity"]
    assert Path("out/drift.html").exists()


def test_a_pair_that_a_person_rejected_leaves_until_it_is_approved(run, pairs: pd.DataFrame, crops: pd.DataFrame):
    save(Path("pairs/pairs.parquet"), pairs)
    save(Path("crops/crops.parquet"), crops)
    no = reviews.Decision("2026-01-01T00:00:00.000000+00:00", "run", "pair", "pair07", "reject", "two mouths", "Ann")
    reviews.append(Path("reviews/a.jsonl"), no)
    run(*PAIRS)
    quarantined = pd.read_parquet("out/quarantined.parquet")
    assert dict(zip(quarantined["pair_id"], quarantined["reason"], strict=True)) == {"pair07": "review"}
    assert "pair07" not in set(pd.read_parquet("out/accepted.parquet")["pair_id"])
    assert json.loads(Path("metrics.json").read_text())["yield"]["review"] == pytest.approx(29 / 30)
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    reviews.append(Path("reviews/b.jsonl"), replace(no, kind="clip", verdict="comment"))
    run(*PAIRS)
    assert {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()} == before
    reviews.append(Path("reviews/b.jsonl"), replace(no, verdict="approve", time="2026-01-02T00:00:00.000000+00:00"))
    run(*PAIRS)
    assert len(pd.read_parquet("out/accepted.parquet")) == 30


def test_new_footage_leaves_a_report_figures_and_a_warning(run, crops: pd.DataFrame, caplog):
    save(Path("crops/crops.parquet"), crops)
    new = crops[crops["split"] == "train"].assign(sharpness=99.0)
    save(Path("incoming/crops.parquet"), new)
    run("footage", "--new", "incoming", "--crops", "crops", "--out", "out", "--metrics", "metrics.json")
    figures = json.loads(Path("metrics.json").read_text())
    assert figures["clips"] == 40
    assert figures["drift"]["score"]["sharpness"] > 10
    assert (figures["drift"]["drifted_share"], figures["drift"]["too_far"]) == (0.5, True)
    assert "new footage drifts from what was trained on" in caplog.text
    assert "sharpness" in Path("out/drift.html").read_text()


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
