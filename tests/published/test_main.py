"""The command line: what has weights is measured, what has none is named with the path expected."""

import json
import sys
from pathlib import Path

import pytest
import torch

from components.core.base import files
from components.published import __main__ as command
from tests.published import checkpoints
from tests.review import world

METRICS = {"lse_c", "lse_d", "csim", "lpips", "fid", "fvd"}


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs it on a benchmark of two clips and returns what it wrote."""
    world.evaluate(tmp_path, clips=2, shift=0.0)
    (tmp_path / "params.yaml").write_text("seed: 0")
    monkeypatch.chdir(tmp_path)

    def run() -> dict[str, dict]:
        monkeypatch.setattr(sys, "argv", ["published", "--fid-every", "4"])
        command.main()
        return json.loads((tmp_path / "metrics/published.json").read_text())

    return run


def test_every_metric_is_measured_where_the_weights_are(call, tmp_path: Path):
    folder = checkpoints.write(tmp_path / "models/published")
    found = call()
    assert found["not_measured"] == {}
    assert set(found["rows"]["editor"]) == METRICS
    assert set(found["rows"]["truth"]) == {"lse_c", "lse_d", "csim"}  # the others are its distance to itself
    assert "csim" not in found["rows"]["copy"]
    editor = found["rows"]["editor"]
    assert editor["lse_d"]["lo"] <= editor["lse_d"]["mean"] <= editor["lse_d"]["hi"]
    assert editor["lpips"]["mean"] == pytest.approx(0, abs=1e-3)  # this world's tiles are all alike
    assert editor["fid"]["n"] == 2 * world.FRAMES // 4
    assert editor["fvd"]["n"] == 2  # one window of 16 frames each
    assert found["weights"]["alex.pth"] == files.sha256(folder / "alex.pth")


def test_what_has_no_weights_names_the_path(call, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    checkpoints.write(tmp_path / "models/published")
    for name in ("syncnet_v2.model", "alex.pth", "i3d_torchscript.pt"):
        (tmp_path / "models/published" / name).unlink()
    found = call()
    assert set(found["rows"]["editor"]) == {"csim", "fid"}
    assert set(found["not_measured"]) == {"lse_c", "lse_d", "lpips", "fvd"}
    assert found["not_measured"]["lpips"].startswith("expected models/published/alex.pth;")
    assert "fvd is not measured: expected models/published/i3d_torchscript.pt" in caplog.text


def test_without_any_weights_all_is_said_and_nothing_fails(call):
    found = call()
    assert (found["rows"], set(found["not_measured"]), found["weights"]) == ({}, METRICS, {})


def test_another_file_of_that_name_ends_with_one_line(call, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = checkpoints.write(tmp_path / "models/published")
    narrow = torch.load(folder / "backbone.pth") | {"fc.weight": torch.zeros(8, 3)}
    torch.save(narrow, folder / "backbone.pth")
    with pytest.raises(SystemExit):
        call()
    assert "backbone.pth can't measure" in capsys.readouterr().err
    (folder / "backbone.pth").unlink()
    (folder / "i3d_torchscript.pt").write_bytes(b"no script")
    with pytest.raises(SystemExit):
        call()
    assert "expected I3D as TorchScript" in capsys.readouterr().err


def test_a_benchmark_without_films_is_said(call, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    checkpoints.write(tmp_path / "models/published")
    for path in (tmp_path / "artifacts/evaluate").glob("players-*.tar"):
        path.unlink()
    with pytest.raises(SystemExit):
        call()
    assert "dvc repro evaluate" in capsys.readouterr().err
