"""The rigid head behind the face mesh: size, place and turn, from points that speech does not move.

Axes of the head: x to the image's right, y down the face, z away from the camera. The unit of its coordinates is
`scale_px`, its origin between the eyes. In it a face of any size, place and turn has nearly the same shape (eyes at
y = 0, mouth at 0.68, chin at 1.03 closed and 1.2 open, sides at x = +-0.64: means of ten real speakers).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

# Left and right in the image: eye corners, temples, cheekbones.
PAIRS = np.array([(33, 263), (133, 362), (127, 356), (162, 389), (54, 284), (227, 447)])
EYE_CORNERS = [33, 133, 362, 263]
FOREHEAD, NOSE_BASE = [10, 151], [2, 94]
EYES = 0.57
"""Distance of the eyes' centres in units of the head's scale."""
NEUTRAL_PITCH_DEG = -8.0
"""Lean of the line from forehead to nose base in a face that looks straight ahead."""


@dataclass(frozen=True)
class Heads:
    """One rigid head per frame."""

    scale_px: Floats
    """(f,) mean distance of the left and right points, in 3D, so a turn does not shrink it."""
    eyes_px: Floats
    """(f, 3) the origin, between the eyes."""
    axes: Floats
    """(f, 3, 3) rows are the head's x, y and z in image axes."""

    @property
    def roll_rad(self) -> Floats:
        """(f,) turn in the image plane nearest to the head's, positive clockwise as seen."""
        return np.arctan2(self.axes[:, 0, 1] - self.axes[:, 1, 0], self.axes[:, 0, 0] + self.axes[:, 1, 1])

    def to_head(self, points_px: Floats) -> Floats:
        """Points (f, n, 3) in head coordinates."""
        points = np.einsum("fij,fnj->fni", self.axes, points_px - self.eyes_px[:, None])
        return np.asarray(points / self.scale_px[:, None, None])

    def to_image(self, points: Floats) -> Floats:
        """Points (n, 3) in head coordinates as (f, n, 3) pixels."""
        turned = np.einsum("fji,nj->fni", self.axes, points)
        return np.asarray(turned * self.scale_px[:, None, None] + self.eyes_px[:, None])


def fit(landmarks: Floats) -> Heads:
    """The head of each frame's landmarks (f, 478, 3); NaN where they are."""
    points = np.asarray(landmarks, float)
    across = points[:, PAIRS[:, 1]] - points[:, PAIRS[:, 0]]
    x = _unit(across.sum(1))
    down = (points[:, NOSE_BASE] - points[:, FOREHEAD]).sum(1)
    y = _unit(down - (down * x).sum(1, keepdims=True) * x)
    axes = np.stack([x, y, np.cross(x, y)], 1)
    return Heads(np.linalg.norm(across, axis=2).mean(1), points[:, EYE_CORNERS].mean(1), axes)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
