"""The graph: front end, transformer and experts in one denoising step (docs/contracts.md, "The ONNX editor")."""

import base64
import copy
import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from components.core.base import files
from components.core.media import FPS, MEL_BINS, MEL_PER_FRAME
from components.core.media.face import MEASURES
from components.core.media.geometry import Window
from components.core.models.dubber import Conditions
from components.core.models.lora import AdaptedLinear, Gates
from components.core.models.synthesis import Editor, Sampling

INPUTS = ("noisy", "companion", "references", "mel", "timestep", "keep_companion", "keep_audio")

Network = TypeVar("Network", bound=nn.Module)


class Fused(nn.Module):
    """An adapted layer with all its experts side by side: W x + b + up (gate * down x), four products fewer than one by
    one, and on flat tokens, where ONNX has a product that adds (Gemm)."""

    def __init__(self, layer: AdaptedLinear) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias
        self.ranks = {name: len(down) for name, down in layer.lora_down.items()}
        self.down = nn.Parameter(torch.cat(list(layer.lora_down.values())), requires_grad=False)
        self.up = nn.Parameter(torch.cat(list(layer.lora_up.values()), 1).T.contiguous(), requires_grad=False)

    def forward(self, x: Float[Tensor, "b f t d"], gates: Gates) -> Float[Tensor, "b f t e"]:
        gate = torch.cat([gates[name][:, None].expand(-1, rank) for name, rank in self.ranks.items()], 1)
        low = nn.functional.linear(x, self.down) * gate[:, None, None]
        plain = nn.functional.linear(x.flatten(0, 2), self.weight, self.bias)
        made: Tensor = torch.addmm(plain, low.flatten(0, 2), self.up)
        return made.view(*x.shape[:3], -1)


def fused(model: Network) -> Network:
    """The model, which stays as it is, with `Fused` in the place of every layer that has experts."""
    copied = copy.deepcopy(model)
    for parent in list(copied.modules()):
        for name, layer in parent.named_children():
            if isinstance(layer, AdaptedLinear) and layer.lora_down:
                setattr(parent, name, Fused(layer))
    return copied


class Graph(nn.Module):
    """The editor with every condition as a tensor and every expert gated by the clip's timestep."""

    def __init__(self, editor: Editor) -> None:
        super().__init__()
        self.model, self.frontend, self.bands = fused(editor.model), editor.frontend, editor.bands

    def forward(self, *inputs: Tensor) -> Float[Tensor, "b f 3 h w"]:
        """The prediction of z_0 from the inputs in the order of INPUTS; their shapes: docs/contracts.md."""
        noisy, companion, references, mel, timestep, keep_companion, keep_audio = inputs
        audio = torch.cat(self.frontend(mel), -1)
        level = timestep.amax(1)  # motion frames are at 0
        gates = {name: band.gate(level) for name, band in self.bands.items()}
        shown = torch.cat([companion[:, None], references], 1)
        given = Conditions(shown, audio, None, keep_companion, keep_audio)
        clean: Tensor = self.model(noisy, timestep, given, gates)
        return clean


class Lips(nn.Module):
    """The front end alone: references are found by what it hears, before anything is edited."""

    def __init__(self, frontend: nn.Module) -> None:
        super().__init__()
        self.frontend = frontend

    def forward(self, mel: Float[Tensor, "b m bins"]) -> Float[Tensor, "b f k"]:
        """Lip measures (b, f, k) of mel (b, 4f + 2 context, 80)."""
        lips: Tensor = self.frontend(mel)[1]
        return lips


def example(graph: Graph, batch: int, frames: int) -> tuple[Tensor, ...]:
    """Random inputs of these sizes, in the order of INPUTS."""
    config = graph.model.config
    draw = torch.Generator().manual_seed(0)
    window = (batch, frames, 3, config.height, config.width)
    own = (batch, config.references - 1, frames, 3, config.height, config.width)
    rows = MEL_PER_FRAME * frames + 2 * graph.frontend.config.context
    return (
        torch.randn(window, generator=draw),
        torch.rand(window, generator=draw) * 2 - 1,
        torch.rand(own, generator=draw) * 2 - 1,
        torch.rand(batch, rows, MEL_BINS, generator=draw) * 2 - 1,
        torch.rand(batch, frames, generator=draw),
        torch.ones(batch),
        torch.ones(batch),
    )


def write(graph: Graph, path: Path, metadata: dict[str, Any], opset: int) -> None:
    """Writes the ONNX file whole or not at all; batch and frames are dynamic.

    The front end is in the graph and once more in the file's metadata, as a model of its own: ONNX Runtime can not run
    a part of a graph, and references have to be found before there is anything to edit.
    """
    batch, frames = torch.export.Dim("batch"), torch.export.Dim("frames", min=2)
    rows = MEL_PER_FRAME * frames + 2 * graph.frontend.config.context
    video = {0: batch, 1: frames}
    shapes = {
        "noisy": video,
        "companion": video,
        "references": {0: batch, 2: frames},
        "mel": {0: batch, 1: rows},
        "timestep": video,
        "keep_companion": {0: batch},
        "keep_audio": {0: batch},
    }
    inputs = example(graph, 3, graph.model.config.architecture.chunk_frames)
    packed = {"inputs": tuple(shapes.values())}
    proto = traced(graph, inputs, shapes, ("clean",), opset, packed)
    lips = traced(Lips(graph.frontend), (inputs[INPUTS.index("mel")],), {"mel": shapes["mel"]}, ("lips",), opset)
    texts = {
        "dubstrap": json.dumps(metadata, sort_keys=True),
        "frontend": base64.b64encode(lips.SerializeToString(deterministic=True)).decode(),
    }
    save(proto, path, texts)


def save(proto: Any, path: Path, metadata: dict[str, str]) -> None:
    """Writes a model with its metadata, whole or not at all."""
    import onnx

    onnx.helper.set_model_props(proto, metadata)
    onnx.checker.check_model(proto)
    with files.replacing(path) as temporary:
        onnx.save(proto, str(temporary))


def traced(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    shapes: dict[str, dict[int, Any]],
    outputs: tuple[str, ...],
    opset: int,
    packed: dict[str, Any] | None = None,
) -> Any:
    """The module as an ONNX model.

    Args:
        module: it is put on the CPU and into evaluation mode.
        inputs: examples.
        shapes: the inputs' names in their order, and the dynamic axes of each.
        outputs: their names.
        opset: of ONNX.
        packed: `shapes` by the arguments of `forward`, where these are not the inputs' names.
    """
    _hush()
    program = torch.onnx.export(
        module.cpu().eval(),
        inputs,
        input_names=list(shapes),
        output_names=list(outputs),
        dynamic_shapes=packed or shapes,
        dynamo=True,
        opset_version=opset,
        external_data=False,
        verbose=False,
    )
    assert program is not None
    return program.model_proto


def _hush() -> None:
    """The exporter reports every folded constant, the packages that it could use, and its own deprecations."""
    for name in ("onnxscript", "onnx_ir", "torch.onnx"):
        logging.getLogger(name).setLevel(logging.ERROR)


def metadata(editor: Editor, sampling: Sampling, card_id: str, trained_on: str) -> dict[str, Any]:
    """What the runtime needs to know, stored inside the file."""
    config = editor.model.config
    window = Window.of(config.size_px)
    return {
        "format": 2,
        "fps": FPS,
        "size_px": config.size_px,
        "window": [window.top, window.bottom, window.left, window.right],
        "chunk_frames": config.architecture.chunk_frames,
        "motion_frames": config.architecture.motion_frames,
        "references": config.references - 1,
        "mel_context": editor.frontend.config.context,
        "steps": sampling.steps,
        "guidance": {"reference": sampling.guidance_reference, "audio": sampling.guidance_audio},
        "shift": config.architecture.schedule_shift,
        "bands": {name: asdict(band) for name, band in editor.bands.items()},
        "card_id": card_id,
        "trained_on": trained_on,
        "measures": list(MEASURES),
    }
