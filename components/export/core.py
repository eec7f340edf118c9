"""Exports the editor, proves it equal to torch on real crops, and measures what it costs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from components.core.base import seeds
from components.core.base.errors import UserError
from components.core.media import FPS
from components.core.media.crops import Crop
from components.core.models.dubber import Conditions
from components.core.models.onnx_editor import OnnxEditor
from components.core.models.synthesis import Editor, Sampling
from components.export.graph import Graph, metadata, write
from components.export.params import Params


@dataclass(frozen=True)
class Exported:
    """What was measured on the file.

    Attributes:
        max_abs_error: largest difference of one prediction to torch's in float32, over all timesteps tried; pixels
            are in [-1, 1].
        mean_abs_error: the mean.
        seconds_per_second: whole dubbing of crops by the file, per second of video, at the default steps.
        megabytes: of the file.
    """

    max_abs_error: float
    mean_abs_error: float
    seconds_per_second: float
    megabytes: float


def run(editor: Editor, crops: Sequence[Crop], params: Params, seed: int, target: "Target") -> Exported:
    """Writes the graph to `target.path` and measures it on the first `params.check_clips` crops.

    Raises:
        UserError: the file's predictions differ from torch's by more than `params.max_error`; the file is removed.
    """
    sampling = Sampling(params.steps, params.guidance_reference, params.guidance_audio, seed)
    graph = Graph(editor)
    write(graph, target.path, metadata(editor, sampling, target.card_id, target.trained_on), params.opset)
    session = OnnxEditor(target.path, editor, target.threads)
    chosen = crops[: params.check_clips]
    errors = torch.stack([difference(editor, session, crop, seed) for crop in chosen])
    if errors.max() > params.max_error:
        target.path.unlink()
        raise UserError(
            "the ONNX editor differs from the torch editor",
            got=f"a largest difference of {float(errors.max()):.2e}",
            expected=f"at most export.max_error = {params.max_error:.2e}",
        )
    start = time.perf_counter()
    frames = sum(len(made) for made in session.dub_all([(crop, crop.mel) for crop in chosen], sampling))
    seconds = (time.perf_counter() - start) / (frames / FPS)
    return Exported(float(errors.max()), float(errors.mean()), seconds, target.path.stat().st_size / 1e6)


@dataclass(frozen=True)
class Target:
    """Where the file goes and what its metadata says of its origin; `threads` are onnxruntime's."""

    path: Path
    card_id: str
    trained_on: str
    threads: int


@torch.inference_mode()
def difference(editor: Editor, session: OnnxEditor, crop: Crop, seed: int) -> Tensor:
    """|ONNX - torch| of single predictions in float32 on a crop's first chunk, at a timestep in each expert's band."""
    architecture = editor.model.config.architecture
    frames = torch.arange(min(architecture.chunk_frames, len(crop.frames)))
    draw = torch.Generator().manual_seed(seeds.derive(seed, "export", crop.crop_id))
    jobs = {maker: maker.job(crop, crop.mel) for maker in (editor, session)}
    found = []
    for t in (0.15, 0.35, 0.6, 1.0):
        time_ = torch.full((1, len(frames)), t)
        time_[:, : architecture.motion_frames] = 0
        gates = {name: band.gate(torch.tensor([t])) for name, band in editor.bands.items()}
        noise = torch.randn(1, len(frames), *jobs[editor].references.shape[2:], generator=draw)
        made = [
            maker.model(
                noise, time_, Conditions(job.references[None, :, frames], job.audio[None, frames], None, ON, ON), gates
            )
            for maker, job in jobs.items()
        ]
        found.append((made[0] - made[1]).abs().flatten())
    return torch.cat(found)


ON = torch.ones(1)
