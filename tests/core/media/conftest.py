"""A face made of numbers: landmarks in head coordinates that can be put anywhere and turned."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from components.core.media import face, head

Face = Callable[..., NDArray[np.float64]]


def turn(yaw_deg: float, roll_deg: float) -> NDArray[np.float64]:
    """Rotation about the vertical, then in the image plane."""
    a, b = np.radians([yaw_deg, roll_deg])
    about_y = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    in_plane = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return np.asarray(in_plane @ about_y)


@pytest.fixture(scope="session")
def face_at() -> Face:
    """`face_at(scale_px, centre_px, yaw_deg, roll_deg, opening)` gives landmarks (478, 3) in pixels."""
    rng = np.random.default_rng(0)
    points = rng.normal(0, 0.3, (face.LANDMARKS, 3))
    half_widths = (0.45, 0.2, 0.62, 0.6, 0.55, 0.58)
    half_widths = np.array(half_widths) / np.mean(half_widths) / 2
    heights = (0.0, 0.0, 0.05, -0.2, -0.35, 0.1)
    for (left, right), width, y in zip(head.PAIRS, half_widths, heights, strict=True):
        points[left], points[right] = (-width, y, 0), (width, y, 0)
    points[10], points[151], points[2], points[94] = (0, -0.5, 0), (0, -0.35, 0), (0, 0.45, 0), (0, 0.4, 0)

    def place(
        scale_px: float = 100.0,
        centre_px: tuple[float, float] = (200.0, 150.0),
        yaw_deg: float = 0.0,
        roll_deg: float = 0.0,
        opening: float = 0.1,
    ) -> NDArray[np.float64]:
        mouth = points.copy()
        mouth[13], mouth[14] = (0, 0.65, -0.1), (0, 0.65 + opening, -0.1)
        mouth[78], mouth[308] = (-0.2, 0.67, -0.1), (0.2, 0.67, -0.1)
        mouth[152] = (0, 1.0 + opening, 0.1)
        return np.asarray(scale_px * mouth @ turn(yaw_deg, roll_deg).T + [*centre_px, 0])

    return place
