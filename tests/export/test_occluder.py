"""The ONNX occluder expert equals the torch occluder expert, for any number of frames."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from components.core.base.errors import UserError
from components.core.models import weights
from components.core.models.occluder import OccluderConfig, OccluderExpert
from components.export import beside, occluder
from components.export.beside import ExportedExpert
from tests.export.test_export import PARAMS
from tests.talking import talking_crop


def expert_of(height_px: int, width_px: int) -> OccluderExpert:
    torch.manual_seed(0)
    expert = OccluderExpert(OccluderConfig(height_px, width_px, channels=4))
    weights.freeze(expert)
    return expert


@pytest.fixture(scope="module", params=[(24, 32), (16, 24)], ids=["its size", "resized"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """Of an expert that takes the windows of a crop of 48 px as they are, and of one that makes them smaller."""
    path = beside.place(tmp_path_factory.mktemp("export") / "dubstrap.onnx", "occluder")
    expert = expert_of(*request.param)
    return expert, path, occluder.run(expert, [talking_crop()], PARAMS, path)


def test_it_lies_beside_the_editor(exported: tuple[OccluderExpert, Path, ExportedExpert]) -> None:
    assert exported[1].name == "dubstrap_occluder.onnx"
    assert exported[2].megabytes == exported[1].stat().st_size / 1e6


def test_parity_is_measured_and_small(exported: tuple[OccluderExpert, Path, ExportedExpert]) -> None:
    assert 0 < exported[2].max_abs_error < 1e-4


@pytest.mark.parametrize("frames", [1, 7])
def test_any_number_of_frames(exported: tuple[OccluderExpert, Path, ExportedExpert], frames: int) -> None:
    expert, path, _ = exported
    windows = np.random.default_rng(0).integers(0, 256, (frames, 24, 32, 3), np.uint8)
    np.testing.assert_allclose(occluder.probability(path, windows), expert.probability(windows), atol=1e-4)


def test_metadata_is_the_contract(exported: tuple[OccluderExpert, Path, ExportedExpert]) -> None:
    session = onnxruntime.InferenceSession(str(exported[1]), providers=["CPUExecutionProvider"])
    card = json.loads(session.get_modelmeta().custom_metadata_map["dubstrap_occluder"])
    assert card == {"format": 1, "size_px": 48, "window": [20, 44, 8, 40]}


def test_too_large_a_difference_leaves_no_file(tmp_path: Path) -> None:
    strict = type(PARAMS)(**{**PARAMS.__dict__, "max_error": 1e-12})
    with pytest.raises(UserError, match=r"occluder expert differs.*max_error = 1\.00e-12"):
        occluder.run(expert_of(24, 32), [talking_crop()], strict, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []
