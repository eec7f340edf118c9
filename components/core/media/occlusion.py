"""What is in front of a face, cut out of what the occluder expert takes for it: one rule for training and dubbing."""

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST, SURE = 0.3, 0.95
"""Probability above which a pixel counts, and which one at least in its region must have, now or a frame away."""
AROUND = np.ones((3, 3), np.uint8)


def occlusion(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far (f h w) a window's pixels are hidden: 1 on what is in front and a pixel around, 0 three pixels away.

    Args:
        probability: (f h w) of consecutive frames.
    """
    return soften(in_front(probability))


def in_front(probability: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where (f h w) the probability is above `LEAST`, in regions that come in from below or a side and of which a pixel
    is `SURE` in the frame, the one before or the one after: what comes in is doubtful at first.

    What lies within is teeth, lips or the dark of an open mouth; what comes down from the nose is a moustache.
    """
    found, here = probability > LEAST, probability > SURE
    sure = here.copy()
    sure[1:] |= here[:-1]
    sure[:-1] |= here[1:]
    found &= sure.any((1, 2))[:, None, None]
    for mask, certain in zip(found, sure, strict=True):
        if mask.any():
            _, regions = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
            edges = np.concatenate((regions[-1], regions[:, 0], regions[:, -1]))
            mask &= np.isin(regions, np.intersect1d(edges, regions[certain]))
    return found


def soften(masks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Weights (f h w) in [0, 1]: 1 on the masks and one pixel around them, 0 from three pixels on."""
    soft = np.zeros(masks.shape, np.float32)
    for index in np.flatnonzero(masks.any((1, 2))):
        grown = cv2.dilate(masks[index].astype(np.float32), AROUND, iterations=2)
        soft[index] = cv2.blur(grown, (3, 3), borderType=cv2.BORDER_REPLICATE)
    return soft
