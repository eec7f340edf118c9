"""The occluder expert as an ONNX file beside the editor: by it the dubbing runtime spares what is before the face."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from components.core.media.crops import Crop
from components.core.media.geometry import Window
from components.core.models.occluder import OccluderExpert
from components.export.beside import ExportedExpert, accepted
from components.export.graph import save, traced
from components.export.params import Params


class Probability(nn.Module):
    """The expert's probabilities in place of its logits."""

    def __init__(self, expert: OccluderExpert) -> None:
        super().__init__()
        self.expert = expert

    def forward(self, lower: Float[Tensor, "f 3 h w"]) -> Float[Tensor, "f h w"]:
        """That something is in front of each pixel of lower faces, RGB in [-1, 1]."""
        return self.expert.hidden(lower)


def run(expert: OccluderExpert, crops: Sequence[Crop], params: Params, path: Path) -> ExportedExpert:
    """Writes the file and measures it on the first `params.check_clips` crops, whose size is that of its input.

    Raises:
        UserError: its probabilities differ from torch's by more than `params.max_error`; the file is removed.
    """
    chosen = crops[: params.check_clips]
    write(expert, chosen[0].frames.shape[1], path, params.opset)
    return accepted(path, "occluder", max(difference(expert, path, crop) for crop in chosen), params)


def write(expert: OccluderExpert, size_px: int, path: Path, opset: int) -> None:
    """Writes the expert for any number of windows of crops of this size, whole or not at all."""
    window = Window.of(size_px)
    lower = torch.rand(3, 3, window.height, window.width, generator=torch.Generator().manual_seed(0)) * 2 - 1
    shapes = {"lower": {0: torch.export.Dim("frames", min=1)}}
    proto = traced(Probability(expert), (lower,), shapes, ("hidden",), opset)
    save(proto, path, {"dubstrap_occluder": json.dumps(metadata(size_px), sort_keys=True)})


def metadata(size_px: int) -> dict[str, Any]:
    """What the runtime needs to know, stored inside the file."""
    window = Window.of(size_px)
    return {"format": 1, "size_px": size_px, "window": [window.top, window.bottom, window.left, window.right]}


def difference(expert: OccluderExpert, path: Path, crop: Crop) -> float:
    """The largest |ONNX - torch| of the probabilities in a crop."""
    windows = Window.of(crop.frames.shape[1]).take(crop.frames)
    return float(np.abs(expert.probability(windows) - probability(path, windows)).max())


def probability(path: Path, windows: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The probabilities (f h w) of windows (f h w 3) by the file."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    lower = np.ascontiguousarray(windows.transpose(0, 3, 1, 2), np.float32) / 127.5 - 1
    return np.asarray(session.run(["hidden"], {"lower": lower})[0])
