from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from components.core.base.errors import UserError
from components.core.media.crops import Crop
from components.core.models import weights
from components.core.models.fit import Run
from components.core.models.lips import LipsConfig, LipsExpert, load_lips
from components.experts import lips
from components.experts.data import Material
from components.experts.params import ExpertsParams

People = Callable[[str, int], list[Crop]]


def run(folder: Path) -> Run:
    return Run("lips", 0, folder, "test", "32-true")


def test_training_reads_the_lips_of_strangers(people: People, tiny: ExpertsParams, tmp_path: Path) -> None:
    crops = people("wxyz", 2)
    untrained = lips.evaluate(LipsExpert(tiny.lips.model).eval(), crops)
    model, curve = lips.train(Material(people("abcdefgh", 2)), tiny.lips, run(tmp_path))
    metrics = lips.evaluate(model.eval(), crops)
    assert curve.loss.iloc[-1] < curve.loss.iloc[0]
    assert metrics["opening_r"] > max(0.9, untrained["opening_r"])
    read = np.concatenate([model.read(crop.frames)[:, 0] for crop in crops])
    assert read.mean() == pytest.approx(np.mean([crop.measures[:, 0].mean() for crop in crops]), rel=0.3)


def test_what_is_hidden_teaches_nothing_and_is_not_measured(
    people: People, tiny: ExpertsParams, tmp_path: Path
) -> None:
    covered = [replace(crop, occluder=np.ones_like(crop.occluder)) for crop in people("ab", 1)]
    with pytest.raises(UserError, match="no crop shows its lips"):
        lips.train(Material(covered), tiny.lips, run(tmp_path))
    assert lips.evaluate(LipsExpert(tiny.lips.model).eval(), covered) == {"clips": 2}


def test_any_size_is_read_and_weights_come_back_the_same(tmp_path: Path, people: People) -> None:
    config = LipsConfig(16, 32, 4, 8)
    torch.manual_seed(0)
    expert = LipsExpert(config).eval()
    expert.mean, expert.std = torch.arange(6.0), torch.arange(1.0, 7.0)
    weights.save(tmp_path / "lips.safetensors", expert, config)
    frames = people("a", 1)[0].frames
    loaded = load_lips(tmp_path / "lips.safetensors")
    assert expert.read(frames).shape == (len(frames), 6)
    np.testing.assert_array_equal(loaded.read(frames), expert.read(frames))
    assert expert(torch.zeros(2, 3, 3, 12, 20)).shape == (2, 3, 6)


@pytest.mark.parametrize("change", [{"height_px": 24}, {"channels": 6}, {"width": 0}])
def test_sizes_that_can_not_be_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        LipsConfig(**{"height_px": 16, "width_px": 16, "channels": 4, "width": 8} | change)
