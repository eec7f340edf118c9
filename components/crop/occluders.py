"""What is before the face, in crop pixels: exactly where the clip says so, else the hands that MediaPipe finds."""

import io
from collections.abc import Iterator
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.media import geometry, hands, shards, video
from components.core.media.head import Floats
from components.crop.params import Params

Mask = NDArray[np.bool_]
GROW = np.ones((3, 3), np.uint8)
"""A mask is grown by one pixel: the crop's own pixels on an edge show both sides of it."""


def find(sample: shards.Sample, transforms: Floats, params: Params) -> Mask:
    """(f, size, size) of the clip in a sample of ingest's, by transforms (f, 2, 3); empty in frames without one."""
    warped = np.zeros((len(transforms), params.size_px, params.size_px), bool)
    known = np.isfinite(transforms).all((1, 2))
    for index, mask in enumerate(_masks(sample, len(transforms), params)):
        if known[index] and mask.any():
            warped[index] = warp(mask, transforms[index], params.size_px)
    return warped


def warp(mask: Mask, transform: Floats, size_px: int) -> Mask:
    """The mask (h, w) of a frame in its crop, grown by one pixel."""
    levels = geometry.warp(np.where(mask, np.uint8(255), np.uint8(0)), transform, size_px)
    return np.asarray(cv2.dilate((levels > 127).astype(np.uint8), GROW)).astype(bool)


def _masks(sample: shards.Sample, count: int, params: Params) -> Iterator[Mask]:
    """Of each frame, in its pixels."""
    if "npz" in sample:
        yield from _exact(sample)
    elif params.hands:
        finder = _finder()
        finder.reset()
        yield from (finder.mask(frame) for frame in video.iterate_bytes(sample["mp4"]))


def _exact(sample: shards.Sample) -> Iterator[Mask]:
    with np.load(io.BytesIO(sample["npz"])) as arrays:
        packed = arrays["occluder"]
    return (np.unpackbits(bits, axis=-1, count=sample["json"]["width_px"]).astype(bool) for bits in packed)


@cache
def _finder() -> hands.Hands:
    """The one of this process."""
    return hands.Hands()
