"""How generator and editor learn: lip-weighted flow matching, motion frames, condition dropping."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from components.core.diffusion.flow import Timesteps, noised, weighted_mse
from components.core.models import hardware
from components.core.models.dubber import Conditions, Dubber
from components.core.models.fit import Learner, Losses
from components.core.models.lora import Gates
from components.core.models.windows import Batch, Clips, Packed


@dataclass(frozen=True)
class Drawing:
    """How batches are drawn.

    Attributes:
        batch: clips in a batch.
        motion_share: share of clips whose first frames are given clean, as they are when a long video is continued.
        drop_reference, drop_audio: share of clips trained without the condition, which guidance needs.
        flip: share of clips mirrored left to right.
    """

    batch: int
    motion_share: float
    drop_reference: float
    drop_audio: float
    flip: float

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ValueError(f"batch {self.batch} must be at least 1")
        for name in ("motion_share", "drop_reference", "drop_audio", "flip"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} {getattr(self, name)} must lie in [0, 1]")


@dataclass(frozen=True)
class Objective:
    """The loss of one phase (paper, Eq. 1 and 2).

    Attributes:
        timesteps: where training looks.
        face_weight, lip_weight: added to the weight 1 of a pixel of the lower face or of the lips.
        motion_weight: of the error of differences between successive frames, which is flicker.
    """

    timesteps: Timesteps
    face_weight: float
    lip_weight: float
    motion_weight: float

    def __post_init__(self) -> None:
        if min(self.face_weight, self.lip_weight, self.motion_weight) < 0:
            raise ValueError(
                f"face_weight {self.face_weight}, lip_weight {self.lip_weight} and motion_weight {self.motion_weight} "
                "must not be negative"
            )


@dataclass(frozen=True)
class Segment:
    """One sample, in uint8.

    Attributes:
        frames: (f,) its frames of the clips.
        target: (f h w 3) the real windows.
        references: (n f h w 3) the videos that condition it.
        whole: (f s s 3) the real crops, where a loss looks at the whole face.
        covered: (f h w) where something was put before the face: there is no lower face to be made, nor lips.
    """

    frames: NDArray[np.int64]
    target: NDArray[np.uint8]
    references: NDArray[np.uint8]
    whole: NDArray[np.uint8] | None = None
    covered: NDArray[np.bool_] | None = None


def assemble(
    clips: Clips, segments: Sequence[Segment], motion_frames: int, drawing: Drawing, rng: np.random.Generator
) -> Packed:
    """The batch of these segments with masks, audio, and the random choices of `drawing`."""
    count = len(segments)
    mirrored = torch.from_numpy(rng.random(count) < drawing.flip)
    index = np.stack([segment.frames for segment in segments])

    def stacked(name: str) -> Tensor:
        return torch.from_numpy(np.stack([getattr(segment, name) for segment in segments]))

    def kept(drop: float) -> Tensor:
        return torch.from_numpy((rng.random(count) >= drop).astype(np.float32))

    numbers = {
        "audio": torch.from_numpy(clips.audio[index]),
        "motion": motion_frames * (1 - kept(drawing.motion_share)),
        "keep_reference": kept(drawing.drop_reference),
        "keep_audio": kept(drawing.drop_audio),
    }
    pictures = {"clean": stacked("target"), "references": stacked("references")}
    if segments[0].whole is not None:
        pictures["crop"] = stacked("whole")
    masks = {"hole": clips.hole[index], "lips": clips.lips[index]}
    for row, segment in enumerate(segments):
        if segment.covered is not None:
            for mask in masks.values():
                mask[row] &= ~segment.covered
    return Packed(pictures, {name: torch.from_numpy(mask) for name, mask in masks.items()}, numbers, mirrored)


@dataclass(frozen=True)
class Prediction:
    """A noised batch and what the network made of it.

    Attributes:
        clean: (b f 3 h w) prediction of z_0.
        time: (b f) timesteps, 0 on motion frames.
        fresh: (b f 1 1 1) 1 on frames that were predicted, 0 on motion frames.
        hole: (b f 1 h w) logits of the editor's hole; None where the network finds none.
    """

    clean: Float[Tensor, "b f 3 h w"]
    time: Float[Tensor, "b f"]
    fresh: Float[Tensor, "b f 1 1 1"]
    hole: Float[Tensor, "b f 1 h w"] | None = None


class DubberLearner(Learner[Batch]):
    """Weighted flow matching for either role.

    Args:
        model: the network.
        objective: the phase's timesteps and weights.
        expert: the LoRA expert in training, on at every timestep; None trains the network itself.
        own_share: of the samples whose noisy input is made of what the network without the expert predicts at t = 1,
            as it is when a clip is sampled, and not of the real frames, which say what is to be made. An expert that
            sees real ones alone learns to believe its input and mends nothing.
    """

    model: Dubber

    def __init__(self, model: Dubber, objective: Objective, expert: str | None = None, own_share: float = 0.0) -> None:
        super().__init__(model)
        self.objective, self.expert, self.own_share = objective, expert, own_share
        if expert is None and hardware.device().type == "cuda":  # a phase of an expert is too short to pay for it
            model.dit.compile_blocks()

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        prediction = self.predict(batch, draw)
        return {"loss": self.flow_loss(batch, prediction)}

    def predict(self, batch: Batch, draw: torch.Generator) -> Prediction:
        """Draws timesteps and noise, and predicts z_0."""
        count, frames = batch.clean.shape[:2]
        drawn = self.objective.timesteps.draw(count, draw)
        fresh = (torch.arange(frames, device=drawn.device) >= batch.motion[:, None]).to(drawn.dtype)  # (b f)
        time = drawn[:, None] * fresh
        noise, given = (
            torch.randn(batch.clean.shape, generator=draw, device=drawn.device),
            conditions(batch, self.model),
        )
        start = batch.clean
        if self.own_share:
            own = torch.rand(count, generator=draw, device=drawn.device) < self.own_share
            with torch.no_grad():
                first = self.model(noised(batch.clean, noise, fresh), fresh, given, self.gates(0 * drawn))
            start = torch.where((own[:, None] & (fresh > 0))[..., None, None, None], first, start)
        made = self.model.make(noised(start, noise, time), time, given, self.gates(torch.ones_like(drawn)))
        return Prediction(made.clean, time, fresh[..., None, None, None], made.hole)

    def gates(self, on: Float[Tensor, "b"]) -> Gates | None:
        """The expert's gates, where there is one."""
        return None if self.expert is None else {self.expert: on}

    def flow_loss(self, batch: Batch, prediction: Prediction) -> Tensor:
        """The weighted error of z_0, or of v where the network predicts v (an error of z_0 over t), and of motion."""
        face = 1 + self.objective.face_weight * batch.hole
        scale = torch.ones_like(prediction.fresh)
        if self.model.config.architecture.prediction == "velocity":
            scale = 1 / prediction.time.clamp(min=0.05)[..., None, None, None]
        weight = (face + self.objective.lip_weight * batch.lips) * prediction.fresh
        loss = weighted_mse(prediction.clean * scale, batch.clean * scale, weight)
        if self.objective.motion_weight == 0:
            return loss
        made, real = (torch.diff(video * prediction.fresh, dim=1) for video in (prediction.clean, batch.clean))
        return loss + self.objective.motion_weight * weighted_mse(made, real, face[:, 1:])


def conditions(batch: Batch, model: Dubber) -> Conditions:
    """What the network of this role is shown of a batch."""
    inpaint = None
    if model.config.role == "generator":
        inpaint = torch.cat([batch.clean * (1 - batch.hole), batch.hole], 2)
    return Conditions(batch.references, batch.audio, inpaint, batch.keep_reference, batch.keep_audio)
