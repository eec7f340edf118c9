"""Training and measuring a sync expert."""

import logging
from collections.abc import Sequence
from math import log as ln
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor, nn

from components.core.base import seeds
from components.core.media import FPS
from components.core.media.crops import Crop
from components.core.media.geometry import Window
from components.core.models.fit import Learner, Losses, Run, fit
from components.core.models.sync import FRAMES, MARGIN, ClipEmbeddings, SyncExpert, embed_clip
from components.experts import augment
from components.experts.data import Material, Stretches, separation
from components.experts.params import SyncParams

log = logging.getLogger(__name__)
MAX_OFFSET = 15
MAX_SCALE = 100.0
"""Of the cosines in the contrastive loss; the temperature's floor."""


class SyncBatch(NamedTuple):
    """Lower faces (b, f, h, w, 3) uint8, log-mel (b, 4f + 4, 80), and the step they are for."""

    lower: Tensor
    mel: Tensor
    step: int


class SyncLearner(Learner[SyncBatch]):
    """Symmetric InfoNCE: each window finds its sound among all of the batch, its own clip's other offsets included."""

    model: SyncExpert

    def __init__(self, model: SyncExpert, params: SyncParams) -> None:
        super().__init__(model)
        self.params = params
        self.log_scale = nn.Parameter(torch.tensor(-ln(params.temperature)))
        self.recent: list[float] = []

    def losses(self, batch: SyncBatch, draw: torch.Generator) -> Losses:
        frames = batch.lower.permute(0, 1, 4, 2, 3).float() / 127.5 - 1
        seen = self.model.visual_track(augment.picture(frames, self.params.picture, draw))
        heard = self.model.audio_track(augment.speech(batch.mel, self.params.speech, draw))
        loss = info_nce(seen, heard, self.log_scale.exp().clamp(max=MAX_SCALE))
        self._warn(batch.step, float(loss.detach()), seen.shape[0] * seen.shape[1])
        return {"loss": loss}

    def _warn(self, step: int, loss: float, count: int) -> None:
        """Says early that nothing is being learnt, the commonest pain of those who train such experts."""
        early = self.params.fit.steps // 5
        self.recent = [*self.recent[-19:], loss]
        if step == early and np.mean(self.recent) > 0.97 * ln(count):
            log.warning(
                "the sync loss is still at chance (%.2f of ln %d = %.2f) after %d steps: check that sound and lips are "
                "in step (audio_offset_s in clips.parquet), that there are enough clips, and the learning rate",
                *(np.mean(self.recent), count, ln(count), early),
            )


def info_nce(
    seen: Float[Tensor, "b n e"], heard: Float[Tensor, "b n e"], scale: Float[Tensor, ""]
) -> Float[Tensor, ""]:
    """Mean cross-entropy of finding the sound of each window and the window of each sound.

    The windows one frame beside the right one are no candidates: they sound right too.
    """
    logits = scale * seen.flatten(0, 1) @ heard.flatten(0, 1).T
    logits = logits.masked_fill(neighbours(seen.shape[0], seen.shape[1], logits.device), -torch.inf)
    target = torch.arange(len(logits), device=logits.device)
    return (nn.functional.cross_entropy(logits, target) + nn.functional.cross_entropy(logits.T, target)) / 2


def neighbours(clips: int, windows: int, device: torch.device) -> Bool[Tensor, "l l"]:
    """Which two windows are one frame apart in the same clip."""
    index = torch.arange(clips * windows, device=device)
    same = index[:, None] // windows == index // windows
    return same & ((index[:, None] - index).abs() == 1)


def train(material: Material, params: SyncParams, run: Run) -> tuple[SyncExpert, pd.DataFrame]:
    """A sync expert and its loss curve."""
    torch.manual_seed(seeds.derive(run.seed, run.stage))
    model = SyncExpert(params.model)
    stretches = Stretches(material.crops, params.frames, MARGIN)
    lowers = [Window.of(crop.frames.shape[1]).take(crop.frames) for crop in stretches.crops]

    def batch_at(step: int) -> SyncBatch:
        chosen = stretches.draw(params.clips, seeds.rng(run.seed, run.stage, step))
        lower = np.stack([lowers[crop][start : start + params.frames] for crop, start in chosen])
        return SyncBatch(torch.from_numpy(lower), stretches.mel(chosen), step)

    return model, fit(SyncLearner(model, params), batch_at, params.fit, run)


def evaluate(model: SyncExpert, heldout: Sequence[Crop]) -> dict[str, float]:
    """On windows of 1 s the share of offsets found within a frame, and the AUC of in sync against another clip's sound.

    Offsets up to 15 frames either way are searched; the AUC is by similarity at offset 0, over 1 s and over 2 s. What
    there are no windows for is absent.
    """
    clips = [embed_clip(model, crop.frames, crop.mel) for crop in heldout if len(crop.frames) >= FRAMES + 2]
    offsets = [offset for clip in clips for offset in window_offsets(clip)]
    metrics = {"clips": float(len(clips)), "offset_windows": float(len(offsets))}
    if offsets:
        metrics["offset_accuracy"] = float(np.mean(np.abs(offsets) <= 1))
    for seconds in (1, 2):
        own = window_similarities(clips, clips, seconds)
        others = window_similarities(clips, [*clips[len(clips) // 2 :], *clips[: len(clips) // 2]], seconds)
        if len(clips) > 1 and len(own) and len(others):
            metrics[f"auc_{seconds}s"] = separation(own, others)
    return metrics


def window_offsets(clip: ClipEmbeddings) -> list[int]:
    """The offset found in 1 s windows, each a third further, with the sound of 15 frames before and after at hand."""
    length = FPS - FRAMES + 1
    starts = range(MAX_OFFSET, len(clip.seen) - length - MAX_OFFSET + 1, length // 3)
    return [_offset(clip, start, length) for start in starts]


def _offset(clip: ClipEmbeddings, start: int, length: int) -> int:
    near = clip.heard[start - MAX_OFFSET : start + length + MAX_OFFSET]
    distance = np.sqrt(np.maximum(0, 2 - 2 * clip.seen[start : start + length] @ near.T))
    means = [np.diagonal(distance, offset).mean() for offset in range(2 * MAX_OFFSET + 1)]
    return int(np.argmin(means)) - MAX_OFFSET


def window_similarities(
    pictures: Sequence[ClipEmbeddings], sounds: Sequence[ClipEmbeddings], seconds: int
) -> NDArray[np.float64]:
    """Mean cosine at offset 0 of each window of so many seconds, of each picture with the sound beside it."""
    length, means = seconds * FPS - FRAMES + 1, []
    for picture, sound in zip(pictures, sounds, strict=True):
        frames = min(len(picture.seen), len(sound.heard))
        cosine = (picture.seen[:frames] * sound.heard[:frames]).sum(1)
        means += [cosine[start : start + length].mean() for start in range(0, frames - length + 1, length)]
    return np.array(means)
