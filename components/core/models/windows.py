"""Training data in memory: every crop's window as uint8, and the batches drawn from it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

from components.core.base import runtime
from components.core.media import references
from components.core.media.crops import Crop
from components.core.media.face import MEASURES
from components.core.media.geometry import UNITS, Window

OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)


@dataclass(frozen=True)
class Clips:
    """The windows of all crops, one after the other.

    Attributes:
        rgb: (n h w 3) uint8.
        hole: (n h w) bool, the lower face with the jaw open to its maximum: what the generator has to make.
        lips: (n h w) bool, the outer lips.
        soft: (n h w 3) uint8, each frame's first reference, an average of its crop (`references.References`).
        nearest: (n k) int, its other references: frames of the same crop, the nearest first.
        audio: (n a) float32, the front end's features.
        starts: (crops + 1,) where each crop's frames begin.
    """

    rgb: NDArray[np.uint8]
    hole: NDArray[np.bool_]
    lips: NDArray[np.bool_]
    soft: NDArray[np.uint8]
    nearest: NDArray[np.int64]
    audio: NDArray[np.float32]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, crops: Sequence[Crop], audio: Sequence[NDArray[np.float32]], count: int) -> "Clips":
        """Cuts the windows of `crops`; `audio` holds each crop's features (f a); `count` references for each frame."""
        window = Window.of(crops[0].frames.shape[1])
        gap = references.GAP_FRAMES
        heard = zip(crops, audio, strict=True)
        found = runtime.map_threads(lambda each: own_references(*each, count, gap), heard)
        starts = np.cumsum([0, *(len(crop.frames) for crop in crops)])
        return cls(
            rgb=np.concatenate([window.take(crop.frames) for crop in crops]),
            hole=np.concatenate([window.take(crop.mask) for crop in crops]),
            lips=np.concatenate([window.take(lips_mask(crop)) for crop in crops]),
            soft=np.concatenate([each.soft for each in found]),
            nearest=np.concatenate([start + each.nearest for start, each in zip(starts, found, strict=False)]),
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

    def references(self, frames: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The reference videos (count f h w 3) of these frames."""
        return np.concatenate([self.soft[frames][None], self.rgb[self.nearest[frames].T]])

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


def bank(crop: Crop) -> references.Bank:
    """The bank of a clip's own frames."""
    return references.Bank.of(crop.frames, crop.pose, crop.measures, crop.hidden)


def own_references(crop: Crop, heard: NDArray[np.float32], count: int, gap_frames: int) -> references.References:
    """`count` references for each of a crop's first frames out of its own frames.

    Args:
        heard: (f a) of `frontend.encode_clip`, which ends with the lip measures; as many frames as are to be made.
        gap_frames: see `Bank.find`; 0 where the crop is not what is to be made.
    """
    wanted = references.standard(heard[:, -len(MEASURES) :])
    shown = slice(len(heard))
    return bank(crop).find(crop.frames[shown], crop.pose[shown], wanted, count - 1, gap_frames)


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


@dataclass(frozen=True)
class Packed:
    """A batch as it travels to the device that trains on it: a quarter of the bytes.

    Attributes:
        pictures, masks: fields of `Batch`, or of its extra, by name: uint8 (... h w 3) and bool (... h w).
        numbers: the other fields, as they are.
        mirrored: (b,) which samples are to be mirrored left to right.
    """

    pictures: dict[str, Tensor]
    masks: dict[str, Tensor]
    numbers: dict[str, Tensor]
    mirrored: Bool[Tensor, "b"]

    def to(self, device: Any, **options: Any) -> Batch:
        """The batch on the device (Lightning calls this)."""

        def sent(values: dict[str, Tensor]) -> dict[str, Tensor]:
            return {name: value.to(device, **options) for name, value in values.items()}

        mirrored = self.mirrored.to(device, **options)

        def turned(values: Tensor) -> Tensor:
            return torch.where(mirrored.reshape(-1, *[1] * (values.ndim - 1)), values.flip(-1), values)

        found = {name: turned(_pixels(value)) for name, value in sent(self.pictures).items()}
        found |= {name: turned(value[..., None, :, :].float()) for name, value in sent(self.masks).items()}
        found |= sent(self.numbers)
        known = {field.name for field in fields(Batch)}
        extra = {name: value for name, value in found.items() if name not in known}
        return Batch(**{name: value for name, value in found.items() if name in known}, extra=extra)


def pixels(rgb: NDArray[np.uint8]) -> Float[Tensor, "... 3 h w"]:
    """uint8 (... h w 3) as float32 (... 3 h w) in [-1, 1]."""
    return _pixels(torch.from_numpy(rgb))


def _pixels(rgb: UInt8[Tensor, "... h w 3"]) -> Float[Tensor, "... 3 h w"]:
    return rgb.movedim(-1, -3).float().contiguous() / 127.5 - 1


def image(values: Float[Tensor, "... 3 h w"]) -> NDArray[np.uint8]:
    """The inverse of `pixels`, clipped."""
    array = ((values.float() + 1) * 127.5).round().clamp(0, 255).byte().cpu().numpy()
    return np.moveaxis(array, -3, -1)


def masks(flags: NDArray[np.bool_]) -> Float[Tensor, "... 1 h w"]:
    """bool (... h w) as float32 (... 1 h w)."""
    return torch.from_numpy(flags.astype(np.float32))[..., None, :, :]
