"""Smaller numbers: every variant of a tiny editor runs, is smaller, and makes much the same pictures."""

from pathlib import Path

import pytest

from benchmarks import dub, quantised
from components.core.models.synthesis import Sampling
from components.evaluate.benchmark import Pair
from flows.params import compose
from tests.talking import talking_crop


def test_every_variant_is_measured_on_the_same_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.dub.PASSES", 1)
    monkeypatch.setattr("benchmarks.dub.WARM_UPS", 0)
    config = tmp_path / "params.yaml"
    config.write_text(compose(["scale=smoke"]))
    source, editor = dub.random_model(tmp_path / "random.onnx", config), dub.random_editor(config)
    crop = talking_crop(size_px=editor.model.config.size_px)
    pairs = [
        Pair("exact", crop, crop, crop, crop, None, ()),
        Pair("no truth", crop, crop, None, crop, None, ()),
    ]
    found = quantised.compared(source, editor, pairs, Sampling(1, 1.0, 1.0, 0))
    assert list(found) == list(quantised.VARIANTS)
    assert all(one.ms > 0 and one.to_truth_db > 10 for one in found.values())
    whole = found.pop("float32")
    for one in found.values():
        assert one.megabytes < whole.megabytes
        assert one.to_float32_db > 30
    assert "| float16 weights | " in quantised.table({"float32": whole, **found})
