"""LSE-C and LSE-D: confidence and distance of SyncNet (Chung and Zisserman 2016; as metrics, Prajwal et al. 2020).

The network is that of syncnet_v2.model: five frames of 224 px, BGR, 0 to 255, against 20 rows of 13 MFCCs at 100 Hz.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.fft import dct
from torch import Tensor

from components.core.media import FPS, RATE_HZ
from components.published.framing import Framing, framed
from components.published.tensors import Tensors

# The detector's box around a face that is aligned as our crops are, from half a unit to the chin, and 0.4 of it around.
FRAMING = Framing(left_u=-1.0, top_u=0.5, side_u=14.0, size_px=224, border=110)
WINDOW_FRAMES, SHIFT_FRAMES = 5, 15
MFCC_PER_FRAME = 4
BATCH = 20
NAN = float("nan")

Size = int | tuple[int, ...]


class Step(NamedTuple):
    """A convolution, whose normalisation is the next layer, a ReLU, and perhaps a pooling (kernel, stride, padding)."""

    layer: int
    stride: Size
    padding: Size
    pool: tuple[Size, Size, Size] | None


AUDIO = (
    Step(0, 1, 1, None),
    Step(4, 1, 1, ((3, 3), (1, 2), 0)),
    Step(8, 1, 1, None),
    Step(11, 1, 1, None),
    Step(14, 1, 1, ((3, 3), (2, 2), 0)),
    Step(18, 1, 0, None),
)
LIPS = (
    Step(0, (1, 2, 2), 0, ((1, 3, 3), (1, 2, 2), 0)),
    Step(4, (1, 2, 2), (0, 1, 1), ((1, 3, 3), (1, 2, 2), (0, 1, 1))),
    Step(8, 1, (0, 1, 1), None),
    Step(11, 1, (0, 1, 1), None),
    Step(14, 1, (0, 1, 1), ((1, 3, 3), (1, 2, 2), 0)),
    Step(18, 1, 0, None),
)


def scores(tensors: Tensors, frames: NDArray[np.uint8], samples: NDArray[np.float32]) -> tuple[float, float]:
    """LSE-C (up is better) and LSE-D (down) of crops (f h w 3) with their speech; NaN where the clip is too short.

    The distance of lips and sound is averaged over the clip at each shift of up to 15 frames; the smallest is LSE-D,
    and the median over the shifts less the smallest is LSE-C.
    """
    count = min(len(frames), len(samples) * FPS // RATE_HZ) - WINDOW_FRAMES
    if count < 1:
        return NAN, NAN
    lips, sound = lip_vectors(tensors, frames, count), sound_vectors(tensors, samples, count)
    padded = F.pad(sound, (0, 0, SHIFT_FRAMES, SHIFT_FRAMES))
    shifts = 2 * SHIFT_FRAMES + 1
    distance = torch.stack([F.pairwise_distance(lips, padded[shift : shift + count]).mean() for shift in range(shifts)])
    smallest = float(distance.min())
    return float(distance.median()) - smallest, smallest


@torch.inference_mode()
def lip_vectors(tensors: Tensors, frames: NDArray[np.uint8], count: int) -> Tensor:
    """(count, d), one of every five frames in a row."""
    images = torch.from_numpy(framed(frames, FRAMING)[..., ::-1].copy()).permute(3, 0, 1, 2)  # (c f h w), BGR
    found = []
    for first in range(0, count, BATCH):
        windows = [images[:, start : start + WINDOW_FRAMES] for start in range(first, min(count, first + BATCH))]
        found.append(_vectors(tensors, torch.stack(windows).float().to(tensors.device), "lip", LIPS))
    return torch.cat(found).cpu()


@torch.inference_mode()
def sound_vectors(tensors: Tensors, samples: NDArray[np.float32], count: int) -> Tensor:
    """(count, d), one of every fifth of a second, a frame apart."""
    rows = torch.from_numpy(mfcc(samples)).float().T  # (13 m)
    length = MFCC_PER_FRAME * WINDOW_FRAMES
    short = MFCC_PER_FRAME * (count - 1) + length - rows.shape[1]
    rows = F.pad(rows, (0, max(0, short)))
    windows = torch.stack([rows[:, MFCC_PER_FRAME * i : MFCC_PER_FRAME * i + length] for i in range(count)])
    return _vectors(tensors, windows[:, None].to(tensors.device), "aud", AUDIO).cpu()


def _vectors(tensors: Tensors, x: Tensor, part: str, steps: tuple[Step, ...]) -> Tensor:
    pool = F.max_pool3d if x.ndim == 5 else F.max_pool2d
    for step in steps:
        name = f"netcnn{part}.{step.layer}"
        x = F.relu(tensors.norm(tensors.conv(x, name, step.stride, step.padding), f"netcnn{part}.{step.layer + 1}"))
        if step.pool:
            x = pool(x, *step.pool)
    x = tensors.linear(x.flatten(1), f"netfc{part}.0")
    return tensors.linear(F.relu(tensors.norm(x, f"netfc{part}.1")), f"netfc{part}.3")


def mfcc(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """(m, 13) at 100 Hz of sound in [-1, 1], as python_speech_features computes them of 16-bit samples.

    Pre-emphasis .97, 25 ms frames without a window, 26 triangles from 0 to 8 kHz, orthonormal DCT, lifter 22, and the
    logarithm of the energy in the place of the first coefficient.
    """
    frame, hop, points, lifter = RATE_HZ // 40, RATE_HZ // 100, 512, 22
    sound = np.clip(np.rint(np.asarray(samples, np.float64) * 32767), -32768, 32767)
    sound = np.append(sound[:1], sound[1:] - 0.97 * sound[:-1])
    count = 1 + max(0, -(-(len(sound) - frame) // hop))
    sound = np.pad(sound, (0, max(0, (count - 1) * hop + frame - len(sound))))
    rows = sound[hop * np.arange(count)[:, None] + np.arange(frame)]
    power = np.abs(np.fft.rfft(rows, points)) ** 2 / points
    tiny = np.finfo(float).eps
    energy, bands = power.sum(axis=1), power @ _triangles(26, points).T
    found = dct(np.log(np.where(bands == 0, tiny, bands)), type=2, axis=1, norm="ortho")[:, :13]
    found *= 1 + lifter / 2 * np.sin(np.pi * np.arange(13) / lifter)
    found[:, 0] = np.log(np.where(energy == 0, tiny, energy))
    return np.asarray(found)


def _triangles(count: int, points: int) -> NDArray[np.float64]:
    """(count, points / 2 + 1) filters whose corners lie evenly in mel and on whole bins."""
    mel = np.linspace(0, 2595 * np.log10(1 + RATE_HZ / 2 / 700), count + 2)
    corners = np.floor((points + 1) * 700 * (10 ** (mel / 2595) - 1) / RATE_HZ)
    bins = np.arange(points // 2 + 1)
    left, middle, right = (corners[start : start + count, None] for start in range(3))
    rising, falling = (bins - left) / (middle - left), (right - bins) / (right - middle)
    return np.asarray(np.where(bins < middle, rising, falling) * ((bins >= left) & (bins < right)))
