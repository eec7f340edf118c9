"""The command line leaves every file that it promises."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from components.core.media import shards
from components.evaluate import __main__ as stage
from components.evaluate import benchmark, rows
from tests.evaluate.conftest import World, crop, speech

COMMAND = """evaluate --crops crops --clips . --experts experts --generator generator --editor editor --out out
--metrics metrics.json --plots plots.csv --workers 1"""


def test_all_outputs_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    values = yaml.safe_load(Path("configs/evaluate/default.yaml").read_text()) | {"sample_pairs": 2, "min_slice": 1}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"seed": 0, "evaluate": values}))
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"pair_id": ["p0", "p1"], "beard": [True, False]}).to_parquet("redubs.parquet")
    by_role = {
        "footage": [crop(f"c{i}", i, speech(i)) for i in range(2)],
        "truth": [crop(f"c{i}--p{i}", i, speech(10 + i)) for i in range(2)],
    }
    monkeypatch.setattr(benchmark.crops, "load", lambda folder, split, role: by_role[role])
    monkeypatch.setattr(rows, "Loader", lambda *given: World())
    monkeypatch.setattr(sys, "argv", COMMAND.split())
    stage.main()

    figures = json.loads(Path("metrics.json").read_text())
    assert figures["rows"]["editor"]["success_rate"] == {"mean": 1, "lo": 1, "hi": 1, "n": 2}
    assert set(figures["slices"]) == {"beard=yes", "beard=no"}
    assert figures["paired"]["mouth_psnr_db"]["mean"] > 0
    table = pd.read_parquet("out/clips.parquet")
    assert table.groupby("row").size().to_dict() == dict.fromkeys(rows.ROWS, 2)
    assert len(pd.read_csv("plots.csv")) == sum(map(len, figures["rows"].values()))
    assert [key for key, _ in shards.iterate(Path("out"))] == ["c0--p0", "c1--p1"]
    assert {path.name for path in Path("out/samples").iterdir()} == {
        f"c{i}--p{i}.{kind}" for i in range(2) for kind in ("png", "mp4")
    }
