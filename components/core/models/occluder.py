"""The occluder expert: which pixels show something that is in front of the face? A tiny U-Net.

It learns from the studio's exact masks and from things pasted before faces. Where it finds something, an edit is not
put in (`core/media/occlusion.py`).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate

from components.core.media import occlusion
from components.core.models import weights
from components.core.models.layers import conv

STRIDE = 8


@dataclass(frozen=True)
class OccluderConfig:
    """Size of the occluder expert.

    Attributes:
        height_px, width_px: the lower face is resized to this, a multiple of 8 each.
        channels: at full resolution, where they cost most; four times as many at half of it, eight times below.
    """

    height_px: int
    width_px: int
    channels: int

    def __post_init__(self) -> None:
        if self.height_px % STRIDE or self.width_px % STRIDE or min(self.height_px, self.width_px) < STRIDE:
            raise ValueError(f"height_px {self.height_px} and width_px {self.width_px} must be multiples of {STRIDE}")
        if self.channels < 4 or self.channels % 4:
            raise ValueError(f"channels {self.channels} must be a multiple of 4")


class OccluderExpert(nn.Module):
    """Pixel by pixel from lower faces to the logit of "something is in front of the face"."""

    def __init__(self, config: OccluderConfig) -> None:
        super().__init__()
        self.config = config
        c = config.channels
        self.first = nn.Sequential(*conv(3, c, 3, stride=1))
        widths = ((c, 4 * c), (4 * c, 8 * c), (8 * c, 8 * c))
        self.down = nn.ModuleList(nn.Sequential(*conv(*sizes, 3)) for sizes in widths)
        widths = ((16 * c, 4 * c), (8 * c, 2 * c), (3 * c, c))
        self.up = nn.ModuleList(nn.Sequential(*conv(*sizes, 3, stride=1)) for sizes in widths)
        self.last = nn.Conv2d(c, 1, 1)

    def forward(self, lower: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b h w"]:
        """Logits of lower faces of any size, RGB in [-1, 1]."""
        size, shape = (self.config.height_px, self.config.width_px), lower.shape[-2:]
        images = lower if shape == size else interpolate(lower, size, mode="bilinear", antialias=True)
        levels = [self.first(images.contiguous(memory_format=torch.channels_last))]
        for layer in self.down:
            levels.append(layer(levels[-1]))
        x = levels.pop()
        for layer in self.up:
            x = layer(torch.cat([interpolate(x, scale_factor=2.0), levels.pop()], 1))
        found: Tensor = self.last(x)
        return (found if shape == size else interpolate(found, shape, mode="bilinear"))[:, 0]

    def hidden(self, lower: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b h w"]:
        """That something is in front: the mean of what lower faces and their mirror images are taken for.

        What a fold is mistaken for on one side only is then nowhere sure (docs/decisions.md).
        """
        found: Tensor = (self(lower).sigmoid() + self(lower.flip(-1)).sigmoid().flip(-1)) / 2
        return found

    @torch.no_grad()
    def probability(self, windows: NDArray[np.uint8]) -> NDArray[np.float32]:
        """That something is in front (f h w), of windows (f h w 3), RGB."""
        lower = torch.from_numpy(np.ascontiguousarray(windows)).to(self.last.weight.device)
        return np.asarray(self.hidden(lower.permute(0, 3, 1, 2).float() / 127.5 - 1).cpu().numpy())

    def occlusion(self, windows: NDArray[np.uint8]) -> NDArray[np.float32]:
        """How far (f h w), in [0, 1], the pixels of windows (f h w 3) are hidden."""
        return occlusion.occlusion(self.probability(windows))


def load_occluder(path: Path) -> OccluderExpert:
    """A trained occluder expert, frozen, on the CPU."""
    config, tensors = weights.load(path, OccluderConfig)
    expert = OccluderExpert(config)
    weights.fill(expert, tensors, path)
    weights.freeze(expert)
    return expert
