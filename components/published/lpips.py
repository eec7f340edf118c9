"""LPIPS 0.1 on AlexNet (Zhang et al. 2018): torchvision's weights under the linear heads of the lpips package."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from components.published.tensors import Tensors

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
BATCH = 32


@torch.inference_mode()
def distance(alexnet: Tensors, heads: Tensors, output: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Mean over the frames (f h w 3), each at its own size; 0 for equal pictures."""
    found = []
    for first in range(0, len(output), BATCH):
        a, b = (_features(alexnet, frames[first : first + BATCH]) for frames in (output, truth))
        found.append(sum(_layer(heads, number, *pair) for number, pair in enumerate(zip(a, b, strict=True))))
    return float(torch.cat(found).mean())  # type: ignore[arg-type]


def _features(tensors: Tensors, frames: NDArray[np.uint8]) -> list[Tensor]:
    """What the five rectifiers let through."""
    shift, scale = (torch.tensor(values, device=tensors.device)[:, None, None] for values in (SHIFT, SCALE))
    pixels = torch.from_numpy(np.ascontiguousarray(frames)).to(tensors.device).permute(0, 3, 1, 2)
    x = (pixels.float() / 127.5 - 1 - shift) / scale
    found = [F.relu(tensors.conv(x, "features.0", 4, 2))]
    found.append(F.relu(tensors.conv(F.max_pool2d(found[-1], 3, 2), "features.3", 1, 2)))
    found.append(F.relu(tensors.conv(F.max_pool2d(found[-1], 3, 2), "features.6", 1, 1)))
    found.append(F.relu(tensors.conv(found[-1], "features.8", 1, 1)))
    found.append(F.relu(tensors.conv(found[-1], "features.10", 1, 1)))
    return found


def _layer(heads: Tensors, number: int, a: Tensor, b: Tensor) -> Tensor:
    """(b,) weighted squared difference of the channels' directions, averaged over the picture."""
    directions = [x / (x.norm(dim=1, keepdim=True) + 1e-10) for x in (a, b)]
    return heads.conv((directions[0] - directions[1]) ** 2, f"lin{number}.model.1").mean(dim=(1, 2, 3))
