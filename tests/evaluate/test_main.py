"""The command line leaves every file that it promises."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from components.core.base import files
from components.core.media import shards
from components.evaluate import __main__ as stage
from components.evaluate import benchmark, rows
from tests.evaluate.conftest import World, crop, speech

COMMAND = """evaluate --crops crops --clips . --experts experts --generator generator --editor editor --out out
--metrics metrics.json --plots plots.csv --workers 1"""
EXPORTED = """evaluate --crops crops --clips . --experts experts --editor editor --exported dubstrap.onnx
--metrics onnx.json --workers 1"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with params and a benchmark of two clips."""
    values = yaml.safe_load(Path("configs/evaluate/default.yaml").read_text()) | {
        "sample_pairs": 2,
        "min_slice": 1,
        "looks": 0,
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"seed": 0, "evaluate": values}))
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"pair_id": ["p0", "p1"], "beard": [True, False]}).to_parquet("redubs.parquet")
    by_role = {
        "footage": [crop(f"c{i}", i, speech(i)) for i in range(2)],
        "truth": [crop(f"c{i}--p{i}", i, speech(10 + i)) for i in range(2)],
    }
    monkeypatch.setattr(benchmark.crops, "load", lambda folder, split, role: by_role[role])
    return tmp_path


def test_all_outputs_are_written(project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rows, "Loader", lambda *given: World())
    monkeypatch.setattr(sys, "argv", COMMAND.split())
    stage.main()

    figures = json.loads(Path("metrics.json").read_text())
    assert figures["rows"]["editor"]["success_rate"] == {"mean": 1, "lo": 1, "hi": 1, "n": 2}
    assert set(figures["slices"]) == {"beard=yes", "beard=no", "silence=10-25"}
    assert figures["paired"]["mouth_psnr_db"]["mean"] > 0
    table = pd.read_parquet("out/clips.parquet")
    assert table.groupby("row").size().to_dict() == dict.fromkeys(rows.ROWS, 2)
    manifest = pd.read_csv("out/manifest.csv").set_index("pair_id")
    assert list(manifest.index) == ["c0--p0", "c1--p1"]
    assert figures["benchmark_sha256"] == files.sha256(Path("out/manifest.csv"))
    assert manifest.filter(like="sha256").stack().nunique() == 2 * 3 - 1  # both pairs' sound is the same
    assert len(pd.read_csv("plots.csv")) == sum(map(len, figures["rows"].values()))
    assert [key for key, _ in shards.iterate(Path("out"))] == ["c0--p0", "c1--p1"]
    assert {path.name for path in Path("out/samples").iterdir()} == {
        f"c{i}--p{i}.{kind}" for i in range(2) for kind in ("png", "mp4")
    }


def test_the_exported_editor_is_a_row_of_its_own(project: Path, monkeypatch: pytest.MonkeyPatch):
    def load() -> rows.Bench:
        bench = World()()
        return replace(bench, dub={rows.EXPORTED: bench.dub["editor"]})

    monkeypatch.setattr(rows, "ExportedLoader", lambda *given: load)
    monkeypatch.setattr(sys, "argv", EXPORTED.split())
    stage.main()
    figures = json.loads(Path("onnx.json").read_text())
    assert set(figures["rows"]) == {"onnx"}
    assert len(figures["benchmark_sha256"]) == 64
    assert figures["rows"]["onnx"]["success_rate"]["mean"] == 1
    assert all(set(found) == {"onnx"} for found in figures["slices"].values())
    assert not Path("out").exists()


def test_what_is_to_be_measured_has_to_be_said(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", EXPORTED.replace("--exported dubstrap.onnx", "").split())
    with pytest.raises(SystemExit):
        stage.main()
    assert "or else --exported" in capsys.readouterr().err
