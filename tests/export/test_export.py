"""The ONNX editor equals the torch editor, at any batch and length, with experts in their bands."""

import base64
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import torch

from components.core.base.errors import UserError
from components.core.models.dubber import Dubber, DubberConfig
from components.core.models.frontend import FrontEnd, FrontEndConfig
from components.core.models.lora import Band, add_expert
from components.core.models.onnx_editor import OnnxEditor
from components.core.models.synthesis import Editor, Sampling
from components.export.card import Origin, build, identify, markdown, origin, training
from components.export.core import Exported, Target, run
from components.export.graph import Graph, example
from components.export.params import Params
from tests.core.models.test_dubber import SHAPE
from tests.talking import talking_crop

PARAMS = Params(steps=2, guidance_reference=1.0, guidance_audio=1.5, max_error=1e-3, check_clips=1, opset=20)


def stirred_editor() -> Editor:
    torch.manual_seed(0)
    front = FrontEnd(FrontEndConfig(width=8, dilations=(1, 2)))
    model = Dubber(DubberConfig("editor", SHAPE, 48, 24, 32, 3, 8 + 6))
    for name in ("lip", "texture"):
        add_expert(model, name, 2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return Editor(model, front.eval(), {"lip": Band(0.4, 0.8), "texture": Band(0.0, 0.3)})


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Editor, Path, Exported]:
    path = tmp_path_factory.mktemp("export") / "dubstrap.onnx"
    editor = stirred_editor()
    return editor, path, run(editor, [talking_crop()], PARAMS, 0, Target(path, "abc", "one clip", 1))


def test_parity_is_measured_and_small(exported: tuple[Editor, Path, Exported]) -> None:
    assert 0 < exported[2].max_abs_error < 1e-4


@pytest.mark.parametrize(("batch", "frames"), [(1, 6), (2, 3), (3, 11)])
@pytest.mark.parametrize("t", [0.1, 0.35, 0.5, 0.9])
def test_any_batch_and_length_at_any_time(
    exported: tuple[Editor, Path, Exported], batch: int, frames: int, t: float
) -> None:
    editor, path, _ = exported
    graph = Graph(editor)
    *shown, _, keep, _ = example(graph, batch, frames)
    inputs = (*shown, torch.full((batch, frames), t), keep, 1 - keep)
    with torch.inference_mode():
        expected = graph(*inputs)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    (made,) = session.run(["clean"], {name: value.numpy() for name, value in zip(names, inputs, strict=True)})
    np.testing.assert_allclose(made, expected.numpy(), atol=1e-4)


def test_whole_clips_come_out_as_torch_makes_them(exported: tuple[Editor, Path, Exported]) -> None:
    editor, path, _ = exported
    crop, options = talking_crop(frames=17), Sampling(3, 1.0, 1.5, seed=0)
    a, b = (maker.dub(crop, crop.mel, options).astype(int) for maker in (editor, OnnxEditor(path, editor, 1)))
    assert np.abs(a - b).mean() < 0.5  # torch samples in bf16 here


def test_the_front_end_in_the_metadata_hears_what_the_editor_hears(exported: tuple[Editor, Path, Exported]) -> None:
    editor, path, _ = exported
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    alone = base64.b64decode(session.get_modelmeta().custom_metadata_map["frontend"])
    mel = talking_crop(frames=30).mel[None]
    (lips,) = onnxruntime.InferenceSession(alone, providers=["CPUExecutionProvider"]).run(None, {"mel": mel})
    with torch.inference_mode():
        _, expected = editor.frontend(torch.from_numpy(mel))
    np.testing.assert_allclose(lips, expected.numpy(), atol=1e-5)


def test_metadata_is_the_contract(exported: tuple[Editor, Path, Exported]) -> None:
    session = onnxruntime.InferenceSession(str(exported[1]), providers=["CPUExecutionProvider"])
    card = json.loads(session.get_modelmeta().custom_metadata_map["dubstrap"])
    assert card["format"] == 2
    assert card["window"] == [20, 44, 8, 40]
    assert (card["chunk_frames"], card["motion_frames"], card["card_id"]) == (6, 2, "abc")
    assert card["references"] == 2
    assert card["bands"]["lip"] == {"low": 0.4, "high": 0.8}


def test_too_large_a_difference_leaves_no_file(tmp_path: Path) -> None:
    strict = Params(**{**PARAMS.__dict__, "max_error": 1e-12})
    with pytest.raises(UserError, match=r"largest difference.*max_error = 1\.00e-12"):
        run(stirred_editor(), [talking_crop()], strict, 0, Target(tmp_path / "m.onnx", "a", "b", 1))
    assert list(tmp_path.iterdir()) == []


def test_another_expert_or_other_sampling_makes_it_another_model(tmp_path: Path) -> None:
    clips, weights = tmp_path / "clips.parquet", {name: tmp_path / name for name in ("structure", "occluder")}
    columns = {"speaker": ["a"], "split": ["train"], "role": ["footage"], "duration_s": [1.0]}
    pd.DataFrame(columns | {"language": ["en"], "licence": ["CC0-1.0"]}).to_parquet(clips)
    for path in weights.values():
        path.write_bytes(b"first")
    first = origin(weights, PARAMS, clips)
    assert origin(weights, PARAMS, clips) == first
    assert origin(weights, Params(**{**PARAMS.__dict__, "steps": 7}), clips).card_id != first.card_id
    weights["occluder"].write_bytes(b"second")
    second = origin(weights, PARAMS, clips)
    assert second.card_id != first.card_id
    assert second.weights["structure"] == first.weights["structure"]


def test_the_card_says_what_was_seen_and_what_was_not_measured() -> None:
    clips = pd.DataFrame(
        [("ann", "train", "footage", "en", "private", 2.0), ("bob", "benchmark", "footage", "es", "CC0-1.0", 3.0)],
        columns=["speaker", "split", "role", "language", "licence", "duration_s"],
    )
    known = Origin(identify({"lip": "1", "structure": "2"}), {}, training(clips))
    rows = {"editor": {"mouth_psnr_db": {"mean": 24.0, "lo": 23.0, "hi": 25.0, "n": 8}}}
    card = build(known, {"rows": rows, "not_measured": {"seam_db": "no truth"}}, Exported(1e-5, 1e-6, 0.5, 1.0), PARAMS)
    assert card["not_measured"] == {"seam_db": "no truth"}
    assert "1 clips of 1 speakers, 2.0 s, languages en. Licences: private (1 clips)." in markdown(card)
    assert "| editor | 24 (23 to 25) | not measured |" in markdown(card)
    assert "- What is before the face stays as it is where the occluder expert beside" in markdown(card)
    assert identify({"structure": "2", "lip": "1"}) == known.card_id != identify({"structure": "3", "lip": "1"})
