"""References: what the same face looks like in this pose with the lips that the speech asks for.

Both roles are shown such pictures beside their other conditions. For every frame to be made they are taken out of a
bank of the person's own frames: one soft average, and the few nearest ones, which are sharp. Near is: alike in pose,
above the mouth, and in the opening and width of the lips, which are measured on the bank and heard by the front end
for the frame to be made. Both move smoothly in time, for a model can't take out the flicker of what it is shown: the
average's weights are smoothed, and a nearest frame is followed by one that looks like it (docs/decisions.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

from components.core.media.geometry import UNITS, Window

Floats = NDArray[np.floating[Any]]

GAP_FRAMES = 10
"""In training a reference is at least this far (0.4 s) from its frame, so that its lips say nothing about it; what goes
into an average may be two frames nearer."""
LIPS_WEIGHT = 3.0
"""Of a standard deviation of the lips against one of pose and looks. 2 and 4 are no better (docs/decisions.md)."""
SOFTNESS = 1.0
"""Squared distance at which a frame's weight in the average falls to 1/e."""
SMOOTH = np.array([1, 4, 6, 4, 1]) / 16
"""How a frame's weight is averaged over successive pictures."""
STEADY = 20.0
"""Squared distance that a step from one nearest frame to the next costs, where the two differ as the bank's frames do
in the median. At 50 the lips come late (docs/decisions.md)."""
TAKEN = 1e4
"""Added to the squared distance of a frame that is a nearer reference already."""
HIDDEN = 1e3
"""Added to the squared distance of a frame before whose mouth something is: it is taken where there is no other."""
LIP_COLUMNS = [0, 1]
"""Opening and width among `face.MEASURES`."""
LOOKS_SHAPE = (16, 8)
"""Columns and rows to which pictures are brought before they are compared."""


@dataclass(frozen=True)
class References:
    """For each of f frames: a soft average (f h w 3) uint8, and near frames of the bank (f k), the nearest first."""

    soft: NDArray[np.uint8]
    nearest: NDArray[np.int64]

    def part(self, start: int, stop: int) -> "References":
        """Those of frames [start, stop)."""
        return References(self.soft[start:stop], self.nearest[start:stop])


@dataclass(frozen=True)
class Bank:
    """Frames of one face to choose from.

    Attributes:
        windows: (n h w 3) RGB.
        place: (n d) pose and looks, each of about unit deviation.
        lips: (n 2) opening and width, standardised.
        hidden: (n,) whether something is before the lower face.
        steps: (n n) squared differences of the pictures, in the median 1.
        scales: deviations of looks and of pose, by which `place` was divided.
    """

    windows: NDArray[np.uint8]
    place: NDArray[np.float32]
    lips: NDArray[np.float32]
    hidden: NDArray[np.bool_]
    steps: NDArray[np.float32]
    scales: tuple[float, float]

    @classmethod
    def of(cls, crops: NDArray[np.uint8], pose: Floats, measures: Floats, hidden: NDArray[np.bool_]) -> "Bank":
        """The bank of crops (n s s 3) with their pose (n 3) and `face.MEASURES` (n k)."""
        looks = _looks(crops)
        scales = (float(looks.std(0).mean()) + 1e-3, float(pose.std(0).mean()) + 1e-3)
        windows = np.ascontiguousarray(Window.of(crops.shape[1]).take(crops))
        small = _small(windows)
        steps = _squared(small, small)
        steps /= np.median(steps) + 1e-3
        return cls(windows, _place(looks, pose, scales), standard(measures), hidden, steps, scales)

    def find(
        self,
        crops: NDArray[np.uint8],
        pose: Floats,
        wanted: Floats,
        count: int,
        gap_frames: int,
        chosen: Sequence[NDArray[np.int64]] = (),
    ) -> References:
        """The references of frames that are to be made.

        Args:
            crops: (f s s 3) of which only the part above the mouth is looked at.
            pose: (f 3).
            wanted: (f 2) standardised opening and width, see `standard`.
            count: how many nearest frames; where the bank has fewer, they repeat.
            gap_frames: frame i is never given frames i - gap + 1 to i + gap - 1 of the bank, where the bank is long
                enough to do without them; 0 where the bank does not know what is to be made.
            chosen: nearest frames (k,) that the first ones of the frames have already, and from which the others go on.
        """
        place = _place(_looks(crops), pose, self.scales)
        distance = _squared(place, self.place) + LIPS_WEIGHT**2 * _squared(wanted, self.lips)
        distance = distance + HIDDEN * self.hidden
        apart = np.abs(np.subtract.outer(np.arange(len(place)), np.arange(len(self.place))))
        distance = distance + np.where(apart < min(gap_frames, len(self.place) // 2), 1e6, 0.0)
        weight = np.exp(-(distance - distance.min(1, keepdims=True)) / SOFTNESS)
        weight = convolve1d(weight / weight.sum(1, keepdims=True), SMOOTH, axis=0, mode="nearest").astype(np.float32)
        soft = weight @ self.windows.reshape(len(self.windows), -1).astype(np.float32)
        nearest = np.zeros((len(distance), max(0, count)), np.int64)
        for number in range(count):
            known = np.array([places[number] for places in chosen], np.int64)
            nearest[:, number] = path(distance, STEADY * self.steps, known)
            distance[np.arange(len(distance)), nearest[:, number]] += TAKEN
        return References(np.rint(soft).astype(np.uint8).reshape(-1, *self.windows.shape[1:]), nearest)


def path(costs: Floats, steps: Floats, known: Sequence[int] | NDArray[np.int64] = ()) -> NDArray[np.int64]:
    """The cheapest way (f,) through places of costs (f n), where each step costs `steps` (n n) too (Viterbi).

    It begins with the places `known`.
    """
    if len(known):
        rest = costs[len(known) :].copy()
        rest[:1] += steps[known[-1]]
        return np.concatenate([known, path(rest, steps)]) if len(rest) else np.array(known)
    total, before = costs[0], np.zeros(costs.shape, np.int64)
    for frame in range(1, len(costs)):
        arriving = total[:, None] + steps
        before[frame] = arriving.argmin(0)
        total = arriving.min(0) + costs[frame]
    way = np.full(len(costs), total.argmin())
    for frame in range(len(costs) - 1, 0, -1):
        way[frame - 1] = before[frame, way[frame]]
    return way


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
    return _small(crops[:, : 5 * (crops.shape[1] // UNITS)])


def _small(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    small = [cv2.resize(image.astype(np.float32), LOOKS_SHAPE, interpolation=cv2.INTER_AREA) for image in images]
    return np.asarray(np.stack(small).mean(-1).reshape(len(images), -1), np.float32)


def _place(looks: Floats, pose: Floats, scales: tuple[float, float]) -> NDArray[np.float32]:
    parts = [looks / scales[0] / np.sqrt(looks.shape[1]), pose / scales[1]]
    return np.asarray(np.concatenate(parts, 1), np.float32)


def _squared(a: Floats, b: Floats) -> Floats:
    centre = b.mean(0)  # (a - b)^2 as a^2 + b^2 - 2ab is faster, and exact enough for values about 0
    a, b = a - centre, b - centre
    return np.asarray(np.maximum(np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * (a @ b.T), 0))
