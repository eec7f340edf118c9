"""CSIM: the cosine of ArcFace's vectors (Deng et al. 2019; iresnet of insightface's arcface_torch, any depth)."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from components.published.framing import Framing, framed
from components.published.tensors import Tensors

# Where the eyes (52 px from the top) and the mouth (92 px) of its 112 px template lie on our crops (4 and 8 units).
FRAMING = Framing(left_u=0.5, top_u=-1.1, side_u=11.0, size_px=112, border=0)
BATCH = 32


@torch.inference_mode()
def vectors(tensors: Tensors, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Unit vectors (f d) of crops (f h w 3)."""
    images = torch.from_numpy(framed(frames, FRAMING)).permute(0, 3, 1, 2)
    batches = (images[first : first + BATCH] for first in range(0, len(images), BATCH))
    made = [_forward(tensors, batch.float().to(tensors.device) / 127.5 - 1) for batch in batches]
    return np.asarray(F.normalize(torch.cat(made)).cpu().numpy())


def csim(output: NDArray[np.float32], reference: NDArray[np.float32]) -> float:
    """Mean cosine, frame by frame, of two clips' vectors (f d)."""
    return float((output * reference).sum(axis=1).mean())


def _forward(tensors: Tensors, x: Tensor) -> Tensor:
    x = F.prelu(tensors.norm(tensors.conv(x, "conv1", 1, 1), "bn1"), tensors["prelu.weight"])
    for layer in range(1, 5):
        block = 0
        while f"layer{layer}.{block}.conv1.weight" in tensors:
            x = _block(tensors, x, f"layer{layer}.{block}", stride=1 if block else 2)
            block += 1
    x = tensors.linear(tensors.norm(x, "bn2").flatten(1), "fc")
    return tensors.norm(x, "features")


def _block(tensors: Tensors, x: Tensor, name: str, stride: int) -> Tensor:
    y = tensors.conv(tensors.norm(x, f"{name}.bn1"), f"{name}.conv1", 1, 1)
    y = F.prelu(tensors.norm(y, f"{name}.bn2"), tensors[f"{name}.prelu.weight"])
    y = tensors.norm(tensors.conv(y, f"{name}.conv2", stride, 1), f"{name}.bn3")
    if f"{name}.downsample.0.weight" in tensors:
        x = tensors.norm(tensors.conv(x, f"{name}.downsample.0", stride), f"{name}.downsample.1")
    return x + y
