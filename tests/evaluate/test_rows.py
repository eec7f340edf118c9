"""The models' side of the benchmark, with tiny real weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from components.core.models import weights
from components.core.models.dubber import Architecture, Dubber, DubberConfig
from components.core.models.frontend import FrontEnd, FrontEndConfig
from components.core.models.identity import IdentityConfig, IdentityExpert
from components.core.models.lora import Band, add_expert
from components.core.models.sync import SyncConfig, SyncExpert
from components.core.models.synthesis import ExpertConfig
from components.evaluate.params import SamplingParams
from components.evaluate.rows import Loader, find_landmarks
from tests.evaluate.conftest import SIZE, crop, speech

WIDTH = 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Untrained weights of every model, in one folder."""
    torch.manual_seed(0)
    frontend = FrontEndConfig(WIDTH, (1,))
    weights.save(tmp_path / "frontend.safetensors", FrontEnd(frontend), frontend)
    sync, identity = SyncConfig(16, 24, 4, 8, 6), IdentityConfig(16, 4, 6)
    weights.save(tmp_path / "judge_sync.safetensors", SyncExpert(sync), sync)
    weights.save(tmp_path / "judge_identity.safetensors", IdentityExpert(identity), identity)
    shape = Architecture(8, 48, 1, 2, 2.0, "modulation", 4, "channels", "clean", 6, 2, 1.0)
    for role, path in (("generator", "generator.safetensors"), ("editor", "structure/weights.safetensors")):
        config = DubberConfig(role, shape, SIZE, SIZE // 2, SIZE * 2 // 3, 2, WIDTH + 6)
        model = Dubber(config)
        weights.save(tmp_path / path, model, config)
    base = set(model.state_dict())
    for phase, band in (("lip", Band(0.4, 0.8)), ("texture", Band(0.0, 0.3))):
        add_expert(model, phase, 2)
        lora = {name: tensor for name, tensor in model.state_dict().items() if name not in base and phase in name}
        weights.save(tmp_path / phase / "weights.safetensors", lora, ExpertConfig(2, band))
    return tmp_path


def loader(folder: Path) -> Loader:
    sampling = SamplingParams(2, 1.0, 1.5)
    return Loader(folder, folder, folder, None, sampling, sampling, 1)


def test_every_model_row_dubs_and_both_judges_speak(folder: Path):
    bench = loader(folder)()
    assert list(bench.dub) == ["generator", "editor-structure", "editor-lip", "editor"]
    clip = crop("c0", 0, speech(0, 12))
    for dub in bench.dub.values():
        frames = dub(clip, clip.mel, 1)
        assert (frames.shape, frames.dtype) == (clip.frames.shape, np.uint8)
        assert np.array_equal(frames[:, : SIZE // 3], clip.frames[:, : SIZE // 3])  # above the window
        assert np.array_equal(frames, dub(clip, clip.mel, 1))
    confidence, distance = bench.sync(clip.frames, clip.mel)
    assert confidence >= 0
    assert 0 <= distance <= 2
    assert np.linalg.norm(bench.embed(clip.frames), axis=1) == pytest.approx(1, abs=1e-3)


def test_absent_judges_are_none(folder: Path):
    (folder / "judge_sync.safetensors").unlink()
    (folder / "judge_identity.safetensors").unlink()
    bench = loader(folder)()
    assert bench.sync is None
    assert bench.embed is None


def test_no_face_is_nan():
    assert np.isnan(find_landmarks(np.zeros((2, SIZE, SIZE, 3), np.uint8))).all()
