"""What is measured on a crop, so that bad ones can be told from good ones."""

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.media import FPS, RATE_HZ
from components.core.media.face import MEASURES
from components.core.media.geometry import Window


def sharpness(frames: NDArray[np.uint8]) -> float:
    """Mean absolute Laplacian of the lower face in grey levels: real footage has 8 to 17, a blur below 4."""
    window = Window.of(frames.shape[1]).take(frames)
    greys = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in window)
    return float(np.mean([np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean() for grey in greys]))


def mouth_motion(lips: NDArray[np.float32]) -> float:
    """Standard deviation of the lip opening in units of the eyes' distance: speech has 0.05 to 0.14."""
    opening = lips[:, MEASURES.index("opening")]
    return float(np.nanstd(opening)) if np.isfinite(opening).any() else 0.0


def silence_share(samples: NDArray[np.float32], below_dbfs: float) -> float:
    """Share of frames whose sound is quieter than that."""
    step = RATE_HZ // FPS
    power = np.square(samples[: len(samples) // step * step].reshape(-1, step)).mean(1)
    return float((10 * np.log10(np.maximum(power, 1e-12)) < below_dbfs).mean()) if len(power) else 1.0
