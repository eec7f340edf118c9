from collections.abc import Callable
from pathlib import Path

import torch

from components.core.media.crops import Crop
from components.core.models.fit import Run
from components.experts import identity
from components.experts.data import Material
from components.experts.params import ExpertsParams

People = Callable[[str, int], list[Crop]]


def test_training_tells_strangers_apart(people: People, tiny: ExpertsParams, tmp_path: Path) -> None:
    model, curve = identity.train(
        Material(people("abcdefgh", 2)), tiny.identity, Run("id", 0, tmp_path, "test", "32-true")
    )
    metrics = identity.evaluate(model.eval(), people("wxyz", 2))
    assert curve.loss.iloc[-1] < curve.loss.iloc[0]
    assert metrics["auc"] > 0.9
    assert metrics["same_cosine"] > metrics["different_cosine"]


def test_one_clip_a_speaker_can_not_be_verified(people: People, tiny: ExpertsParams) -> None:
    model = identity.IdentityExpert(tiny.identity.model).eval()
    assert identity.evaluate(model, people("yz", 1)) == {"clips": 2, "speakers": 2}


def test_hidden_mouths_are_over_the_mouth_and_nowhere_else() -> None:
    images = torch.zeros(64, 3, 96, 96)
    draw = torch.Generator().manual_seed(0)
    changed = (identity.hide_mouth(images, 0.5, draw) != 0).any(1)
    share = changed.any(-1).any(-1).float().mean()
    assert 0.3 < share < 0.7
    assert changed[:, 60:68, 44:52].any(-1).any(-1).float().mean() == share
    rows, columns = changed.any(0).nonzero(as_tuple=True)
    assert rows.min() >= 48
    assert rows.max() < 80
    assert columns.min() >= 24
    assert columns.max() < 72
