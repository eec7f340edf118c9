"""The ONNX sync expert equals the torch sync expert, at any length."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from components.core.base.errors import UserError
from components.core.models import weights
from components.core.models.sync import SyncConfig, SyncExpert
from components.export import beside, sync
from components.export.beside import ExportedExpert
from tests.export.test_export import PARAMS
from tests.talking import talking_crop


def stirred_expert(height_px: int, width_px: int) -> SyncExpert:
    torch.manual_seed(0)
    expert = SyncExpert(SyncConfig(height_px, width_px, channels=4, width=24, embedding=16))
    with torch.no_grad():
        for parameter in expert.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    weights.freeze(expert)
    return expert


@pytest.fixture(scope="module", params=[(24, 32), (16, 24)], ids=["its size", "resized"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """Of an expert that takes the windows of a crop of 48 px as they are, and of one that makes them smaller."""
    path = beside.place(tmp_path_factory.mktemp("export") / "dubstrap.onnx", "sync")
    expert = stirred_expert(*request.param)
    return expert, path, sync.run(expert, [talking_crop()], PARAMS, path)


def test_it_lies_beside_the_editor(exported: tuple[SyncExpert, Path, ExportedExpert]) -> None:
    assert exported[1].name == "dubstrap_sync.onnx"
    assert exported[2].megabytes == exported[1].stat().st_size / 1e6


def test_parity_is_measured_and_small(exported: tuple[SyncExpert, Path, ExportedExpert]) -> None:
    assert 0 < exported[2].max_abs_error < 1e-4


@pytest.mark.parametrize("frames", [5, 6, 40])
def test_any_length(exported: tuple[SyncExpert, Path, ExportedExpert], frames: int) -> None:
    expert, path, _ = exported
    lower, mel = torch.rand(1, frames, 3, 24, 32) * 2 - 1, torch.rand(1, 4 * frames + 4, 80) * 2 - 1
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    seen, heard = session.run(["seen", "heard"], {"lower": lower.numpy(), "mel": mel.numpy()})
    assert seen.shape == heard.shape == (1, frames - 4, 16)
    with torch.inference_mode():
        np.testing.assert_allclose(seen, expert.visual_track(lower).numpy(), atol=1e-4)
        np.testing.assert_allclose(heard, expert.audio_track(mel).numpy(), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(seen, axis=-1), 1, atol=1e-4)


def test_metadata_is_the_contract(exported: tuple[SyncExpert, Path, ExportedExpert]) -> None:
    session = onnxruntime.InferenceSession(str(exported[1]), providers=["CPUExecutionProvider"])
    card = json.loads(session.get_modelmeta().custom_metadata_map["dubstrap_sync"])
    assert card == {"format": 1, "size_px": 48, "window": [20, 44, 8, 40], "frames": 5, "mel_margin": 2}


def test_too_large_a_difference_leaves_no_file(tmp_path: Path) -> None:
    strict = type(PARAMS)(**{**PARAMS.__dict__, "max_error": 1e-12})
    with pytest.raises(UserError, match=r"sync expert differs.*max_error = 1\.00e-12"):
        sync.run(stirred_expert(24, 32), [talking_crop()], strict, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []
