"""Smaller numbers: every variant of a tiny editor runs, is smaller, and makes much the same pictures."""

from pathlib import Path

import pytest

from benchmarks import quantised
from components.core.models.synthesis import Sampling
from components.evaluate.benchmark import Pair
from components.export.graph import Graph, metadata, write
from tests.export.test_export import PARAMS, stirred_editor
from tests.talking import talking_crop


def test_every_variant_is_measured_on_the_same_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.dub.PASSES", 1)
    monkeypatch.setattr("benchmarks.dub.WARM_UPS", 0)
    editor, sampling, source = stirred_editor(), Sampling(1, 1.0, 1.0, 0), tmp_path / "editor.onnx"
    write(Graph(editor), source, metadata(editor, sampling, "tiny", "nothing"), PARAMS.opset)
    crop = talking_crop()
    exact, alone = (Pair("a pair", crop, crop, truth, crop, None, ()) for truth in (crop, None))
    found = quantised.compared(source, editor, [exact, alone], sampling)
    assert list(found) == list(quantised.VARIANTS)
    assert all(one.ms > 0 and one.to_truth_db > 0 for one in found.values())
    whole = found.pop("float32")
    for one in found.values():
        assert one.megabytes < whole.megabytes
        assert one.to_float32_db > 20
    assert "| float16 weights | " in quantised.table({"float32": whole, **found})
