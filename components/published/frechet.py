"""Distances of whole sets: Frechet's between Gaussians, and the vectors of FVD (Unterthiner et al. 2018)."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from components.core.base.errors import UserError
from components.core.models import hardware

Vectors = NDArray[np.floating[Any]]

WINDOW_FRAMES, SIZE_PX = 16, 224
"""Of FVD: a clip gives as many windows as it has room for, none over another."""


def distance(a: Vectors, b: Vectors) -> float:
    """Frechet's distance of the Gaussians with the means and covariances of vectors (n d) and (m d).

    |mean_a - mean_b|^2 + tr(A + B - 2 (A B)^(1/2)); the last trace is that of (A^(1/2) B A^(1/2))^(1/2), a symmetric
    matrix, so that no imaginary rest has to be cut off. NaN with fewer than two vectors on a side.
    """
    if min(len(a), len(b)) < 2:
        return float("nan")
    means = [np.mean(x, axis=0, dtype=np.float64) for x in (a, b)]
    first, second = (np.atleast_2d(np.cov(np.asarray(x, np.float64), rowvar=False)) for x in (a, b))
    values, axes = np.linalg.eigh(first)
    root = (axes * np.sqrt(np.clip(values, 0, None))) @ axes.T
    shared = np.sqrt(np.clip(np.linalg.eigvalsh(root @ second @ root), 0, None)).sum()
    return float(np.sum((means[0] - means[1]) ** 2) + np.trace(first) + np.trace(second) - 2 * shared)


def detector(path: Path) -> Any:
    """I3D as TorchScript, the file that the field shares.

    Raises:
        UserError: it is no TorchScript.
    """
    try:
        return torch.jit.load(str(path), map_location=hardware.device()).eval()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise UserError(f"{path} can't be read", got=str(error)[:200], expected="I3D as TorchScript") from None


@torch.inference_mode()
def video_vectors(network: Any, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n 400): one of every whole window of the clip (f h w 3); of a shorter one none."""
    large = np.stack([cv2.resize(image, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_LINEAR) for image in frames])
    found = []
    for start in range(0, len(large) - WINDOW_FRAMES + 1, WINDOW_FRAMES):
        window = torch.from_numpy(large[start : start + WINDOW_FRAMES]).to(hardware.device()).permute(3, 0, 1, 2)[None]
        made = network(window.float() / 127.5 - 1, rescale=False, resize=False, return_features=True)
        found.append(made.cpu().numpy())
    return np.concatenate(found) if found else np.zeros((0, 1), np.float32)
