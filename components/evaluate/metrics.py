"""What the benchmark measures on one clip: pure functions of frames, masks, landmarks and samples.

Frames are RGB uint8 (f h w 3) of whole crops, aligned pixel by pixel between rows. A region is a bool mask (f h w);
landmarks (f 478 3) are in pixels, NaN in frames without a face; series are (f,), sound is (n,) in [-1, 1].
Lengths in pixels grow with the crop, so filters are sized in u = size / 12, the crop's own unit. A function that has
nothing to measure (an empty region, no face, no motion) returns NaN, which every mean leaves out.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from components.core.media import FPS, RATE_HZ

Frames = NDArray[np.uint8]
Region = NDArray[np.bool_]
Landmarks = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]
Floats = NDArray[np.floating[Any]]

PSNR_CAP_DB = 60.0
# The 20 outer and 20 inner lip points of MediaPipe's face mesh.
# fmt: off
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
        78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
# fmt: on


METRICS = {
    "mouth_psnr_db": "lower face against truth, dB, up is better (identical: 60)",
    "mouth_ssim": "lower face against truth, -1..1, up is better",
    "lmd_px": "distance of the lip points to truth's, px of a 256 px crop, down is better; the truth row is the floor",
    "lip_opening_r": "correlation of the lip opening with truth's, up is better; the truth row is the ceiling",
    "lip_width_r": "correlation of the mouth's width with truth's, up is better; the truth row is the ceiling",
    "read_opening_r": "the same of the opening that the judge reads off both pictures, with less noise than landmarks",
    "read_width_r": "the same of the width that the judge reads",
    "sync_confidence": "the judge's confidence that lips and speech agree, up is better",
    "sync_distance": "the judge's distance between lips and speech, down is better",
    "identity_cosine": "the judge's cosine to the source's face, -1..1, up is better",
    "identity_truth_cosine": "the judge's cosine to truth's face, frame by frame, 1 is truth's; the other one is full "
    "where a face looks like the source's mean, as truth itself does not",
    "outside_psnr_db": "the whole crop but the lower face against truth, dB; copy's is the measurement's noise",
    "occluder_psnr_db": "hands and things before the lower face against truth, dB; copy's is the measurement's noise",
    "sharpness_ratio": "detail of the lower face over truth's, 1 is right",
    "old_lip_r": "correlation of the lip opening with the source's: truth's is right, 1 is a copy",
    "jitter_ratio": "flicker of the lower face where truth is still, over truth's, 1 is right",
    "silence_motion_ratio": "lip motion in pauses over truth's, 1 is right",
    "seam_db": "gradient along the borders of mask and window over truth's, dB, 0 is right",
    "success_rate": "share of clips that are dubbed: face found, no collapse, no flicker, lips match",
    "seconds_per_second": "seconds of work for a second of video, models only, down is better",
}
"""Every metric of the contract. Where there is no truth, the ratios are to the source."""


def psnr_db(output: Frames, truth: Frames, region: Region) -> float:
    """Peak signal-to-noise ratio of the region in dB, from one mean squared error over the whole clip.

    At most PSNR_CAP_DB, which is also the value of identical clips (an error below 1/4 of a level is no error).
    """
    if not region.any():
        return float("nan")
    error = float(np.mean(np.square(output[region].astype(np.float32) - truth[region].astype(np.float32))))
    return min(PSNR_CAP_DB, 10 * np.log10(255**2 / error)) if error else PSNR_CAP_DB


def ssim(output: Frames, truth: Frames, region: Region) -> float:
    """Structural similarity of luminance, -1..1, its map averaged over the region (Wang et al. 2004, sigma 1.5)."""
    maps = [
        _ssim_map(_luma(a).astype(float), _luma(b).astype(float))[r]
        for a, b, r in zip(output, truth, region, strict=True)
    ]
    values = np.concatenate(maps)
    return float(values.mean()) if values.size else float("nan")


def _ssim_map(a: Floats, b: Floats) -> Floats:
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_a, mean_b = _blur(a, 1.5), _blur(b, 1.5)
    var_a, var_b = _blur(a * a, 1.5) - mean_a**2, _blur(b * b, 1.5) - mean_b**2
    covariance = _blur(a * b, 1.5) - mean_a * mean_b
    likeness = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return likeness / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))


def lip_distance_px(output: Landmarks, truth: Landmarks) -> float:
    """Mean distance of the 40 lip points in the image plane, in the landmarks' pixels, over frames with both faces.

    Positions are absolute: a mouth in the wrong place counts, as does one of the wrong shape.
    """
    lips = list(LIPS)
    distance = np.linalg.norm(output[:, lips, :2] - truth[:, lips, :2], axis=-1).mean(axis=1)
    return _mean(distance)


def correlation(output: Floats, reference: Floats) -> float:
    """Pearson's r over the frames where both are finite.

    NaN with fewer than 8 of them or where the reference does not move; 0 where only the output stands still.
    """
    both = np.isfinite(output) & np.isfinite(reference)
    a, b = output[both], reference[both]
    if len(b) < 8 or np.std(b) < 1e-6:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1]) if np.std(a) >= 1e-6 else 0.0


def sharpness(frames: Frames, region: Region) -> float:
    """Root mean square of the Laplacian of Gaussian (sigma = u / 8) in the region, in grey levels.

    The Gaussian keeps camera noise, which no model should be paid for, from counting as detail.
    """
    sigma = frames.shape[1] / 96
    energy = [cv2.Laplacian(_blur(_luma(image), sigma), cv2.CV_32F)[r] for image, r in zip(frames, region, strict=True)]
    values = np.concatenate(energy)
    return float(np.sqrt(np.mean(values**2))) if values.size else float("nan")


def flicker(frames: Frames, still: Region) -> float:
    """Mean absolute second difference in time of blurred luminance over the still pixels, in grey levels.

    `still` is about the middle frame of each three, so it has f - 2 frames. The blur (sigma = u / 4) leaves flicker,
    which covers patches, and removes camera noise, which does not.
    """
    luma = _blurred(frames)
    jump = np.abs(luma[2:] - 2 * luma[1:-1] + luma[:-2])
    return float(jump[still].mean()) if still.any() else float("nan")


def still_pixels(frames: Frames, region: Region) -> Bools:
    """The half of the region, over the f - 2 inner frames, that moves least: where a second difference is flicker."""
    luma = _blurred(frames)
    motion = np.abs(luma[2:] - luma[:-2])
    inner = region[1:-1]
    return inner & (motion <= np.median(motion[inner])) if inner.any() else np.zeros_like(inner)


def seam(frames: Frames, border: Region) -> float:
    """Median luminance gradient (Sobel, grey levels a pixel) along the border, not below 0.25.

    A median, because the jaw's own contour crosses the border in places, and a seam runs along all of it.
    """
    values = []
    for image, ring in zip(frames, border, strict=True):
        luma = _luma(image)
        dx, dy = (cv2.Sobel(luma, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
        values.append(np.hypot(dx, dy)[ring])
    along = np.concatenate(values)
    return max(0.25, float(np.median(along))) if along.size else float("nan")


def border(region: Region) -> Region:
    """The line of pixels just inside and just outside the region's edge."""
    kernel = np.ones((3, 3), np.uint8)
    return np.stack([cv2.morphologyEx(r.astype(np.uint8), cv2.MORPH_GRADIENT, kernel) > 0 for r in region])


def silent_frames(samples: Floats, frames: int, threshold_dbfs: float) -> Bools:
    """The frames in the middle of a pause: below the threshold, as are the two frames on either side.

    Lips still close after a word and open before the next, so the edges of a pause say nothing about rest.
    """
    step = RATE_HZ // FPS
    padded = np.zeros(frames * step, np.float32)
    padded[: min(len(samples), len(padded))] = samples[: len(padded)]
    power = np.square(padded.reshape(frames, step)).mean(axis=1)
    quiet = 10 * np.log10(power + 1e-12) < threshold_dbfs
    return np.asarray(binary_erosion(quiet, np.ones(5), border_value=1), bool)


def lip_motion_px(landmarks: Landmarks, frames: Bools) -> float:
    """Mean step of the lip points between consecutive chosen frames, about their own centre (so the head may move)."""
    lips = landmarks[:, list(LIPS), :2]
    shape = lips - lips.mean(axis=1, keepdims=True)
    step = np.linalg.norm(np.diff(shape, axis=0), axis=-1).mean(axis=1)
    return _mean(step[frames[1:] & frames[:-1]])


def identity_cosine(output: Floats, reference: Floats) -> float:
    """Mean cosine, -1..1, of the output's unit embeddings (f d) to the direction of the reference's mean (g d)."""
    mean = reference.mean(axis=0)
    return float((output @ (mean / np.linalg.norm(mean))).mean())


def frame_cosine(output: Floats, truth: Floats) -> float:
    """Mean cosine, -1..1, of the output's unit embeddings (f d) to truth's of the same frames (f d)."""
    return float((output * truth).sum(axis=1).mean())


def ratio(value: float, reference: float) -> float:
    """value / reference; NaN where the reference is 0."""
    return value / reference if reference else float("nan")


def ratio_db(value: float, reference: float) -> float:
    """20 log10 of an amplitude's ratio; 0 where equal."""
    return float(20 * np.log10(value / reference))


def _luma(image: NDArray[np.uint8]) -> Floats:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)


def _blur(image: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101))


def _blurred(frames: Frames) -> Floats:
    return np.stack([_blur(_luma(image), frames.shape[1] / 48) for image in frames])


def _mean(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")
