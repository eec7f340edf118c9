"""Hands by MediaPipe, as masks."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.media.face import quiet
from components.core.media.head import Floats

WRIST, INDEX, MIDDLE, LITTLE = 0, 5, 9, 17
PALM = (0, 1, 5, 9, 13, 17)
FINGERS = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
HANDS = 2


class Hands:
    """Finds the hands in the frames of a video, at most two."""

    def __init__(self) -> None:
        with quiet():
            import mediapipe

            self._graph: Any = mediapipe.solutions.hands.Hands(max_num_hands=HANDS)
        self.reset()

    def reset(self) -> None:
        """Forgets the last frame; call it between videos."""
        with quiet():
            self._graph.reset()
            self._graph.process(np.zeros((64, 64, 3), np.uint8))  # the graphs start, and warn, where nobody hears them

    def mask(self, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """(h, w) the pixels of a frame that hands cover."""
        height, width = rgb.shape[:2]
        canvas = np.zeros((height, width), np.uint8)
        for hand in self._graph.process(np.ascontiguousarray(rgb)).multi_hand_landmarks or []:
            draw(canvas, np.array([(p.x * width, p.y * height) for p in hand.landmark]) - 0.5)
        return canvas.astype(bool)


def draw(canvas: NDArray[np.uint8], points: Floats) -> None:
    """Sets the pixels of a hand with landmarks (21, 2) to 1: the palm filled, the fingers as thick as they are.

    The knuckles of index and little finger are three fingers apart; where the palm is seen from its edge its length,
    which is about as much again, says how large the hand is.
    """
    across, along = (float(np.linalg.norm(points[a] - points[b])) for a, b in ((INDEX, LITTLE), (WRIST, MIDDLE)))
    thick = max(1, round(max(across, 0.6 * along) / 3))
    whole = np.rint(points).astype(np.int32)
    palm = cv2.convexHull(whole[list(PALM)])
    cv2.fillConvexPoly(canvas, palm, 1)
    cv2.polylines(canvas, [palm], True, 1, thick)
    cv2.polylines(canvas, [whole[[*finger]] for finger in FINGERS], False, 1, thick)
