"""Trains one phase of the editor."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from components.core.base import seeds
from components.core.models import hardware
from components.core.models.dubber import Dubber, DubberConfig
from components.core.models.fit import Fit, Run, fit
from components.core.models.learning import Drawing, DubberLearner
from components.core.models.lora import add_expert, expert_parameters
from components.core.models.windows import Packed
from components.editor.data import Data
from components.editor.params import Common, Lip, Structure, Texture
from components.editor.phases import Guides, LipLearner, StructureLearner, TextureLearner
from components.editor.start import start


@dataclass(frozen=True)
class Phase:
    """What a phase leaves: the tensors to save, the loss curve, and figures about the run."""

    tensors: dict[str, Tensor]
    curve: pd.DataFrame
    metrics: dict[str, float]


def structure(
    data: Data, generator: Dubber | None, guides: Guides, common: Common, params: Structure, run: Run
) -> tuple[DubberConfig, Phase]:
    """High noise, all weights (paper: alpha = 5), with the lips loss (ours).

    Args:
        generator: what the editor begins with, see `start`; None for random weights.
    """
    config = DubberConfig(
        role="editor",
        architecture=common.architecture,
        size_px=data.window.size_px,
        height=data.window.height,
        width=data.window.width,
        references=1 + common.references,
        audio_dim=data.clips.audio.shape[1],
    )
    torch.manual_seed(seeds.derive(run.seed, run.stage, "weights"))
    model = Dubber(config).to(hardware.device())
    start(model, generator, data.clips.hole)
    learner = StructureLearner(model, params, guides)
    curve = train(learner, data, common, (params.fit, params.drawing), run)
    return config, Phase(learner.model.state_dict(), curve, figures(learner, data, curve))


def lip(data: Data, model: Dubber, guides: Guides, common: Common, params: Lip, run: Run) -> Phase:
    """Middle noise, LoRA, with the sync loss (paper: alpha = 1.5) and the lips loss (ours)."""
    prepare(model, "lip", params.rank, run)
    learner = LipLearner(model, params, guides)
    curve = train(learner, data, common, (params.fit, params.drawing), run)
    return Phase(dict(expert_parameters(model, "lip")), curve, figures(learner, data, curve))


def texture(data: Data, model: Dubber, guides: Guides, common: Common, params: Texture, run: Run) -> Phase:
    """Low noise, LoRA, with identity and perceptual losses where the audio is off (paper: alpha = 0.2)."""
    prepare(model, "texture", params.rank, run)
    learner = TextureLearner(model, params, guides)
    curve = train(learner, data, common, (params.fit, params.drawing), run, whole=True)
    return Phase(dict(expert_parameters(model, "texture")), curve, figures(learner, data, curve))


def prepare(model: Dubber, expert: str, rank: int, run: Run) -> None:
    """Freezes the structure weights and adds the expert, which alone is trained."""
    model.train().requires_grad_(False)
    torch.manual_seed(seeds.derive(run.seed, run.stage, "weights"))
    add_expert(model, expert, rank)
    for parameter in expert_parameters(model, expert).values():
        parameter.requires_grad_(True)


def train(
    learner: DubberLearner, data: Data, common: Common, plan: tuple[Fit, Drawing], run: Run, whole: bool = False
) -> pd.DataFrame:
    """Runs the loop on batches that depend on the step alone; `whole`: see `Data.batch`."""

    def batch_at(step: int) -> Packed:
        return data.batch(common, plan[1], seeds.rng(run.seed, run.stage, "batch", step), whole)

    return fit(learner, batch_at, plan[0], run)


def figures(learner: DubberLearner, data: Data, curve: pd.DataFrame) -> dict[str, float]:
    """What metrics/<phase>.json holds: the terms at the end of the curve, and sizes."""
    terms = curve.drop(columns="step").tail(5).mean()
    return {
        **{f"final_{name}": float(value) for name, value in terms.items()},
        "pairs": float(len(data.pairs)),
        "exact_pairs": float(len(data.exact)),
        "trained_parameters": float(sum(p.numel() for p in learner.parameters() if p.requires_grad)),
    }
