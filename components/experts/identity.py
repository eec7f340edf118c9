"""Training and measuring an identity expert."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor, nn

from components.core.base import seeds
from components.core.media.crops import Crop
from components.core.media.geometry import UNITS
from components.core.models.fit import Learner, Losses, Run, fit
from components.core.models.identity import IdentityExpert, angular_margin
from components.experts import augment
from components.experts.data import Material, separation
from components.experts.params import IdentityParams

MOUTH = (6 / UNITS, 8 / UNITS)
"""x and y of the mouth in a crop of size 1."""
FRAMES_PER_CLIP = 8
"""Single frames of each held-out clip that are compared."""


class IdentityBatch(NamedTuple):
    """Full crops (b, h, w, 3) uint8 and the number of each one's speaker (b,)."""

    images: Tensor
    speaker: Tensor


class IdentityLearner(Learner[IdentityBatch]):
    """Cross-entropy over the training speakers' centres, with an angular margin."""

    def __init__(self, model: IdentityExpert, params: IdentityParams, speakers: int) -> None:
        super().__init__(model)
        self.params = params
        self.centres = nn.Parameter(torch.randn(speakers, params.model.embedding))

    def losses(self, batch: IdentityBatch, draw: torch.Generator) -> Losses:
        images = hide_mouth(batch.images.permute(0, 3, 1, 2).float() / 127.5 - 1, self.params.hide_mouth, draw)
        embedding = self.model(augment.picture(images[:, None], self.params.picture, draw)[:, 0])
        cosine = embedding @ nn.functional.normalize(self.centres, dim=-1).T
        logits = angular_margin(cosine, batch.speaker, self.params.margin_rad, self.params.scale)
        return {"loss": nn.functional.cross_entropy(logits, batch.speaker)}


def hide_mouth(images: Float[Tensor, "b 3 s s"], share: float, draw: torch.Generator) -> Float[Tensor, "b 3 s s"]:
    """Full crops, in about `share` of which a box of a random size over the mouth is painted in one random colour."""
    count, size = len(images), images.shape[-1]

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=draw, device=draw.device)

    axis = (torch.arange(size, device=images.device) + 0.5) / size
    across = (axis - MOUTH[0]).abs() < uniform(1.0, 3.0, 1) / UNITS  # b s
    down = (axis - MOUTH[1]).abs() < uniform(0.7, 2.0, 1) / UNITS
    hidden = (uniform(0, 1) < share)[:, None, None] & down[:, :, None] & across[:, None, :]
    return torch.where(hidden[:, None], uniform(-1, 1, 3, 1, 1), images)


def train(material: Material, params: IdentityParams, run: Run) -> tuple[IdentityExpert, pd.DataFrame]:
    """An identity expert and its loss curve."""
    torch.manual_seed(seeds.derive(run.seed, run.stage))
    model = IdentityExpert(params.model)
    speakers = sorted({crop.speaker for crop in material.crops})
    people = [[crop.frames for crop in material.crops if crop.speaker == name] for name in speakers]
    people += [[portrait] for portrait in material.portraits]

    def batch_at(step: int) -> IdentityBatch:
        rng = seeds.rng(run.seed, run.stage, step)
        chosen = rng.integers(len(people), size=params.images)
        clips = [people[person][rng.integers(len(people[person]))] for person in chosen]
        images = np.stack([clip[rng.integers(len(clip))] for clip in clips])
        return IdentityBatch(torch.from_numpy(images), torch.from_numpy(chosen))

    return model, fit(IdentityLearner(model, params, len(people)), batch_at, params.fit, run)


def evaluate(model: IdentityExpert, heldout: Sequence[Crop]) -> dict[str, float]:
    """AUC of single frames of one speaker in two clips against those of two speakers; absent where there are none."""
    clips = [
        (crop.speaker, model.embed(crop.frames[np.linspace(0, len(crop.frames) - 1, FRAMES_PER_CLIP).astype(int)]))
        for crop in heldout
    ]
    same, different = [np.zeros(0)], [np.zeros(0)]
    for (speaker, embedding), (other, others) in combinations(clips, 2):
        (same if speaker == other else different).append((embedding @ others.T).ravel())
    own, foreign = np.concatenate(same), np.concatenate(different)
    metrics = {"clips": float(len(clips)), "speakers": float(len({speaker for speaker, _ in clips}))}
    if len(own) and len(foreign):
        metrics |= {
            "auc": separation(own, foreign),
            "same_cosine": float(own.mean()),
            "different_cosine": float(foreign.mean()),
        }
    return metrics
