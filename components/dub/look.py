"""How the source's pictures are stored, and the result's alike: only what was edited differs from the source's own."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from components.core.media import video
from components.dub.timeline import Picture

Image = NDArray[np.uint8]
Region = tuple[slice, slice]

ENCODER = "libx264"
GRID_PX = 16
"""Edits are converted in blocks of this many pixels, so that no chroma sample is shared with what was not edited."""

# Numbers of the standard (ISO/IEC 23001-8), which the swscale constants share but for these.
_BT709, _UNKNOWN, _SMPTE170M, _BT2020_CL = 1, 2, 6, 10
_SWSCALE = {_UNKNOWN: 5, 0: 5, _SMPTE170M: 5, _BT2020_CL: 9}
_LIMITED, _FULL = 1, 2


@dataclass(frozen=True)
class Look:
    """How a video's pictures are stored."""

    fps: Fraction
    rotation_deg: int
    """Clockwise turn that the player applies."""
    time_base: Fraction
    pixel_format: str
    """The encoder's."""
    said: str
    """The pixel format, and where it is not the source's own, what that is."""
    aspect: Fraction | None
    """Width over height of a stored pixel, None where nothing is said."""
    matrix: int
    colour_range: int
    primaries: int
    transfer: int

    @classmethod
    def of(cls, path: Path, info: video.VideoInfo) -> "Look":
        """The look of a video."""
        with video.opened(path) as container:
            stream = video.moving(container)[0]
            first = next(container.decode(stream))
            own, ours = first.format.name.replace("yuvj", "yuv"), _storable(first)
            return cls(
                fps=info.fps,
                rotation_deg=info.rotation_deg,
                time_base=stream.time_base,
                pixel_format=ours,
                said=ours if own == ours else f"{ours}, from {own}",
                aspect=stream.sample_aspect_ratio or None,
                matrix=int(first.colorspace) if _has_matrix(first.format) else _BT709,
                colour_range=_FULL if "yuvj" in first.format.name else int(first.color_range),
                primaries=int(first.color_primaries),
                transfer=int(first.color_trc),
            )

    @property
    def pixel_width(self) -> float:
        """Width over height of a pixel as displayed, after rotation."""
        aspect = float(self.aspect or 1)
        return 1 / aspect if self.rotation_deg % 180 else aspect

    def stored(self, picture: Picture) -> Any:
        """The picture as the encoder takes it: the source's own samples, bit for bit, but for what the edit changed."""
        if picture.stored is None:
            return self._labelled(self._of_rgb(np.rot90(picture.rgb, self.rotation_deg // 90)))
        base = self._own(picture.stored)
        if picture.before is not None:
            self._add(base, picture.before, picture.rgb, picture.edited)
        return self._labelled(base)

    def _own(self, source: Any) -> Any:
        """A copy of the source's picture."""
        if source.format.name.replace("yuvj", "yuv") != self.pixel_format:
            return self._converted(source)
        copy = av.VideoFrame(source.width, source.height, self.pixel_format)
        for ours, theirs in zip(_planes(copy), _planes(source), strict=True):
            ours[:] = theirs
        return copy

    def _add(self, base: Any, before: Image, after: Image, edited: Region | None) -> None:
        """Adds to the stored samples what the edit changed, so that no other sample is touched by rounding."""
        turns = self.rotation_deg // 90
        inside = _turned_region(edited or (slice(0, len(before)), slice(0, before.shape[1])), before.shape, turns)
        before, after = np.rot90(before, turns), np.rot90(after, turns)
        region = _changed(before, after, inside)
        if region is None:
            return
        rows, columns = region
        one, other = (self._of_rgb(image[rows, columns]) for image in (before, after))
        top = 2 ** base.format.components[0].bits - 1
        for samples, was, becomes in zip(_planes(base), _planes(one), _planes(other), strict=True):
            down, across = round(before.shape[0] / len(samples)), round(before.shape[1] / samples.shape[1])
            part = samples[rows.start // down :, columns.start // across :][: len(was), : was.shape[1]]
            part[:] = np.clip(part.astype(np.int32) + becomes - was, 0, top).astype(part.dtype)

    def _of_rgb(self, rgb: Image) -> Any:
        return self._converted(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24"))

    def _converted(self, picture: Any) -> Any:
        return picture.reformat(
            format=self.pixel_format,
            dst_colorspace=_SWSCALE.get(self.matrix, self.matrix),
            dst_color_range=self.colour_range or _LIMITED,
            interpolation="BICUBIC",
            threads=1,
        )

    def _labelled(self, picture: Any) -> Any:
        picture.colorspace, picture.color_range = self.matrix, self.colour_range
        picture.color_primaries, picture.color_trc = self.primaries, self.transfer
        return picture


def _turned_region(region: Region, shape: tuple[int, ...], turns: int) -> Region:
    """The region of a picture of this shape as it lies after np.rot90(picture, turns)."""
    rows, columns = region
    height, width = shape[:2]
    for _ in range(turns % 4):
        rows, columns = slice(width - columns.stop, width - columns.start), rows
        height, width = width, height
    return rows, columns


def _changed(before: Image, after: Image, inside: Region) -> Region | None:
    """The rows and columns, in whole blocks of the grid, in which the two differ; None where nowhere."""
    differs = before[inside] != after[inside]
    rows, columns = np.flatnonzero(differs.any((1, 2))), np.flatnonzero(differs.any(0).any(1))
    if not len(rows):
        return None
    (top, bottom), (left, right) = (
        ((low + start) // GRID_PX * GRID_PX, min(-(-(high + start + 1) // GRID_PX) * GRID_PX, size))
        for low, high, start, size in (
            (int(rows[0]), int(rows[-1]), inside[0].start, before.shape[0]),
            (int(columns[0]), int(columns[-1]), inside[1].start, before.shape[1]),
        )
    )
    return slice(top, bottom), slice(left, right)


def _planes(picture: Any) -> list[NDArray[Any]]:
    """Views (h, w) of the picture's samples, plane by plane."""
    dtype = np.dtype(np.uint16 if picture.format.components[0].bits > 8 else np.uint8)
    rows = (np.frombuffer(p, dtype).reshape(-1, p.line_size // dtype.itemsize) for p in picture.planes)
    return [samples[: p.height, : p.width] for samples, p in zip(rows, picture.planes, strict=True)]


def _storable(first: Any) -> str:
    """The encoder's nearest format: no less chroma than the source's, and as deep, up to 10 bits.

    4:4:4 also where a side is odd and so can not be halved.
    """
    own = first.format
    grey = len(own.components) < 3 and not own.has_palette
    across, down = grey or own.chroma_width(2) == 1, grey or own.chroma_height(2) == 1
    odd = first.width % 2 or first.height % 2
    chroma = "444" if odd or not across else "420" if down else "422"
    return f"yuv{chroma}p" + ("10le" if own.components[0].bits > 8 else "")


def _has_matrix(own: Any) -> bool:
    """Whether a pixel format has luma and chroma: what RGB, palettes and grey say of a matrix is not that of YUV."""
    return len(own.components) > 2 and not own.is_rgb
