import dataclasses
import logging
from collections.abc import Callable
from math import log
from pathlib import Path

import numpy as np
import pytest
import torch

from components.core.media.crops import Crop
from components.core.media.geometry import Window
from components.core.models.fit import Run
from components.core.models.sync import ClipEmbeddings, sync_loss
from components.experts import sync
from components.experts.data import Material
from components.experts.params import ExpertsParams

People = Callable[[str, int], list[Crop]]


def run(folder: Path) -> Run:
    return Run("sync", 0, folder, "test", "32-true")


def test_training_brings_lips_and_sound_together(people: People, tiny: ExpertsParams, tmp_path: Path) -> None:
    model, curve = sync.train(Material(people("abcd", 3)), tiny.sync, run(tmp_path))
    model.eval()
    assert curve.loss.iloc[-1] < 0.8 * log(6 * 16)
    crops = people("yz", 2)
    lower = np.stack([Window.of(24).take(crop.frames)[1:-1] for crop in crops])
    windows = torch.from_numpy(lower).permute(0, 1, 4, 2, 3) / 127.5 - 1
    mel = torch.from_numpy(np.stack([crop.mel for crop in crops]))
    own, foreign = sync_loss(model, windows, mel), sync_loss(model, windows, mel.roll(1, 0))
    assert own < foreign - 0.2
    metrics = sync.evaluate(model, crops)
    assert metrics["auc_1s"] > 0.9
    assert metrics["offset_windows"] == 8


def test_loss_is_zero_for_perfect_embeddings_and_ln_of_the_count_for_equal_ones() -> None:
    perfect = torch.eye(8).view(2, 4, 8)
    assert sync.info_nce(perfect, perfect, torch.tensor(100.0)) == pytest.approx(0, abs=1e-5)
    equal = torch.ones(3, 1, 4) / 2
    assert sync.info_nce(equal, equal, torch.tensor(10.0)) == pytest.approx(log(3))


def test_windows_a_frame_apart_are_no_rivals() -> None:
    beside = sync.neighbours(2, 3, torch.device("cpu"))
    one = [[False, True, False], [True, False, True], [False, True, False]]
    assert beside[:3, :3].tolist() == beside[3:, 3:].tolist() == one
    assert not beside[:3, 3:].any()


def test_chance_is_reported_early(
    people: People, tiny: ExpertsParams, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = dataclasses.replace(tiny.sync, fit=dataclasses.replace(tiny.sync.fit, steps=10, lr=1e-9))
    with caplog.at_level(logging.WARNING):
        sync.train(Material(people("ab", 2)), stuck, run(tmp_path))
    assert "still at chance" in caplog.text
    assert "after 2 steps" in caplog.text


def test_offsets_of_windows_are_exact() -> None:
    stream = np.random.default_rng(0).standard_normal((200, 16)).astype(np.float32)
    stream /= np.linalg.norm(stream, axis=1, keepdims=True)
    clip = ClipEmbeddings(seen=stream[50:150], heard=stream[44:144])
    assert sync.window_offsets(clip) == [6] * 8


def test_short_clips_have_no_figures(people: People, tiny: ExpertsParams) -> None:
    crop = people("a", 1)[0]
    short = dataclasses.replace(crop, frames=crop.frames[:12], mel=crop.mel[:48])
    assert sync.evaluate(sync.SyncExpert(tiny.sync.model), [short]) == {"clips": 1, "offset_windows": 0}
