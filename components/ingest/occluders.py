"""What is known of things before the face: masks of a file's own frames, cut and scaled as its pictures are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.base.errors import UserError
from components.core.media.video import VideoInfo

NAME = "truth/occluders.npz"


@dataclass(frozen=True)
class Masks:
    """Of every frame of a file, packed over the width."""

    packed: NDArray[np.uint8]
    """(f, h, ceil(w / 8))."""
    width_px: int

    def at(self, frames: Sequence[int], size: tuple[int, int]) -> NDArray[np.uint8]:
        """The masks of these frames, packed, in clips of `size` (width, height)."""
        masks = np.unpackbits(self.packed[list(frames)], axis=-1, count=self.width_px)
        if masks.shape[:0:-1] != size:
            masks = np.stack([cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST) for mask in masks])
        return np.packbits(masks, axis=-1)


def load(data: Path, name: str, info: VideoInfo) -> Masks | None:
    """The masks of a file of `data`, None where none were stored.

    Raises:
        UserError: they do not have the frames and the size of the file.
    """
    path, key = data / NAME, Path(name).with_suffix("").as_posix()
    if not path.is_file():
        return None
    with np.load(path) as arrays:
        if key not in arrays:
            return None
        packed = arrays[key]
    expected = (info.frames, info.height_px, -(-info.width_px // 8))
    if packed.shape != expected:
        raise UserError(
            f"{path} does not fit {name}",
            got=f"masks {packed.shape}",
            expected=f"{expected}",
            fix=f"Delete the entry {key} or render the data anew.",
        )
    return Masks(packed, info.width_px)
