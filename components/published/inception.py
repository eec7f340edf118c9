"""The vectors of FID (Heusel et al. 2017): Inception-v3 of 2015, as pytorch-fid took it over from TensorFlow."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from components.published.tensors import Tensors

SIZE_PX = 299
BATCH = 16

Chain = tuple[str, ...]
A: tuple[Chain, ...] = (
    ("branch1x1",),
    ("branch5x5_1", "branch5x5_2"),
    ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
)
C: tuple[Chain, ...] = (
    ("branch1x1",),
    ("branch7x7_1", "branch7x7_2", "branch7x7_3"),
    ("branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"),
)
# What halves the picture: the last convolution of a chain has stride 2 and no padding.
B: tuple[Chain, ...] = (("branch3x3",), ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"))
D: tuple[Chain, ...] = (
    ("branch3x3_1", "branch3x3_2"),
    ("branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4"),
)


@torch.inference_mode()
def vectors(tensors: Tensors, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(f 2048) of pictures (f h w 3)."""
    pixels = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
    batches = (pixels[first : first + BATCH] for first in range(0, len(pixels), BATCH))
    return np.concatenate([_forward(tensors, batch.to(tensors.device)).cpu().numpy() for batch in batches])


def _forward(tensors: Tensors, pixels: Tensor) -> Tensor:
    x = F.interpolate(pixels.float() / 255, (SIZE_PX, SIZE_PX), mode="bilinear", align_corners=False) * 2 - 1
    x = _conv(tensors, x, "Conv2d_1a_3x3", stride=2)
    x = _conv(tensors, _conv(tensors, x, "Conv2d_2a_3x3", stride=1, same=False), "Conv2d_2b_3x3")
    x = _conv(tensors, F.max_pool2d(x, 3, 2), "Conv2d_3b_1x1")
    x = F.max_pool2d(_conv(tensors, x, "Conv2d_4a_3x3", stride=1, same=False), 3, 2)
    for name in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
        x = _mixed(tensors, x, name, A)
    x = _halved(tensors, x, "Mixed_6a", B)
    for name in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
        x = _mixed(tensors, x, name, C)
    x = _halved(tensors, x, "Mixed_7a", D)
    x = _forked(tensors, x, "Mixed_7b", _mean_pool(x))
    # The 2015 graph takes the maximum here, where every other block takes the mean.
    x = _forked(tensors, x, "Mixed_7c", F.max_pool2d(x, 3, 1, 1))
    return x.mean(dim=(2, 3))


def _conv(tensors: Tensors, x: Tensor, name: str, stride: int = 1, same: bool = True) -> Tensor:
    """Convolution, normalisation, ReLU; the picture keeps its size where `same` and the stride is 1."""
    height, width = tensors[f"{name}.conv.weight"].shape[2:]
    padding = (height // 2, width // 2) if same and stride == 1 else 0
    return F.relu(tensors.norm(tensors.conv(x, f"{name}.conv", stride, padding), f"{name}.bn", eps=1e-3))


def _chain(tensors: Tensors, x: Tensor, name: str, chain: Chain, last_stride: int = 1) -> Tensor:
    for number, layer in enumerate(chain, 1):
        x = _conv(tensors, x, f"{name}.{layer}", last_stride if number == len(chain) else 1)
    return x


def _mixed(tensors: Tensors, x: Tensor, name: str, chains: tuple[Chain, ...]) -> Tensor:
    branches = [_chain(tensors, x, name, chain) for chain in chains]
    return torch.cat([*branches, _conv(tensors, _mean_pool(x), f"{name}.branch_pool")], 1)


def _halved(tensors: Tensors, x: Tensor, name: str, chains: tuple[Chain, ...]) -> Tensor:
    return torch.cat([*(_chain(tensors, x, name, chain, 2) for chain in chains), F.max_pool2d(x, 3, 2)], 1)


def _forked(tensors: Tensors, x: Tensor, name: str, pooled: Tensor) -> Tensor:
    """The blocks whose chains end in two convolutions side by side."""
    branches = [_conv(tensors, x, f"{name}.branch1x1")]
    for stem, ends in ((("branch3x3_1",), "branch3x3_2"), (("branch3x3dbl_1", "branch3x3dbl_2"), "branch3x3dbl_3")):
        middle = _chain(tensors, x, name, stem)
        branches += [_conv(tensors, middle, f"{name}.{ends}{side}") for side in "ab"]
    return torch.cat([*branches, _conv(tensors, pooled, f"{name}.branch_pool")], 1)


def _mean_pool(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
