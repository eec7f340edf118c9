"""The guide sync expert as an ONNX file of its own beside the editor: by it the dubbing runtime sees who talks."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from components.core.media import MEL_BINS, MEL_PER_FRAME
from components.core.media.crops import Crop
from components.core.media.geometry import Window
from components.core.models.sync import FRAMES, MARGIN, ClipEmbeddings, SyncExpert, embed_clip
from components.export.beside import ExportedExpert, accepted
from components.export.graph import save, traced
from components.export.params import Params


class Towers(nn.Module):
    """Both towers of the expert: what is seen and what is heard in each 5 frames."""

    def __init__(self, expert: SyncExpert) -> None:
        super().__init__()
        self.expert = expert

    def forward(
        self, lower: Float[Tensor, "1 f 3 h w"], mel: Float[Tensor, "1 m bins"]
    ) -> tuple[Float[Tensor, "1 n e"], Float[Tensor, "1 n e"]]:
        """Unit embeddings of all f - 4 windows of f frames, and of the m = 4f + 4 rows of log-mel that go with them."""
        return self.expert.visual_track(lower), self.expert.audio_track(mel)


def run(expert: SyncExpert, crops: Sequence[Crop], params: Params, path: Path) -> ExportedExpert:
    """Writes the file and measures it on the first `params.check_clips` crops, whose size is that of its input.

    Raises:
        UserError: its embeddings differ from torch's by more than `params.max_error`; the file is removed.
    """
    chosen = crops[: params.check_clips]
    write(expert, chosen[0].frames.shape[1], path, params.opset)
    return accepted(path, "sync", max(difference(expert, path, crop) for crop in chosen), params)


def write(expert: SyncExpert, size_px: int, path: Path, opset: int) -> None:
    """Writes the expert for the windows of crops of this size whole or not at all; one clip of any length."""
    window, frames = Window.of(size_px), torch.export.Dim("frames", min=FRAMES)
    shapes = {"lower": {1: frames}, "mel": {1: MEL_PER_FRAME * frames + 2 * MARGIN}}
    draw, many = torch.Generator().manual_seed(0), 3 * FRAMES
    lower = torch.rand(1, many, 3, window.height, window.width, generator=draw) * 2 - 1
    mel = torch.rand(1, MEL_PER_FRAME * many + 2 * MARGIN, MEL_BINS, generator=draw) * 2 - 1
    proto = traced(Towers(expert), (lower, mel), shapes, ("seen", "heard"), opset)
    save(proto, path, {"dubstrap_sync": json.dumps(metadata(size_px), sort_keys=True)})


def metadata(size_px: int) -> dict[str, Any]:
    """What the runtime needs to know, stored inside the file."""
    window = Window.of(size_px)
    edges = [window.top, window.bottom, window.left, window.right]
    return {"format": 1, "size_px": size_px, "window": edges, "frames": FRAMES, "mel_margin": MARGIN}


def difference(expert: SyncExpert, path: Path, crop: Crop) -> float:
    """The largest |ONNX - torch| of the embeddings of a crop."""
    expected, made = embed_clip(expert, crop.frames, crop.mel), embed(path, crop)
    return float(max(np.abs(expected.seen - made.seen).max(), np.abs(expected.heard - made.heard).max()))


def embed(path: Path, crop: Crop) -> ClipEmbeddings:
    """The crop's embeddings by the file; as `embed_clip` without its first and last frame."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    window = Window.of(crop.frames.shape[1]).take(crop.frames)[1:-1]
    lower = np.ascontiguousarray(window.transpose(0, 3, 1, 2)[None], np.float32) / 127.5 - 1
    margin = MEL_PER_FRAME - MARGIN
    seen, heard = session.run(["seen", "heard"], {"lower": lower, "mel": crop.mel[None, margin:-margin]})
    return ClipEmbeddings(seen[0], heard[0])
