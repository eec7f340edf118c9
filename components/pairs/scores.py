"""What a companion is worth: did the lips move, and nothing else? (paper, appendix B.6)"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from components.core.media import quality
from components.core.media.crops import Crop
from components.core.media.face import MEASURES, FaceMesh, measures
from components.core.media.geometry import Window
from components.core.models.frontend import FrontEnd, encode_clip
from components.core.models.identity import IdentityExpert
from components.core.models.sync import SyncExpert, sync_scores

Frames = NDArray[np.uint8]
MESH_PX = 256
"""Crops are enlarged to this before the face mesh looks, and `lip_change_px` is in its pixels."""
LIPS = (61, 291, 0, 17, 13, 14, 78, 308)
CAP_DB = 60.0


@dataclass(frozen=True)
class Judge:
    """The guide experts (never the judges, which belong to evaluation)."""

    sync: SyncExpert
    identity: IdentityExpert
    frontend: FrontEnd


@dataclass(frozen=True)
class Companion:
    """A made clip: the real crop, the companion's frames (f h w 3) and the driving speech (4f, 80)."""

    crop: Crop
    frames: Frames
    mel: NDArray[np.float32]


@dataclass(frozen=True)
class Scores:
    """One row of scores; NaN where the face mesh found no face in the companion.

    Attributes:
        identity_cosine: between the mean embeddings of both sides, -1 to 1.
        lip_change_px: mean distance of lip landmarks between both sides after similarity alignment, in pixels of a
            256 px crop.
        outside_psnr_db: outside the window, at most 60 dB (equal).
        flicker_ratio: second temporal difference in the mouth over the real clip's.
        sharpness_ratio: of `quality.sharpness` over the real clip's.
        sync_confidence: of the guide, companion against the driving speech.
        opening_r: correlation of the companion's lip opening with the one that the front end hears in the speech.
        sharpness, mouth_motion, brightness: of the companion alone, for the drift report; as in crops.parquet.
    """

    identity_cosine: float
    lip_change_px: float
    outside_psnr_db: float
    flicker_ratio: float
    sharpness_ratio: float
    sync_confidence: float
    opening_r: float
    sharpness: float
    mouth_motion: float
    brightness: float


@dataclass(frozen=True)
class Scored:
    """A companion's scores, and for people to look at the opening of its lips (f,), NaN in frames without a face."""

    scores: Scores
    opening: NDArray[np.float64]


@lru_cache(maxsize=1)
def _judge(make: Callable[[], Judge]) -> Judge:
    return make()


def score(make: Callable[[], Judge], companion: Companion) -> Scored:
    """All that is measured of one companion."""
    judge, crop, made = _judge(make), companion.crop, companion.frames
    window = Window.of(made.shape[1])
    real_landmarks, made_landmarks = landmarks(crop.frames), landmarks(made)
    found = np.isfinite(made_landmarks).all((1, 2)) & np.isfinite(real_landmarks).all((1, 2))
    opening = np.full(len(made), np.nan)
    if found.any():
        opening[found] = measures(made_landmarks[found])[:, MEASURES.index("opening")]
    heard = encode_clip(judge.frontend, torch.from_numpy(companion.mel))[:, -len(MEASURES)].numpy()
    inside = np.zeros(made.shape[1:3], bool)
    inside[window.top : window.bottom, window.left : window.right] = True
    mouth_made, mouth_real = window.take(made), window.take(crop.frames)
    a, b = (judge.identity.embed(frames).mean(0) for frames in (made, crop.frames))
    scores = Scores(
        identity_cosine=float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))),
        lip_change_px=lip_change(real_landmarks[found], made_landmarks[found]),
        outside_psnr_db=psnr(made[:, ~inside], crop.frames[:, ~inside]),
        flicker_ratio=flicker(mouth_made) / max(flicker(mouth_real), 1e-6),
        sharpness_ratio=quality.sharpness(made) / max(quality.sharpness(crop.frames), 1e-6),
        sync_confidence=sync_scores(judge.sync, made, companion.mel).confidence,
        opening_r=correlation(opening[found], heard[found]),
        sharpness=quality.sharpness(made),
        mouth_motion=float(np.nanstd(opening)) if found.any() else float("nan"),
        brightness=float(made.mean()),
    )
    return Scored(scores, opening)


def landmarks(frames: Frames) -> NDArray[np.float64]:
    """(f 478 3) in pixels of a 256 px crop, NaN where no face was found."""
    result = np.full((len(frames), 478, 3), np.nan)
    with FaceMesh() as mesh:
        for index, frame in enumerate(frames):
            faces = mesh.detect(cv2.resize(frame, (MESH_PX, MESH_PX), interpolation=cv2.INTER_CUBIC))
            if faces:
                result[index] = faces[0]
    return result


def lip_change(real: NDArray[np.float64], made: NDArray[np.float64]) -> float:
    """Mean lip distance after the best similarity of the rest of the face (Umeyama), which takes jitter out."""
    if not len(real):
        return float("nan")
    rest = [i for i in range(0, 468, 4) if i not in LIPS]
    distances = []
    for a, b in zip(real[..., :2], made[..., :2], strict=True):
        transform, _ = cv2.estimateAffinePartial2D(b[rest].astype(np.float32), a[rest].astype(np.float32))
        if transform is not None:
            moved = b[list(LIPS)] @ transform[:, :2].T + transform[:, 2]
            distances.append(np.linalg.norm(moved - a[list(LIPS)], axis=1).mean())
    return float(np.mean(distances)) if distances else float("nan")


def psnr(made: Frames, real: Frames) -> float:
    """In dB, at most `CAP_DB`."""
    error = float(np.square(made.astype(np.float32) - real).mean())
    return CAP_DB if error == 0 else float(min(CAP_DB, 10 * np.log10(255**2 / error)))


def flicker(frames: Frames) -> float:
    """Mean absolute second difference in time, in grey levels."""
    return float(np.abs(np.diff(frames.astype(np.float32), 2, axis=0)).mean()) if len(frames) > 2 else 0.0


def correlation(a: NDArray[np.float64], b: NDArray[np.float32]) -> float:
    """Pearson's r; NaN where either side does not vary."""
    if len(a) < 3 or np.std(a) < 1e-9 or np.std(b) < 1e-9:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])
