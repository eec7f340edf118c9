"""Training and measuring the audio front end.

It learns from two kinds of speech at once: the footage, whose lips are measured by landmarks, and recitals, far more
speech with exact tracks of the lips but no picture (the studio writes them). Recitals teach it to hear; from the
footage its last layer learns what the measures of a face are, and no more (`footage_gradient`): minutes of footage are
soon learnt by heart. Without recitals it learns everything from the footage.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from components.core.base import seeds
from components.core.media import MEL_PER_FRAME
from components.core.media.crops import Crop
from components.core.media.face import MEASURES
from components.core.models.fit import Learner, Losses, Run, fit
from components.core.models.frontend import FrontEnd, encode_clip
from components.experts import augment
from components.experts.data import Material, Stretches
from components.experts.params import FrontEndParams
from components.experts.recitals import Recitals

STILL = 1e-3
"""Below this standard deviation, in head scales, a measure doesn't move and no correlation is taken of it."""


class SpeechBatch(NamedTuple):
    """Log-mel (b, 4f + 2 context, 80): first of the footage, whose standardised lip measures (n, f, k) there are, then
    of recitals with their standardised tracks (b - n, f, 7)."""

    mel: Tensor
    measures: Tensor
    tracks: Tensor


class FrontEndLearner(Learner[SpeechBatch]):
    """Smooth L1 for how far the lips move, correlation for when; the same for the tracks of recitals, by a head that
    is not kept."""

    model: FrontEnd

    def __init__(self, model: FrontEnd, params: FrontEndParams, tracks: int) -> None:
        super().__init__(model)
        self.params = params
        self.tracks = nn.Linear(model.config.width, tracks)

    def losses(self, batch: SpeechBatch, draw: torch.Generator) -> Losses:
        features, predicted = self.model(augment.speech(batch.mel, self.params.speech, draw))
        seen = len(batch.measures)
        if seen == len(batch.mel):
            measures = self.distance(predicted, batch.measures)
            return {"loss": measures, "measures": measures}
        share = self.params.footage_gradient
        measures = self.distance(
            self.model.head(share * features[:seen] + (1 - share) * features[:seen].detach()), batch.measures
        )
        tracks = self.distance(self.tracks(features[seen:]), batch.tracks)
        return {"loss": measures + tracks, "measures": measures, "tracks": tracks}

    def distance(self, predicted: Float[Tensor, "b f k"], true: Float[Tensor, "b f k"]) -> Float[Tensor, ""]:
        """Smooth L1 and a share of 1 - r."""
        predicted = predicted.float()
        decorrelation = 1 - correlation(predicted, true).mean()
        return functional.smooth_l1_loss(predicted, true) + self.params.correlation_weight * decorrelation


def correlation(a: Float[Tensor, "b f k"], b: Float[Tensor, "b f k"]) -> Float[Tensor, "b k"]:
    """Pearson's r over the frames, drawn to 0 where either moves by less than about 0.1."""
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    floor = 0.1**2 * a.shape[1]
    return (a * b).sum(1) / ((a.square().sum(1) + floor) * (b.square().sum(1) + floor)).sqrt()


def train(material: Material, params: FrontEndParams, run: Run) -> tuple[FrontEnd, pd.DataFrame]:
    """A front end and its loss curve."""
    torch.manual_seed(seeds.derive(run.seed, run.stage))
    model = FrontEnd(params.model)
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = params.dropout
    stretches = Stretches(material.crops, params.frames, model.config.context)
    deviations = [crop.measures - np.median(crop.measures, 0) for crop in stretches.crops]
    model.mean = torch.from_numpy(np.concatenate(deviations).mean(0))
    model.std = torch.from_numpy(np.concatenate(deviations).std(0).clip(min=STILL))
    targets = [(torch.from_numpy(deviation) - model.mean) / model.std for deviation in deviations]
    said = Recitals(material.recitals, params.frames, model.config.context)

    def batch_at(step: int) -> SpeechBatch:
        rng = seeds.rng(run.seed, run.stage, step)
        chosen = stretches.draw(params.clips, rng)
        measures = [targets[crop][start : start + params.frames] for crop, start in chosen]
        mel, tracks = said.draw(params.recitals if material.recitals else 0, rng)
        return SpeechBatch(torch.cat([stretches.mel(chosen), mel]), torch.stack(measures), tracks)

    return model, fit(FrontEndLearner(model, params, said.width), batch_at, params.fit, run)


def evaluate(model: FrontEnd, heldout: Sequence[Crop]) -> dict[str, float]:
    """Mean over clips of Pearson's r per lip measure, and beside it that of the plain loudness (the baseline)."""
    predictions = {crop.crop_id: encode_clip(model, torch.from_numpy(crop.mel)) for crop in heldout}
    metrics: dict[str, float] = {}
    for index, name in enumerate(MEASURES):
        pairs = [
            (crop.measures[:, index], predictions[crop.crop_id][:, index - len(MEASURES)].numpy(), loudness(crop))
            for crop in heldout
            if crop.measures[:, index].std() > STILL
        ]
        if pairs:
            metrics[f"{name}_r"] = float(np.mean([np.corrcoef(true, said)[0, 1] for true, said, _ in pairs]))
            metrics[f"{name}_loudness_r"] = float(np.mean([np.corrcoef(true, loud)[0, 1] for true, _, loud in pairs]))
    return metrics | {"clips": float(len(heldout))}


def loudness(crop: Crop) -> NDArray[np.float32]:
    """The loudness envelope (f,): mean log-mel of each frame."""
    return np.asarray(crop.mel.reshape(-1, MEL_PER_FRAME * crop.mel.shape[1]).mean(1))
