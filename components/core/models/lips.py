"""The lips expert: how far is this mouth open, and how wide is it? Read off the picture by a small CNN.

It learns from landmarks, whose errors differ from frame to frame and so average out: the studio's exact opening is
nearer to what it reads than to what the landmarks say (docs/decisions.md). The guide is a loss; the judge measures.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from components.core.media.face import MEASURES
from components.core.media.geometry import Window
from components.core.models import weights
from components.core.models.layers import conv


@dataclass(frozen=True)
class LipsConfig:
    """Size of the lips expert.

    Attributes:
        height_px, width_px: the lower face is resized to this, a multiple of 16 each.
        channels: of the picture's first layer; the two after it double it.
        width: of the layer before the measures.
    """

    height_px: int
    width_px: int
    channels: int
    width: int

    def __post_init__(self) -> None:
        if self.height_px % 16 or self.width_px % 16 or min(self.height_px, self.width_px) < 16:
            raise ValueError(f"height_px {self.height_px} and width_px {self.width_px} must be multiples of 16")
        if self.channels < 4 or self.channels % 4 or self.width < 1:
            raise ValueError(f"channels {self.channels} must be a multiple of 4 and width {self.width} positive")


class LipsExpert(nn.Module):
    """Frame by frame from lower faces to `face.MEASURES`, each minus `mean` over `std`, which the training set had."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: LipsConfig) -> None:
        super().__init__()
        self.config = config
        c = config.channels
        self.layers = nn.Sequential(
            *conv(3, c, 5),
            *conv(c, 2 * c, 3),
            *conv(2 * c, 4 * c, 3),
            *conv(4 * c, 4 * c, 3),
            nn.Flatten(),
            nn.Linear(4 * c * (config.height_px // 16) * (config.width_px // 16), config.width),
            nn.ReLU(),
            nn.Linear(config.width, len(MEASURES)),
        )
        self.register_buffer("mean", torch.zeros(len(MEASURES)))
        self.register_buffer("std", torch.ones(len(MEASURES)))

    def forward(self, lower: Float[Tensor, "b f 3 h w"]) -> Float[Tensor, "b f k"]:
        """Standardised measures of lower faces of any size, RGB in [-1, 1]."""
        size = (self.config.height_px, self.config.width_px)
        images = rearrange(lower, "b f c h w -> (b f) c h w")
        if images.shape[-2:] != size:
            images = torch.nn.functional.interpolate(images, size, mode="bilinear", antialias=True)
        found: Tensor = self.layers(images.contiguous(memory_format=torch.channels_last))
        return found.view(*lower.shape[:2], -1)

    @torch.no_grad()
    def read(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """`face.MEASURES` (f, k), in eye distances, of full crops (f, h, w, 3), RGB."""
        where = self.mean.device
        lower = torch.from_numpy(np.ascontiguousarray(Window.of(frames.shape[1]).take(frames))).to(where)
        found = self(lower.permute(0, 3, 1, 2)[None].float() / 127.5 - 1)[0]
        return np.asarray((found * self.std + self.mean).cpu().numpy())


def load_lips(path: Path) -> LipsExpert:
    """A trained lips expert, frozen, on the CPU."""
    config, tensors = weights.load(path, LipsConfig)
    expert = LipsExpert(config)
    weights.fill(expert, tensors, path)
    weights.freeze(expert)
    return expert
