"""The training side of flow matching: which timesteps are drawn, what is noised, how the loss is weighted."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Timesteps:
    """How timesteps are drawn (paper, Eq. 2).

    Attributes:
        shift: alpha of t = alpha u / (1 + (alpha - 1) u); above 1 it moves mass towards noise, below 1 towards data.
        base: u is logit-normal(0, 1) as in the paper, or uniform on (0, 1), which is its ablation.
        start_share: share drawn at t = 1 itself, where sampling starts and logit-normal draws hardly ever get.
    """

    shift: float
    base: Literal["logit_normal", "uniform"]
    start_share: float

    def __post_init__(self) -> None:
        if self.shift <= 0:
            raise ValueError(f"shift {self.shift} must be positive")
        if not 0 <= self.start_share <= 1:
            raise ValueError(f"start_share {self.start_share} must lie in [0, 1]")

    def draw(self, count: int, generator: torch.Generator) -> Float[Tensor, "b"]:
        """`count` timesteps in (0, 1]."""
        if self.base == "uniform":
            u = torch.rand(count, generator=generator, device=generator.device)
        else:
            u = torch.randn(count, generator=generator, device=generator.device).sigmoid()
        t = self.shift * u / (1 + (self.shift - 1) * u)
        if self.start_share == 0:
            return t
        start = torch.rand(count, generator=generator, device=generator.device) < self.start_share
        return torch.where(start, torch.ones_like(t), t)


def noised(
    clean: Float[Tensor, "b f c h w"], noise: Float[Tensor, "b f c h w"], time: Float[Tensor, "b f"]
) -> Float[Tensor, "b f c h w"]:
    """z_t, with a timestep of its own for each frame (0 on motion frames, which therefore stay clean)."""
    t = time[..., None, None, None]
    return (1 - t) * clean + t * noise


def clean_from_velocity(
    noisy: Float[Tensor, "b f c h w"], velocity: Float[Tensor, "b f c h w"], time: Float[Tensor, "b f"]
) -> Float[Tensor, "b f c h w"]:
    """z_0 = z_t - t v."""
    return noisy - time[..., None, None, None] * velocity


def damped_clean(
    predicted: Float[Tensor, "b f c h w"],
    clean: Float[Tensor, "b f c h w"],
    time: Float[Tensor, "b f"],
    ceiling: float = 0.6,
) -> Float[Tensor, "b f c h w"]:
    """The estimate on which perceptual losses act: z_0 + tau (v - v_hat), tau = min(t, ceiling) (paper, Eq. 3).

    With v - v_hat = (z0_hat - z0) / t this moves min(1, ceiling / t) of the way from the truth to the prediction, which
    keeps those losses' gradients sane where t is high and the prediction is blurred.
    """
    share = (time.clamp(max=ceiling) / time.clamp(min=1e-3)).clamp(max=1.0)[..., None, None, None]
    return clean + share * (predicted - clean)


def weighted_mse(
    predicted: Float[Tensor, "b f c h w"], target: Float[Tensor, "b f c h w"], weight: Float[Tensor, "b f 1 h w"]
) -> Float[Tensor, ""]:
    """The weighted mean of the squared error; weight 0 leaves a pixel (or a whole motion frame) out."""
    error = (predicted - target).square().mean(2, keepdim=True)
    return (error * weight).sum() / weight.sum().clamp(min=1e-6)
