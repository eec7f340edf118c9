"""Training data in memory: every crop's window as uint8, and the batches drawn from it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from components.core.media.crops import Crop
from components.core.media.geometry import UNITS, Window

OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
NEIGHBOURS = 8
NEIGHBOUR_GAP_FRAMES = 8
"""A reference is at least this far (0.32 s) from its frame, so that its lips say nothing about the frame's."""


@dataclass(frozen=True)
class Clips:
    """The windows of all crops, one after the other.

    Attributes:
        rgb: (n h w 3) uint8.
        hole: (n h w) bool, the lower face with the jaw open to its maximum: what the generator has to make.
        lips: (n h w) bool, the outer lips.
        neighbours: (n k) int, frames of the same crop that look most alike above the mouth, the most alike first.
        audio: (n a) float32, the front end's features.
        starts: (crops + 1,) where each crop's frames begin.
    """

    rgb: NDArray[np.uint8]
    hole: NDArray[np.bool_]
    lips: NDArray[np.bool_]
    neighbours: NDArray[np.int64]
    audio: NDArray[np.float32]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, crops: Sequence[Crop], audio: Sequence[NDArray[np.float32]]) -> "Clips":
        """Cuts the windows of `crops`; `audio` holds each crop's features (f a)."""
        window = Window.of(crops[0].frames.shape[1])
        starts = np.cumsum([0, *(len(crop.frames) for crop in crops)])
        return cls(
            rgb=np.concatenate([window.take(crop.frames) for crop in crops]),
            hole=np.concatenate([window.take(crop.mask) for crop in crops]),
            lips=np.concatenate([window.take(lips_mask(crop)) for crop in crops]),
            neighbours=np.concatenate([start + neighbours(crop) for start, crop in zip(starts, crops, strict=False)]),
            audio=np.concatenate(list(audio)),
            starts=starts,
        )

    def pick(self, frames: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`frames` consecutive frames of one crop, every possible start equally likely."""
        room = np.maximum(np.diff(self.starts) - frames + 1, 0)
        place = int(rng.integers(room.sum()))
        crop = int(np.searchsorted(np.cumsum(room), place, side="right"))
        offset = place - int(room[:crop].sum())
        return np.asarray(np.arange(frames) + self.starts[crop] + offset)

    def crop_of(self, frame: int) -> int:
        """The number of the crop that a frame belongs to."""
        return int(np.searchsorted(self.starts, frame, side="right")) - 1


def digest(crops: Sequence[Crop]) -> str:
    """One text for what the crops hold, so that nothing trained on other crops is taken for trained on these."""
    content = hashlib.sha256()
    for crop in crops:
        for part in (crop.crop_id.encode(), crop.frames.tobytes(), crop.samples.tobytes(), crop.measures.tobytes()):
            content.update(part)
    return content.hexdigest()


def lips_mask(crop: Crop) -> NDArray[np.bool_]:
    """The outer lips, grown by a third of a unit, of every frame (f h w)."""
    size = crop.frames.shape[1]
    grow = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * (size // UNITS // 3) + 1,) * 2)
    masks = []
    for points in crop.landmarks[:, OUTER_LIPS, :2]:
        canvas = np.zeros((size, size), np.uint8)
        cv2.fillPoly(canvas, [np.rint(points).astype(np.int32)], 1)
        masks.append(cv2.dilate(canvas, grow).astype(bool))
    return np.stack(masks)


def neighbours(crop: Crop) -> NDArray[np.int64]:
    """For each frame the `NEIGHBOURS` frames (f k) of the crop nearest in pose and upper-face appearance.

    Frames within `NEIGHBOUR_GAP_FRAMES` are left out where the crop is long enough to do without them. Nearest
    references are the generator's largest lever (docs/decisions.md), in training and in synthesis alike.
    """
    count, unit = len(crop.frames), crop.frames.shape[1] // UNITS
    upper = crop.frames[:, : 5 * unit].astype(np.float32).mean(-1)
    looks = np.stack([cv2.resize(image, (16, 8), interpolation=cv2.INTER_AREA).ravel() for image in upper])
    features = [
        looks / (looks.std(0).mean() + 1e-3) / np.sqrt(looks.shape[1]),
        crop.pose / (crop.pose.std(0).mean() + 1e-3),
    ]
    features = np.concatenate(features, 1)
    distance = np.square(features[:, None] - features[None]).sum(-1)
    apart = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    distance = distance + np.where(apart < min(NEIGHBOUR_GAP_FRAMES, count // 2), 1e6, 0.0)
    order = np.argsort(distance, axis=1, kind="stable")[:, :NEIGHBOURS]
    return np.pad(order, ((0, 0), (0, NEIGHBOURS - order.shape[1])), mode="edge")


@dataclass(frozen=True)
class Batch:
    """One training batch; pixels in [-1, 1].

    Attributes:
        clean: (b f 3 h w) the real window: always the target.
        references: (b n f 3 h w) the conditioning video(s).
        hole, lips: (b f 1 h w) masks in {0, 1}.
        audio: (b f a).
        motion: (b,) how many first frames are given clean.
        keep_reference, keep_audio: (b,) 0 where the condition is dropped.
        extra: whatever else a phase needs, by name.
    """

    clean: Float[Tensor, "b f 3 h w"]
    references: Float[Tensor, "b n f 3 h w"]
    hole: Float[Tensor, "b f 1 h w"]
    lips: Float[Tensor, "b f 1 h w"]
    audio: Float[Tensor, "b f a"]
    motion: Float[Tensor, "b"]
    keep_reference: Float[Tensor, "b"]
    keep_audio: Float[Tensor, "b"]
    extra: dict[str, Tensor]

    def to(self, device: Any, **options: Any) -> "Batch":
        """The batch on another device (Lightning calls this)."""
        moved = {f.name: getattr(self, f.name).to(device, **options) for f in fields(self) if f.name != "extra"}
        return replace(self, **moved, extra={k: v.to(device, **options) for k, v in self.extra.items()})


def pixels(rgb: NDArray[np.uint8]) -> Float[Tensor, "... 3 h w"]:
    """uint8 (... h w 3) as float32 (... 3 h w) in [-1, 1]."""
    return torch.from_numpy(np.moveaxis(rgb, -1, -3).astype(np.float32) / 127.5 - 1)


def image(values: Float[Tensor, "... 3 h w"]) -> NDArray[np.uint8]:
    """The inverse of `pixels`, clipped."""
    array = ((values.float() + 1) * 127.5).round().clamp(0, 255).byte().cpu().numpy()
    return np.moveaxis(array, -3, -1)


def masks(flags: NDArray[np.bool_]) -> Float[Tensor, "... 1 h w"]:
    """bool (... h w) as float32 (... 1 h w)."""
    return torch.from_numpy(flags.astype(np.float32))[..., None, :, :]
