"""One face through a video: its landmarks, its smoothed place, and where it is missing."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.core.media import face, geometry
from components.core.media.head import Floats


@dataclass(frozen=True)
class Track:
    """One face, one entry per frame."""

    transforms: Floats
    """(f, 2, 3) frame to crop pixels, smoothed; NaN where not valid."""
    landmarks: Floats
    """(f, 478, 3) in frame pixels, as found; NaN where not valid."""
    valid: NDArray[np.bool_]
    """(f,) whether the face was found."""


def track(frames: Iterable[NDArray[np.uint8]], mesh: face.FaceMesh, size_px: int) -> Track:
    """Follows the largest face of the first frames, then the one nearest to where it was."""
    mesh.reset()
    missing = np.full((face.LANDMARKS, 3), np.nan)
    found: list[Floats] = []
    last = None
    for frame in frames:
        last = nearest(mesh.detect(frame), last)
        found.append(missing if last is None else last)
    return of_landmarks(np.stack(found) if found else np.zeros((0, face.LANDMARKS, 3)), size_px)


def of_landmarks(landmarks: Floats, size_px: int) -> Track:
    """The track of landmarks (f, 478, 3) in frame pixels, NaN where no face was found."""
    valid = np.isfinite(landmarks).all((1, 2))
    transforms = np.full((len(landmarks), 2, 3), np.nan)
    transforms[valid] = geometry.alignment(landmarks[valid], size_px)
    return Track(geometry.smooth(transforms, valid, size_px), landmarks, valid)


def nearest(faces: list[Floats], last: Floats | None) -> Floats | None:
    """The face nearest to the last one, the first (largest) where there is no last, None where there are no faces."""
    if not faces or last is None:
        return faces[0] if faces else None
    return min(faces, key=lambda face: float(np.linalg.norm(face.mean(0)[:2] - last.mean(0)[:2])))
