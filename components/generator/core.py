"""Trains the generator and measures it on clips that it never saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from components.core.base import seeds
from components.core.base.errors import UserError
from components.core.media.crops import Crop
from components.core.media.geometry import Window
from components.core.models import hardware
from components.core.models.dubber import Dubber, DubberConfig
from components.core.models.fit import Run, fit
from components.core.models.frontend import FrontEnd, encode_clip
from components.core.models.learning import DubberLearner, Segment, assemble
from components.core.models.synthesis import Inpainter, Sampling
from components.core.models.windows import Clips, Packed
from components.generator.params import Params


@dataclass(frozen=True)
class Trained:
    """The generator, its loss curve, and what was measured."""

    model: Dubber
    curve: pd.DataFrame
    metrics: dict[str, float]


def run(train: Sequence[Crop], held_out: Sequence[Crop], frontend: FrontEnd, params: Params, run: Run) -> Trained:
    """Trains on `train` and measures on `held_out` (other speakers).

    Raises:
        UserError: no crop is as long as one chunk.
    """
    chunk = params.architecture.chunk_frames
    crops = [crop for crop in train if len(crop.frames) >= chunk]
    if not crops:
        raise UserError("the generator has nothing to learn from", got=f"no crop of {chunk} frames among {len(train)}")
    clips = Clips.of(crops, [features(frontend, crop) for crop in crops], params.references)
    window = Window.of(crops[0].frames.shape[1])
    config = DubberConfig(
        role="generator",
        architecture=params.architecture,
        size_px=window.size_px,
        height=window.height,
        width=window.width,
        references=params.references,
        audio_dim=clips.audio.shape[1],
    )
    torch.manual_seed(seeds.derive(run.seed, run.stage, "weights"))
    learner = DubberLearner(Dubber(config), params.objective)

    def batch_at(step: int) -> Packed:
        rng = seeds.rng(run.seed, run.stage, "batch", step)
        segments = [segment(clips, params, rng) for _ in range(params.drawing.batch)]
        return assemble(clips, segments, params.architecture.motion_frames, params.drawing, rng)

    curve = fit(learner, batch_at, params.fit, run)
    metrics = {
        "final_loss": float(curve["loss"].tail(5).mean()),
        "parameters": float(sum(p.numel() for p in learner.parameters())),
    }
    if held_out:
        metrics["held_out_mouth_psnr_db"] = check(learner.model, frontend, held_out, params, run.seed)
    return Trained(learner.model, curve, metrics)


def features(frontend: FrontEnd, crop: Crop) -> NDArray[np.float32]:
    """The front end's features (f a) of the crop's own speech."""
    return np.asarray(encode_clip(frontend, torch.from_numpy(crop.mel)))


def segment(clips: Clips, params: Params, rng: np.random.Generator) -> Segment:
    """A chunk of a random clip with its references."""
    frames = clips.pick(params.architecture.chunk_frames, rng)
    return Segment(frames, clips.rgb[frames], clips.references(frames))


def check(model: Dubber, frontend: FrontEnd, held_out: Sequence[Crop], params: Params, seed: int) -> float:
    """PSNR in dB inside the mask when unseen clips are re-made from their own speech (mean over clips)."""
    inpainter = Inpainter(model.to(hardware.device()), frontend, {})
    chosen = held_out[: params.check_clips]
    sampling = Sampling(params.check_steps, 1.0, 1.0, seed)
    with torch.compiler.set_stance("force_eager"):  # a few clips of many lengths are not worth compiling for
        made = list(inpainter.dub_all([(crop, crop.mel) for crop in chosen], sampling))
    decibels = []
    for crop, frames in zip(chosen, made, strict=True):
        error = np.square(frames.astype(float) - crop.frames).mean(-1)[crop.mask].mean()
        decibels.append(10 * np.log10(255**2 / max(error, 1e-2)))
    return float(np.mean(decibels))
