"""Training and measuring a lips expert."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from components.core.base import seeds
from components.core.base.errors import UserError
from components.core.media.crops import Crop
from components.core.media.face import MEASURES
from components.core.media.geometry import Window
from components.core.models.fit import Learner, Losses, Run, fit
from components.core.models.lips import LipsExpert
from components.experts import augment
from components.experts.data import Material
from components.experts.frontend import STILL, correlation
from components.experts.params import LipsParams


class LipsBatch(NamedTuple):
    """Lower faces (b, f, h, w, 3) uint8, f of each clip, and their standardised measures (b, f, k)."""

    lower: Tensor
    measures: Tensor


class LipsLearner(Learner[LipsBatch]):
    """Smooth L1 for how open a mouth is, correlation within a clip for how much more open than the next."""

    def __init__(self, model: LipsExpert, params: LipsParams) -> None:
        super().__init__(model)
        self.params = params

    def losses(self, batch: LipsBatch, draw: torch.Generator) -> Losses:
        frames = batch.lower.permute(0, 1, 4, 2, 3).float() / 127.5 - 1
        found = self.model(augment.picture(frames, self.params.picture, draw)).float()
        decorrelation = 1 - correlation(found, batch.measures).mean()
        loss = functional.smooth_l1_loss(found, batch.measures) + self.params.correlation_weight * decorrelation
        return {"loss": loss}


def train(material: Material, params: LipsParams, run: Run) -> tuple[LipsExpert, pd.DataFrame]:
    """A lips expert and its loss curve.

    Raises:
        UserError: no crop shows its lips in enough frames.
    """
    torch.manual_seed(seeds.derive(run.seed, run.stage))
    model = LipsExpert(params.model)
    crops = [crop for crop in material.crops if np.count_nonzero(~crop.hidden) >= params.frames]
    if not crops:
        raise UserError(
            "no crop shows its lips for long enough to learn to read them",
            got=f"{len(material.crops)} crops",
            expected=f"one with {params.frames} frames in which nothing is before the mouth",
            fix="Lower experts.lips.frames, or add clips to data/footage.",
        )
    lowers = [Window.of(crop.frames.shape[1]).take(crop.frames)[~crop.hidden] for crop in crops]
    measures = [crop.measures[~crop.hidden] for crop in crops]
    model.mean = torch.from_numpy(np.concatenate(measures).mean(0))
    model.std = torch.from_numpy(np.concatenate(measures).std(0).clip(min=STILL))
    targets = [(torch.from_numpy(measured) - model.mean) / model.std for measured in measures]

    def batch_at(step: int) -> LipsBatch:
        rng = seeds.rng(run.seed, run.stage, step)
        clips = rng.integers(len(crops), size=params.clips)
        frames = [rng.choice(len(lowers[clip]), params.frames, replace=False) for clip in clips]
        lower = np.stack([lowers[clip][chosen] for clip, chosen in zip(clips, frames, strict=True)])
        wanted = torch.stack([targets[clip][chosen] for clip, chosen in zip(clips, frames, strict=True)])
        return LipsBatch(torch.from_numpy(lower), wanted)

    return model, fit(LipsLearner(model, params), batch_at, params.fit, run)


def evaluate(model: LipsExpert, heldout: Sequence[Crop]) -> dict[str, float]:
    """Mean over clips of Pearson's r with the landmarks' measures, in frames in which nothing is before the mouth."""
    found: dict[str, list[float]] = {f"{name}_r": [] for name in MEASURES}
    for crop in heldout:
        read, seen = model.read(crop.frames)[~crop.hidden], crop.measures[~crop.hidden]
        for index, name in enumerate(MEASURES):
            if len(seen) > 1 and seen[:, index].std() > STILL and read[:, index].std() > 0:
                found[f"{name}_r"].append(float(np.corrcoef(read[:, index], seen[:, index])[0, 1]))
    return {name: float(np.mean(values)) for name, values in found.items() if values} | {"clips": float(len(heldout))}
