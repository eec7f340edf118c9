from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from components.core.base.errors import UserError
from components.core.media.mel import SILENCE
from components.core.models import weights
from components.core.models.frontend import FrontEnd, FrontEndConfig, encode_clip, load_frontend

CONFIG = FrontEndConfig(width=16, dilations=(1, 2, 1))


@pytest.fixture
def frontend() -> FrontEnd:
    torch.manual_seed(0)
    return FrontEnd(CONFIG).eval()


def test_shapes_follow_the_contract(frontend: FrontEnd) -> None:
    p = CONFIG.context
    features, measures = frontend(torch.randn(2, 4 * 7 + 2 * p, 80))
    assert p == 4 * (1 + 1 + 2 + 1)
    assert features.shape == (2, 7, 16)
    assert measures.shape == (2, 7, 6)


def test_chunks_give_what_the_whole_clip_gives(frontend: FrontEnd) -> None:
    p, mel = CONFIG.context, torch.randn(4 * 20, 80)
    whole = encode_clip(frontend, mel)
    padded = torch.nn.functional.pad(mel, (0, 0, p, p), value=SILENCE)
    for start, stop in ((0, 8), (8, 9), (9, 20)):
        features, measures = frontend(padded[None, 4 * start : 4 * stop + 2 * p])
        torch.testing.assert_close(torch.cat([features, measures], -1)[0], whole[start:stop], atol=1e-6, rtol=0)


def test_a_frame_hears_its_own_rows_and_the_context_and_no_more(frontend: FrontEnd) -> None:
    p, frame = CONFIG.context, 10
    mel = torch.randn(1, 4 * 20 + 2 * p, 80, requires_grad=True)
    frontend(mel)[1][0, frame].sum().backward()
    assert mel.grad is not None
    heard = mel.grad[0].abs().sum(-1).nonzero().flatten()
    centre = p + 4 * frame + 1.5
    assert heard[0] == p + 4 * frame - p
    assert heard[-1] == p + 4 * frame + 3 + p
    assert heard.double().mean() == centre


def test_silence_before_and_after_is_what_a_clip_is_padded_with(frontend: FrontEnd) -> None:
    mel = torch.full((4 * 6, 80), SILENCE)
    encoded = encode_clip(frontend, mel)
    torch.testing.assert_close(encoded, encoded[:1].expand_as(encoded))


def test_a_broken_frame_is_refused(frontend: FrontEnd) -> None:
    with pytest.raises(ValueError, match="41 mel rows"):
        encode_clip(frontend, torch.zeros(41, 80))


def test_onnx_gives_what_torch_gives(frontend: FrontEnd, tmp_path: Path) -> None:
    path, p = tmp_path / "frontend.onnx", CONFIG.context
    batch, rows = torch.export.Dim("b"), torch.export.Dim("f")
    torch.onnx.export(
        frontend, (torch.randn(2, 4 * 6 + 2 * p, 80),), path, dynamo=True, opset_version=18, verbose=False,
        dynamic_shapes={"mel": {0: batch, 1: 4 * rows}},
    )  # fmt: skip
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    mel = torch.randn(3, 4 * 11 + 2 * p, 80)
    expected = frontend(mel)
    for found, wanted in zip(session.run(None, {"mel": mel.numpy()}), expected, strict=True):
        np.testing.assert_allclose(found, wanted.detach().numpy(), atol=1e-5)


def test_the_file_gives_the_network_back_frozen(frontend: FrontEnd, tmp_path: Path) -> None:
    frontend.std.fill_(0.5)
    weights.save(tmp_path / "frontend.safetensors", frontend, CONFIG)
    loaded = load_frontend(tmp_path / "frontend.safetensors")
    mel = torch.randn(40, 80)
    torch.testing.assert_close(encode_clip(loaded, mel), encode_clip(frontend, mel))
    assert loaded.std.tolist() == [0.5] * 6
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    with pytest.raises(UserError, match="does not exist"):
        load_frontend(tmp_path / "absent.safetensors")


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"width 0 and dilations \(1,\)"):
        FrontEndConfig(width=0, dilations=(1,))
    with pytest.raises(ValueError, match=r"dilations \(0,\)"):
        FrontEndConfig(width=8, dilations=(0,))
