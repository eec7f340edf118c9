"""What the phases add to flow matching: losses of the guides on the decoded estimate of z_0 (paper, Sec. 3.3)."""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from components.core.diffusion.flow import damped_clean
from components.core.media.geometry import Window
from components.core.models import hardware
from components.core.models.dubber import Dubber
from components.core.models.fit import Losses
from components.core.models.identity import IdentityExpert, load_identity
from components.core.models.learning import DubberLearner, Prediction
from components.core.models.lips import LipsExpert, load_lips
from components.core.models.sync import SyncExpert, load_sync, sync_loss
from components.core.models.windows import Batch
from components.editor.params import Lip, Structure, Texture

GUIDES = ("sync", "identity", "lips")


def guide_file(experts: Path, name: str) -> Path:
    """Where artifacts/experts keeps a guide."""
    return experts / f"guide_{name}.safetensors"


@dataclass(frozen=True)
class Guides:
    """The experts that training may ask; what they think of the result is for the judges."""

    sync: SyncExpert
    identity: IdentityExpert
    lips: LipsExpert

    @classmethod
    def load(cls, experts: Path) -> "Guides":
        """The guides of artifacts/experts, where training happens."""
        sync, identity, lips = (guide_file(experts, name) for name in GUIDES)
        device = hardware.device()
        return cls(load_sync(sync).to(device), load_identity(identity).to(device), load_lips(lips).to(device))


def estimate(batch: Batch, prediction: Prediction) -> Float[Tensor, "b f 3 h w"]:
    """The damped estimate of z_0, motion frames as given."""
    damped = damped_clean(prediction.clean, batch.clean, prediction.time)
    return damped * prediction.fresh + batch.clean * (1 - prediction.fresh)


def lips_loss(guide: LipsExpert, batch: Batch, prediction: Prediction) -> Float[Tensor, ""]:
    """Mean squared error of the lips' standardised measures, read off the prediction and off the real frames.

    Only of frames that were predicted, of samples that heard their speech: without it the lips are anybody's guess.
    """
    counts = prediction.fresh.flatten(1) * batch.keep_audio[:, None]  # b f
    with torch.no_grad():
        real = guide(batch.clean)
    error = (guide(prediction.clean) - real).square().mean(-1)
    loss: Tensor = (error * counts).sum() / counts.sum().clamp(min=1)
    return loss


def hole_loss(batch: Batch, prediction: Prediction) -> Float[Tensor, ""]:
    """Cross-entropy of the editor's hole where it is known: open on the lips and about them, shut outside the mask.

    Left to flow matching alone, a tenth to a quarter of the old lips stays: where lips are uncertain, some of any lips
    makes the error smaller. In between, such as on cheeks and chin, the hole is as wide as is best.
    """
    hole = prediction.hole
    if hole is None:
        return prediction.clean.new_zeros(())
    reach = hole.shape[-2] // 12
    near = F.max_pool2d(batch.lips.flatten(0, 1), 2 * reach + 1, stride=1, padding=reach).view_as(batch.lips)
    near = near * batch.hole
    weight = (near + 1 - batch.hole) * prediction.fresh
    error = F.binary_cross_entropy_with_logits(hole, near, reduction="none")
    return (weight * error).sum() / weight.sum().clamp(min=1)


class StructureLearner(DubberLearner):
    """Flow matching plus what the lips guide reads, and where the hole has to be."""

    def __init__(self, model: Dubber, params: Structure, guides: Guides) -> None:
        super().__init__(model, params.objective)
        self.params, self.guides = params, guides

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        prediction = self.predict(batch, draw)
        flow, lips = self.flow_loss(batch, prediction), lips_loss(self.guides.lips, batch, prediction)
        hole = hole_loss(batch, prediction)
        total = flow + self.params.lips_weight * lips + self.params.hole_weight * hole
        return {"loss": total, "flow": flow, "lips": lips, "hole": hole}


class LipLearner(DubberLearner):
    """Flow matching plus what the guides of sync and lips say; not of samples whose audio was dropped."""

    def __init__(self, model: Dubber, params: Lip, guides: Guides) -> None:
        super().__init__(model, params.objective, "lip", params.own_share)
        self.params, self.guides = params, guides

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        prediction = self.predict(batch, draw)
        flow, heard = self.flow_loss(batch, prediction), batch.keep_audio > 0
        sync = flow.new_zeros(())
        if heard.any():
            sync = sync_loss(self.guides.sync, estimate(batch, prediction)[heard], batch.extra["mel"][heard])
        lips, hole = lips_loss(self.guides.lips, batch, prediction), hole_loss(batch, prediction)
        total = flow + self.params.sync_weight * sync + self.params.lips_weight * lips
        total = total + self.params.hole_weight * hole
        return {"loss": total, "flow": flow, "sync": sync, "lips": lips, "hole": hole}


class TextureLearner(DubberLearner):
    """Flow matching plus identity and perceptual losses, on the samples without audio only.

    Without audio the lips are not the question, so what is left to improve is the person's own texture. On the others
    the lips guide sees to it that they stay what they are.
    """

    def __init__(self, model: Dubber, params: Texture, guides: Guides) -> None:
        super().__init__(model, params.objective, "texture", params.own_share)
        self.params, self.guides = params, guides

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        prediction = self.predict(batch, draw)
        flow, silent = self.flow_loss(batch, prediction), batch.keep_audio == 0
        identity = perceptual = flow.new_zeros(())
        if silent.any():
            whole = batch.extra["crop"][silent]
            made = rearrange(put(estimate(batch, prediction)[silent], whole), "b f c h w -> (b f) c h w")
            identity, perceptual = compare(self.guides.identity, made, rearrange(whole, "b f c h w -> (b f) c h w"))
        lips, hole = lips_loss(self.guides.lips, batch, prediction), hole_loss(batch, prediction)
        total = flow + self.params.identity_weight * identity + self.params.perceptual_weight * perceptual
        total = total + self.params.lips_weight * lips + self.params.hole_weight * hole
        terms = {"flow": flow, "identity": identity, "perceptual": perceptual, "lips": lips, "hole": hole}
        return {"loss": total, **terms}


def put(windows: Float[Tensor, "b f 3 h w"], crops: Float[Tensor, "b f 3 s s"]) -> Float[Tensor, "b f 3 s s"]:
    """The crops with these windows in their place."""
    place = Window.of(crops.shape[-1])
    result = crops.clone()
    result[..., place.top : place.bottom, place.left : place.right] = windows
    return result


def compare(
    guide: IdentityExpert, made: Float[Tensor, "b 3 s s"], real: Float[Tensor, "b 3 s s"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Identity loss (1 - cosine) and perceptual loss (mean squared distance of unit-norm features) of whole crops."""
    made_features, real_features = guide.features(made), guide.features(real)
    identity = 1 - (guide.embedding(made_features[-1]) * guide.embedding(real_features[-1])).sum(-1).mean()
    distances = [
        (F.normalize(a, dim=1) - F.normalize(b, dim=1)).square().sum(1).mean()
        for a, b in zip(made_features, real_features, strict=True)
    ]
    return identity, torch.stack(distances).mean()
