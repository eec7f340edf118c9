"""Where the crop lies in the frame, and the way there and back.

A transform is a similarity (2, 3) from frame pixels to crop pixels. The crop is a square of 12 units; the lower
face, its window, is the only part that is ever synthesised.
"""

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.media import head
from components.core.media.head import Floats

Image = NDArray[np.uint8]

UNITS = 12
EYES_Y_UNITS = 4.0
# Puts the mouth of ten measured speakers at 7.5 to 8.3 units and their lowest chin at 11.
HEAD_SCALE_UNITS = 5.75
SMOOTH_SIGMA_FRAMES = 1.5
SMOOTH_RADIUS_FRAMES = 5
"""`smooth` looks this many frames either way and no further, so that a stream needs so much look-ahead."""
JUMP = 0.35
"""A move of the face by more than this share of the crop in one frame is a cut, not a motion."""
CHANGE_SCALE = 8.0
"""Grey levels of change at which half to two thirds of the source's own fine detail has given way to the edit."""


@dataclass(frozen=True)
class Window:
    """The lower face inside a crop of `size_px`: rows top..bottom and columns left..right, ends excluded."""

    size_px: int
    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def of(cls, size_px: int) -> "Window":
        """Rows 5u..11u and columns 2u..10u of a crop of 12u."""
        if size_px <= 0 or size_px % UNITS:
            raise ValueError(f"a crop's size must be a positive multiple of {UNITS}, got {size_px}")
        unit = size_px // UNITS
        return cls(size_px, 5 * unit, 11 * unit, 2 * unit, 10 * unit)

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    def take(self, frames: Any) -> Any:
        """A view of the window of (f, h, w, ...) frames or masks."""
        if frames.shape[1:3] != (self.size_px, self.size_px):
            raise ValueError(f"frames are {tuple(frames.shape[1:3])}, the window is of a crop of {self.size_px} px")
        return frames[:, self.top : self.bottom, self.left : self.right]


def alignment(landmarks: Floats, size_px: int) -> Floats:
    """Similarity (f, 2, 3) per frame from frame to crop pixels: eyes level at 4u, head centred, one size at any yaw.

    Built from points that speech does not move, so the crop says nothing about the lips.
    """
    heads = head.fit(landmarks)
    zoom = HEAD_SCALE_UNITS * size_px / UNITS / heads.scale_px
    cosine, sine = zoom * np.cos(heads.roll_rad), zoom * np.sin(heads.roll_rad)
    linear = np.stack([np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)], -2)
    # -0.5: the middle of 12 units is between two pixels.
    goal = np.array([size_px / 2, EYES_Y_UNITS * size_px / UNITS]) - 0.5
    shift = goal - np.einsum("fij,fj->fi", linear, heads.eyes_px[:, :2])
    return np.concatenate([linear, shift[..., None]], -1)


def apply(transforms: Floats, landmarks: Floats) -> Floats:
    """Landmarks (f, n, 3) in frame pixels moved to crop pixels; z is scaled along."""
    zoom = np.sqrt(np.linalg.det(transforms[:, :, :2]))
    xy = np.einsum("fij,fnj->fni", transforms[:, :, :2], landmarks[..., :2]) + transforms[:, None, :, 2]
    return np.concatenate([xy, landmarks[..., 2:] * zoom[:, None, None]], -1)


def runs(
    transforms: Floats, valid: NDArray[np.bool_], size_px: int, cuts: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Number (f,) of the unbroken run that each frame is in, -1 where it is not valid.

    A run also ends where the face jumps as it does at a cut, and before each frame that `cuts` says begins a shot.
    """
    known = np.where(valid[:, None, None], transforms, np.eye(2, 3))
    centres = np.array([cv2.invertAffineTransform(t) @ [size_px / 2, size_px / 2, 1] for t in known])
    crop_px = size_px / np.sqrt(np.linalg.det(known[:, :, :2]))
    jumps = np.linalg.norm(np.diff(centres.reshape(-1, 2), axis=0), axis=1) > JUMP * crop_px[1:]
    starts = valid.copy()
    starts[1:] &= ~valid[:-1] | jumps | (False if cuts is None else cuts[1:])
    return np.where(valid, np.cumsum(starts) - 1, -1)


def smooth(transforms: Floats, valid: NDArray[np.bool_], size_px: int, cuts: NDArray[np.bool_] | None = None) -> Floats:
    """Transforms without jitter and without lag; frames that are not valid keep what they have.

    Each frame's is the value of a straight line fitted to its neighbours with Gaussian weights: symmetric, so no
    lag, and unbiased at both ends of a run under constant motion. Similarities are a linear space, so the result
    is one. Nothing passes from run to run.
    """
    run, frame = runs(transforms, valid, size_px, cuts), np.arange(len(valid))
    s0, s1, s2 = np.zeros((3, len(valid), 1, 1))
    t0, t1 = np.zeros((2, *transforms.shape))
    known = np.where(valid[:, None, None], transforms, 0)
    for offset in range(-SMOOTH_RADIUS_FRAMES, SMOOTH_RADIUS_FRAMES + 1):
        near = np.clip(frame + offset, 0, len(valid) - 1)
        together = (near == frame + offset) & (run[near] == run)
        weight = np.exp(-0.5 * (offset / SMOOTH_SIGMA_FRAMES) ** 2) * together[:, None, None]
        s0, s1, s2 = s0 + weight, s1 + weight * offset, s2 + weight * offset**2
        t0, t1 = t0 + weight * known[near], t1 + weight * offset * known[near]
    spread = s0 * s2 - s1**2
    line = (s2 * t0 - s1 * t1) / np.where(spread > 0, spread, 1)
    return np.where(valid[:, None, None], np.where(spread > 0, line, t0 / s0), transforms)


def warp(frame: Image, transform: Floats, size_px: int) -> Image:
    """The crop (size_px, size_px, 3) of a frame, without aliasing at any zoom; beyond the frame its edge repeats."""
    return np.asarray(_sample(frame, cv2.invertAffineTransform(transform), (size_px, size_px)))


def soft_mask(size_px: int) -> NDArray[np.float32]:
    """Weight (window h, window w) of the edit in [0, 1]: 0 on the window's border, 1 from one unit inside it.

    At the bottom from half a unit, because the chin of an open mouth needs the room.
    """
    window, unit = Window.of(size_px), size_px / UNITS
    rows = _ramp(window.height, unit, unit / 2)
    return np.outer(rows, _ramp(window.width, unit, unit)).astype(np.float32)


def paste(frame: Image, window_rgb: Image, transform: Floats, mask: NDArray[np.float32]) -> Image:
    """A copy of the frame with the edited window in it; pixels where the mask is 0 are those of the frame, bit for bit.

    What is added is the change that the edit made, at the frame's own resolution: a window that was not edited
    changes nothing, and skin keeps the source's detail. Where the change is large the source's detail (the old
    teeth) would be wrong, so there it gives way to the edit alone.

    Args:
        frame: (h, w, 3).
        window_rgb: (window h, window w, 3), the edit of `Window.take` of the frame's own crop.
        transform: frame to crop, as it was given to `warp`.
        mask: `soft_mask` of the same size.
    """
    rows, columns, pixels = patch(frame, window_rgb, transform, mask)
    result = frame.copy()
    result[rows, columns] = pixels
    return result


def patch(
    frame: Image, window_rgb: Image, transform: Floats, mask: NDArray[np.float32], source: Image | None = None
) -> tuple[slice, slice, Image]:
    """Rows and columns of the frame that the window touches, and what `paste` has there.

    `source` is the window of the frame's own crop, where the caller has it; else it is taken anew.
    """
    window = Window.of(window_rgb.shape[1] * UNITS // 8)
    to_window = transform - np.array([[0, 0, window.left], [0, 0, window.top]])
    rows, columns = _region(to_window, window, frame.shape[:2])
    to_window[:, 2] += to_window[:, :2] @ [columns.start, rows.start]
    shape, original = (rows.stop - rows.start, columns.stop - columns.start), frame[rows, columns]
    if min(shape) <= 0:
        return rows, columns, original
    if source is None:
        source = window.take(warp(frame, transform, window.size_px)[None])[0]
    # What is added and by how much the original fades, in one picture of four channels: it is brought to the frame's
    # resolution once.
    layers = _enlarged(_layers(source, window_rgb, mask), to_window, shape)
    inside = cv2.warpAffine(
        (mask > 0).astype(np.uint8), to_window, shape[::-1], flags=cv2.WARP_INVERSE_MAP | cv2.INTER_NEAREST
    )
    *added, fades = cv2.split(layers)
    kept = [cv2.multiply(plane, 1 - fades, dtype=cv2.CV_32F) for plane in cv2.split(original)]
    pixels = cv2.merge([cv2.add(*planes, dtype=cv2.CV_8U) for planes in zip(kept, added, strict=True)])  # rounds, clips
    return rows, columns, cv2.copyTo(pixels, inside, original.copy())


def _layers(source: Image, window_rgb: Image, mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, 4): result = added + (1 - fades) * original, where fades is 1 the larger the change is."""
    before = source.astype(np.float32)
    change = window_rgb.astype(np.float32) - before
    amount = cv2.GaussianBlur(np.abs(change).mean(-1), (0, 0), window_rgb.shape[1] * UNITS / 8 / 64)
    fades = mask * (1 - np.exp(-((amount / CHANGE_SCALE) ** 2)))
    return np.dstack([mask[..., None] * change + fades[..., None] * before, fades]).astype(np.float32)


def _ramp(length: int, rise: float, fall: float) -> Floats:
    """0 at both ends, 1 inside, smooth in between."""
    position = np.arange(length)
    edge = np.clip(np.minimum(position / rise, (length - 1 - position) / fall), 0, 1)
    return np.asarray(edge**2 * (3 - 2 * edge))


def _region(to_window: Floats, window: Window, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the frame that the window touches."""
    corners = np.array([[x, y, 1] for x in (-1, window.width) for y in (-1, window.height)])
    points = corners @ cv2.invertAffineTransform(to_window).T
    low = np.clip(np.floor(points.min(0)).astype(int), 0, shape[1::-1])
    high = np.clip(np.ceil(points.max(0)).astype(int) + 1, 0, shape[1::-1])
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _sample(image: Any, matrix: Floats, shape: tuple[int, int], border: int = cv2.BORDER_REPLICATE) -> Any:
    """The image at the source points matrix @ (x, y, 1) of a grid of `shape`.

    Where one step of the grid spans several pixels of the image, each value is the mean of so many samples a side.
    """
    many = max(1, ceil(sqrt(abs(np.linalg.det(matrix[:, :2]))) - 0.01))
    fine = np.array(matrix, float)
    fine[:, :2] /= many
    fine[:, 2] -= fine[:, :2] @ np.full(2, (many - 1) / 2)
    flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_LINEAR if many > 1 else cv2.INTER_CUBIC)
    height, width = shape
    samples = cv2.warpAffine(image, fine, (width * many, height * many), flags=flags, borderMode=border)
    return samples if many == 1 else cv2.resize(samples, (width, height), interpolation=cv2.INTER_AREA)


def _enlarged(image: NDArray[np.float32], matrix: Floats, shape: tuple[int, int]) -> Any:
    """`_sample` of an image that is 0 along its border: as smooth, in a third of the time where it becomes larger.

    It is enlarged by a whole number, by a filter that takes rows and columns in turn, and only then moved and turned.
    """
    many = ceil(1 / sqrt(abs(np.linalg.det(matrix[:, :2]))) - 0.01)
    if many <= 1:
        return _sample(image, matrix, shape, border=cv2.BORDER_CONSTANT)
    fine = matrix * many
    fine[:, 2] += (many - 1) / 2
    large = cv2.resize(image, None, fx=many, fy=many, interpolation=cv2.INTER_CUBIC)
    return cv2.warpAffine(large, fine, shape[::-1], flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR)
