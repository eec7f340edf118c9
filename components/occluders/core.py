"""Trains the occluder expert and measures it on people that it never saw."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from components.core.base import seeds
from components.core.media import occlusion
from components.core.media.crops import Crop
from components.core.media.geometry import Window
from components.core.models.fit import Learner, Losses, Run, fit
from components.core.models.occluder import OccluderExpert
from components.occluders.data import Faces
from components.occluders.params import Params


class Batch(NamedTuple):
    """Windows (b h w 3) uint8 and where something is in front (b h w) bool."""

    windows: Tensor
    front: Tensor


class OccluderLearner(Learner[Batch]):
    """Cross-entropy of the pixels, and Dice, for which a small thing counts as much as the clear face around it."""

    def __init__(self, model: OccluderExpert, params: Params) -> None:
        super().__init__(model)
        self.params = params

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        logits, front = self.model(batch.windows.permute(0, 3, 1, 2).float() / 127.5 - 1), batch.front.float()
        entropy = functional.binary_cross_entropy_with_logits(logits, front)
        found = logits.sigmoid()
        dice = 1 - (2 * (found * front).sum() + 1) / (found.sum() + front.sum() + 1)
        return {"loss": entropy + self.params.dice_weight * dice, "entropy": entropy, "dice": dice}


@dataclass(frozen=True)
class Trained:
    """The expert, its loss curve, and what was measured."""

    model: OccluderExpert
    curve: pd.DataFrame
    metrics: dict[str, float]


def run(train: Sequence[Crop], held_out: Sequence[Crop], params: Params, run: Run) -> Trained:
    """Trains on `train` and measures on `held_out` (other speakers).

    Raises:
        UserError: there are no crops to learn from.
    """
    faces = Faces(train)
    torch.manual_seed(seeds.derive(run.seed, run.stage, "weights"))
    model = OccluderExpert(params.model)

    def batch_at(step: int) -> Batch:
        rng = seeds.rng(run.seed, run.stage, "batch", step)
        drawn = [faces.draw(params.hidden, params.augment, rng) for _ in range(params.batch)]
        pictures, masks = (torch.from_numpy(np.stack(part)) for part in zip(*drawn, strict=True))
        return Batch(pictures, masks)

    curve = fit(OccluderLearner(model, params), batch_at, params.fit, run)
    return Trained(model.eval(), curve, {"final_loss": float(curve["loss"].tail(5).mean())} | measure(model, held_out))


def measure(model: OccluderExpert, crops: Sequence[Crop]) -> dict[str, float]:
    """How well the expert finds what is in front, by what is cut out of it (`occlusion.in_front`).

    Returns:
        `iou` and `recall`, of the pixels of frames in which something is before the window; `false_share`, of the
        pixels of the other frames, and `false_frames`, of these frames, where it finds something; and how many `frames`
        and `hidden_frames` there were. What there are no frames for is absent.
    """
    lowers = [(crop, Window.of(crop.frames.shape[1])) for crop in crops]
    if not lowers:
        return {}
    front = np.concatenate([window.take(crop.occluder) for crop, window in lowers])
    found = np.concatenate([occlusion.in_front(model.probability(window.take(crop.frames))) for crop, window in lowers])
    hidden = front.any((1, 2))
    metrics = {"frames": float(len(front)), "hidden_frames": float(hidden.sum())}
    if hidden.any():
        both = float((front & found)[hidden].sum())
        metrics |= {"iou": both / float((front | found)[hidden].sum()), "recall": both / float(front.sum())}
    if not hidden.all():
        clear = found[~hidden]
        metrics |= {"false_share": float(clear.mean()), "false_frames": float(clear.any((1, 2)).mean())}
    return metrics
