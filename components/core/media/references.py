"""References: what the same face looks like in this pose with the lips that the speech asks for.

Both roles are shown such pictures beside their other conditions. For every frame to be made they are taken out of a
bank of the person's own frames: one soft average, which moves smoothly in time, and the few nearest ones, which are
sharp. Near is: alike in pose, above the mouth, and in the opening and width of the lips, which are measured on the
bank and heard by the front end for the frame to be made.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.media.geometry import UNITS, Window

Floats = NDArray[np.floating[Any]]

GAP_FRAMES = 8
"""In training a reference is at least this far (0.32 s) from its frame, so that its lips say nothing about it."""
LIPS_WEIGHT = 3.0
"""Of a standard deviation of the lips against one of pose and looks. 2 and 4 are no better (docs/decisions.md)."""
SOFTNESS = 3.0
"""Squared distance at which a frame's weight in the average falls to 1/e. 1 flickers half as much again."""
HIDDEN = 1e3
"""Added to the squared distance of a frame before whose mouth something is: it is taken where there is no other."""
LIP_COLUMNS = [0, 1]
"""Opening and width among `face.MEASURES`."""
LOOKS_SHAPE = (16, 8)
"""Columns and rows to which the picture above the mouth is brought."""


@dataclass(frozen=True)
class References:
    """For each of f frames: a soft average (f h w 3) uint8, and the nearest frames of the bank (f k), nearest first."""

    soft: NDArray[np.uint8]
    nearest: NDArray[np.int64]


@dataclass(frozen=True)
class Bank:
    """Frames of one face to choose from.

    Attributes:
        windows: (n h w 3) RGB.
        place: (n d) pose and looks, each of about unit deviation.
        lips: (n 2) opening and width, standardised.
        hidden: (n,) whether something is before the lower face.
        scales: deviations of looks and of pose, by which `place` was divided.
    """

    windows: NDArray[np.uint8]
    place: NDArray[np.float32]
    lips: NDArray[np.float32]
    hidden: NDArray[np.bool_]
    scales: tuple[float, float]

    @classmethod
    def of(cls, crops: NDArray[np.uint8], pose: Floats, measures: Floats, hidden: NDArray[np.bool_]) -> "Bank":
        """The bank of crops (n s s 3) with their pose (n 3) and `face.MEASURES` (n k)."""
        looks = _looks(crops)
        scales = (float(looks.std(0).mean()) + 1e-3, float(pose.std(0).mean()) + 1e-3)
        windows = np.ascontiguousarray(Window.of(crops.shape[1]).take(crops))
        return cls(windows, _place(looks, pose, scales), standard(measures), hidden, scales)

    def find(self, crops: NDArray[np.uint8], pose: Floats, wanted: Floats, count: int, gap_frames: int) -> References:
        """The references of frames that are to be made.

        Args:
            crops: (f s s 3) of which only the part above the mouth is looked at.
            pose: (f 3).
            wanted: (f 2) standardised opening and width, see `standard`.
            count: how many nearest frames; where the bank has fewer, the last one repeats.
            gap_frames: frame i is never given frames i - gap + 1 to i + gap - 1 of the bank, where the bank is long
                enough to do without them; 0 where the bank does not know what is to be made.
        """
        place = _place(_looks(crops), pose, self.scales)
        distance = _squared(place, self.place) + LIPS_WEIGHT**2 * _squared(wanted, self.lips)
        distance = distance + HIDDEN * self.hidden
        apart = np.abs(np.subtract.outer(np.arange(len(place)), np.arange(len(self.place))))
        distance = distance + np.where(apart < min(gap_frames, len(self.place) // 2), 1e6, 0.0)
        weight = np.exp(-(distance - distance.min(1, keepdims=True)) / SOFTNESS)
        weight = (weight / weight.sum(1, keepdims=True)).astype(np.float32)
        soft = weight @ self.windows.reshape(len(self.windows), -1).astype(np.float32)
        count = max(0, count)
        nearest = np.argsort(distance, axis=1, kind="stable")[:, :count]
        nearest = np.pad(nearest, ((0, 0), (0, count - nearest.shape[1])), mode="edge")
        return References(np.rint(soft).astype(np.uint8).reshape(-1, *self.windows.shape[1:]), nearest)


def standard(measures: Floats) -> NDArray[np.float32]:
    """Opening and width (f 2), each about its median over its deviation; of measured lips and of heard ones alike.

    So a person who opens the mouth little is asked for little.
    """
    lips = np.asarray(measures)[:, LIP_COLUMNS]
    return np.asarray((lips - np.median(lips, 0)) / (lips.std(0) + 1e-6), np.float32)


def videos(windows: NDArray[np.uint8], found: References) -> NDArray[np.uint8]:
    """The references out of the bank's windows, in time with the frames (1 + k f h w 3): the average comes first."""
    return np.concatenate([found.soft[None], windows[found.nearest.T]])


def _looks(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    upper = crops[:, : 5 * (crops.shape[1] // UNITS)].astype(np.float32).mean(-1)
    small = [cv2.resize(image, LOOKS_SHAPE, interpolation=cv2.INTER_AREA).ravel() for image in upper]
    return np.asarray(np.stack(small), np.float32)


def _place(looks: Floats, pose: Floats, scales: tuple[float, float]) -> NDArray[np.float32]:
    parts = [looks / scales[0] / np.sqrt(looks.shape[1]), pose / scales[1]]
    return np.asarray(np.concatenate(parts, 1), np.float32)


def _squared(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.square(a[:, None] - b[None]).sum(-1))
