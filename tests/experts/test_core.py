import json
from pathlib import Path

import pytest
import torch
import yaml

from components.core.base import params
from components.core.base.errors import UserError
from components.core.media import crops
from components.core.models.sync import load_sync
from components.experts import core
from components.experts.__main__ import main
from components.experts.data import Material
from components.experts.params import ExpertsParams

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("sync", "identity", "lips")
NAMES = ["frontend", *(f"{role}_{kind}" for role in ("guide", "judge") for kind in KINDS)]


def test_all_experts_are_trained_measured_and_kept(
    shelf: Path, tiny: ExpertsParams, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    training, heldout = crops.load(shelf, split="train"), crops.load(shelf, split="benchmark")
    outcome = core.run(Material(training), heldout, tiny, 0, tmp_path)
    assert list(outcome.metrics) == NAMES
    assert list(outcome.curves.columns) == ["step", "expert", "loss"]
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == sorted(f"{n}.safetensors" for n in NAMES)
    assert not list(tmp_path.rglob("*.ckpt"))
    guide, judge = (load_sync(tmp_path / f"{role}_sync.safetensors") for role in ("guide", "judge"))
    assert not torch.equal(guide.sound[0].weight, judge.sound[0].weight)

    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.safetensors")}
    with caplog.at_level("INFO"):
        again = core.run(Material(training), heldout, tiny, 0, tmp_path)
    assert caplog.text.count("already trained, kept") == len(NAMES)
    assert again.metrics == outcome.metrics
    assert again.curves.equals(outcome.curves)
    assert written == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.safetensors")}


def test_guide_and_judge_differ_in_speakers_and_seeds(shelf: Path, tiny: ExpertsParams) -> None:
    by_name = {job.name: job for job in core.jobs(Material(crops.load(shelf, split="train")), tiny)}
    speakers = {name: {crop.speaker for crop in job.material.crops} for name, job in by_name.items()}
    assert speakers["frontend"] == set("abcd")
    for kind in KINDS:
        assert speakers[f"guide_{kind}"] == set("ac")
        assert speakers[f"judge_{kind}"] == set("bd")


def test_default_settings_are_valid() -> None:
    values = yaml.safe_load((ROOT / "configs/experts/default.yaml").read_text())
    found = params.build(ExpertsParams, values, "experts", Path("configs/experts/default.yaml"))
    assert found.frontend.model.context == 32


def test_shell_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    values = yaml.safe_load((ROOT / "configs/experts/default.yaml").read_text())
    Path("params.yaml").write_text(json.dumps({"seed": 0, "experts": values}))
    arguments = [
        "experts",
        "--crops",
        "nowhere",
        "--data",
        "data",
        "--out",
        "out",
        "--metrics",
        "m.json",
        "--plots",
        "p.csv",
    ]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert "error: nowhere/crops.parquet does not exist" in capsys.readouterr().err


def test_no_training_crops_is_said_plainly(tiny: ExpertsParams, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="0 training speakers"):
        core.run(Material([]), [], tiny, 0, tmp_path)
