"""The identity expert: is this the same face? A small CNN with an angular margin (ArcFace, Deng et al., 2019)."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from components.core.models import weights
from components.core.models.layers import conv


@dataclass(frozen=True)
class IdentityConfig:
    """Size of the identity expert.

    Attributes:
        size_px: crops are resized to this, a multiple of 16.
        channels: of the first layer; the three after it double it.
        embedding: numbers of an embedding.
    """

    size_px: int
    channels: int
    embedding: int

    def __post_init__(self) -> None:
        if self.size_px < 16 or self.size_px % 16:
            raise ValueError(f"size_px {self.size_px} must be a multiple of 16")
        if self.channels < 4 or self.channels % 4 or self.embedding < 1:
            raise ValueError(
                f"channels {self.channels} must be a multiple of 4 and embedding {self.embedding} positive"
            )


class IdentityExpert(nn.Module):
    """Unit embeddings of full crops, close for one person and far for two."""

    def __init__(self, config: IdentityConfig) -> None:
        super().__init__()
        self.config = config
        widths = [3, *(config.channels * 2**level for level in range(4))]
        layers = [layer for a, b in pairwise(widths) for layer in conv(a, b, 3)]
        self.trunk = nn.Sequential(*layers)
        self.head = nn.Linear(widths[-1] * (config.size_px // 16) ** 2, config.embedding)

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b e"]:
        """Embeddings of square crops of any size, RGB in [-1, 1]."""
        return self.embedding(self.features(images)[-1])

    def features(self, images: Float[Tensor, "b 3 h w"]) -> list[Float[Tensor, "b c i j"]]:
        """The feature maps of every level, from fine to coarse, for the perceptual loss."""
        size = (self.config.size_px, self.config.size_px)
        if images.shape[-2:] != size:
            images = torch.nn.functional.interpolate(images, size, mode="bilinear", antialias=True)
        x, found = images.contiguous(memory_format=torch.channels_last), []
        for layer in self.trunk:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                found.append(x)
        return found

    def embedding(self, features: Float[Tensor, "b c i j"]) -> Float[Tensor, "b e"]:
        """Unit embeddings of the last level's feature maps."""
        return nn.functional.normalize(self.head(features.flatten(1)), dim=-1)

    @torch.no_grad()
    def embed(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeddings (f, e) of full crops (f, h, w, 3), RGB."""
        where = next(self.parameters()).device
        images = torch.from_numpy(np.ascontiguousarray(frames)).to(where).permute(0, 3, 1, 2).float() / 127.5 - 1
        return np.asarray(self(images).cpu().numpy())


def angular_margin(
    cosine: Float[Tensor, "b s"], speaker: Int[Tensor, "b"], margin_rad: float, scale: float
) -> Float[Tensor, "b s"]:
    """Logits scale * cos(theta), with cos(theta + margin) for the right speaker (ArcFace, Eq. 3).

    Beyond theta = pi - margin, where the cosine would turn up again, it goes on straight down: cos(theta) - margin
    sin(margin).
    """
    right = cosine.gather(1, speaker[:, None]).clamp(-1 + 1e-6, 1 - 1e-6)
    theta = right.arccos()
    harder = torch.where(
        theta + margin_rad < torch.pi, (theta + margin_rad).cos(), right - margin_rad * np.sin(margin_rad)
    )
    return scale * cosine.scatter(1, speaker[:, None], harder.to(cosine.dtype))


def load_identity(path: Path) -> IdentityExpert:
    """A trained identity expert, frozen, on the CPU."""
    config, tensors = weights.load(path, IdentityConfig)
    expert = IdentityExpert(config)
    weights.fill(expert, tensors, path)
    weights.freeze(expert)
    return expert
