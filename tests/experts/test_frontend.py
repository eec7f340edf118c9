import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from components.core.media.crops import Crop
from components.core.models.fit import Run
from components.experts import frontend
from components.experts.data import Material
from components.experts.params import ExpertsParams

People = Callable[[str, int], list[Crop]]


def test_training_predicts_lips_of_strangers(people: People, tiny: ExpertsParams, tmp_path: Path) -> None:
    model, _ = frontend.train(
        Material(people("abcd", 2)), tiny.frontend, Run("frontend", 0, tmp_path, "test", "32-true")
    )
    metrics = frontend.evaluate(model.eval(), people("yz", 1))
    assert metrics["opening_r"] > 0.9
    assert metrics["opening_loudness_r"] > 0.5


def test_the_unit_is_the_deviation_from_the_median(people: People, tiny: ExpertsParams, tmp_path: Path) -> None:
    crops = people("ab", 1)
    one = dataclasses.replace(tiny.frontend, fit=dataclasses.replace(tiny.frontend.fit, steps=2, warmup_steps=1))
    model, _ = frontend.train(Material(crops), one, Run("frontend", 0, tmp_path, "test", "32-true"))
    deviations = np.concatenate([crop.measures - np.median(crop.measures, 0) for crop in crops])
    np.testing.assert_allclose(model.std, deviations.std(0), rtol=1e-5)
    np.testing.assert_allclose(model.mean, deviations.mean(0), atol=1e-6)


def test_a_still_mouth_has_no_correlation(people: People, tiny: ExpertsParams) -> None:
    crop = people("a", 1)[0]
    still = dataclasses.replace(crop, measures=np.zeros_like(crop.measures))
    model = frontend.FrontEnd(tiny.frontend.model).eval()
    assert frontend.evaluate(model, [still]) == {"clips": 1}


def test_correlation_is_pearsons_for_what_moves_and_zero_for_what_does_not() -> None:
    a, b = torch.randn(2, 400, 3), torch.randn(2, 400, 3)
    b += a
    expected = np.corrcoef(a[1, :, 2], b[1, :, 2])[0, 1]
    assert frontend.correlation(a, b)[1, 2].item() == pytest.approx(expected, abs=0.01)
    assert frontend.correlation(a, torch.ones_like(a)).abs().max() < 1e-4


def test_footage_teaches_the_last_layer_alone_where_recitals_teach_to_hear(tiny: ExpertsParams) -> None:
    torch.manual_seed(0)
    model = frontend.FrontEnd(tiny.frontend.model)
    mel = torch.randn(4, 4 * 10 + 2 * model.config.context, 80).clamp(-1, 1)
    batch = frontend.SpeechBatch(mel, torch.randn(2, 10, 6), torch.randn(2, 10, 3))

    def gradients(share: float, batch: frontend.SpeechBatch) -> tuple[float, float]:
        learner = frontend.FrontEndLearner(model, dataclasses.replace(tiny.frontend, footage_gradient=share), 3)
        model.zero_grad()
        learner.losses(batch, torch.Generator().manual_seed(0))["measures"].backward()
        found = [part.weight.grad for part in (model.stem, model.head)]
        return tuple(0.0 if grad is None else float(grad.abs().sum()) for grad in found)  # type: ignore[return-value]

    heard, measured = gradients(0.0, batch)
    assert heard == 0 < measured
    assert gradients(0.5, batch)[0] == pytest.approx(0.5 * gradients(1.0, batch)[0], rel=1e-3)
    alone = frontend.SpeechBatch(mel[:2], batch.measures, batch.tracks[:0])
    assert gradients(0.0, alone)[0] > 0
