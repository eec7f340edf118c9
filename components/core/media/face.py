"""Landmarks by MediaPipe's face mesh, and what is measured on them."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.media import head
from components.core.media.head import Floats

LANDMARKS = 478
LOOK_EVERY = 10
"""Of a face that is alone: others are looked for in every so manieth picture, since that takes longer."""
FAR_MARGIN = 3.0
"""Side of the region that is looked at closely, in sizes of the face."""
MEASURES = ("opening", "width", "outer_opening", "outer_width", "upper", "lower")
_DISTANCES = ((13, 14), (78, 308), (0, 17), (61, 291), (2, 13), (2, 14))

# The lower face in head coordinates: under the nose, along the cheek, then the jaw of the widest opening that ten
# speakers showed and 8 % more. Half of it; the other is its mirror image.
_LOWER_FACE = (
    (0.00, 0.36, -0.22),
    (0.30, 0.33, 0.00),
    (0.60, 0.32, 0.48),
    (0.65, 0.46, 0.52),
    (0.61, 0.66, 0.50),
    (0.56, 0.80, 0.43),
    (0.49, 0.92, 0.35),
    (0.41, 1.03, 0.28),
    (0.32, 1.12, 0.22),
    (0.23, 1.19, 0.18),
    (0.12, 1.24, 0.14),
    (0.00, 1.26, 0.12),
)


class FaceMesh:
    """Finds faces and their 478 landmarks, irises included, from about a fortieth of the image's longer side.

    Args:
        static: treat every image on its own; else the landmarks of the last frame guide the search in the next.
        faces: how many to look for.
    """

    def __init__(self, static: bool = False, faces: int = 1) -> None:
        with quiet():
            import mediapipe

            parts = mediapipe.solutions
            one = {"max_num_faces": 1, "refine_landmarks": True}
            self._mesh = parts.face_mesh.FaceMesh(static_image_mode=static, **(one | {"max_num_faces": faces}))
            # The mesh's own search ends at faces of a fourteenth: smaller ones are searched for by the model for
            # large distances and looked at closely.
            self._far = parts.face_detection.FaceDetection(model_selection=1)
            self._near = parts.face_mesh.FaceMesh(static_image_mode=True, **one)
            self._graphs = [self._mesh, self._far, self._near]
            self._lone = None if static or faces == 1 else parts.face_mesh.FaceMesh(**one)
            if self._lone:
                self._graphs.append(self._lone)
        self._faces = faces
        self._start()

    def __enter__(self) -> "FaceMesh":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for graph in self._graphs:
            graph.close()

    def reset(self) -> None:
        """Forgets the last frame; call it between videos."""
        with quiet():
            self._mesh.reset()
            if self._lone:
                self._lone.reset()
        self._start()

    def detect(self, rgb: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
        """Landmarks (478, 3) of each face in pixels, largest face first; z grows away from the camera."""
        rgb = np.ascontiguousarray(rgb)
        with nullcontext() if self._warm else quiet():
            found = self._large(rgb) or self._distant(rgb)
        self._warm |= bool(found)
        return sorted(found, key=lambda face: -float(np.ptp(face[:, 1])))

    def _start(self) -> None:
        """Runs the graphs once, on a black image, where nobody hears them."""
        self._warm, self._others_in = False, 0
        with quiet():
            for graph in self._graphs:
                graph.process(np.zeros((64, 64, 3), np.uint8))

    def _large(self, rgb: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
        """The faces that are large enough in the image; one that is alone is followed by a mesh of its own."""
        lone: list[NDArray[np.float64]] = []
        if self._others_in:
            self._others_in -= 1
            lone = _points(self._lone, rgb)
            if lone and self._others_in:
                return lone
        found = _points(self._mesh, rgb)
        alone = self._lone is not None and len(found) == 1
        self._others_in = LOOK_EVERY if alone else 0
        return lone or _points(self._lone, rgb) or found if alone else found

    def _distant(self, rgb: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
        """The faces that are small in the image."""
        height, width = rgb.shape[:2]
        found = []
        for detection in (self._far.process(rgb).detections or [])[: self._faces]:
            box = detection.location_data.relative_bounding_box
            half = max(1, round(FAR_MARGIN * max(box.width * width, box.height * height) / 2))
            x, y = round((box.xmin + box.width / 2) * width), round((box.ymin + box.height / 2) * height)
            left, top = max(0, x - half), max(0, y - half)
            region = np.ascontiguousarray(rgb[top : max(0, y + half), left : max(0, x + half)])
            if region.size:
                found += [face + np.array([left, top, 0]) for face in _points(self._near, region)]
        return found


def _points(graph: Any, rgb: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
    """Landmarks (478, 3) in pixels of every face that a face mesh finds."""
    height, width = rgb.shape[:2]
    found = graph.process(rgb).multi_face_landmarks or []
    faces = [np.array([(p.x, p.y, p.z) for p in face.landmark]) * [width, height, width] for face in found]
    return [face - [0.5, 0.5, 0] for face in faces]


@contextmanager
def quiet() -> Iterator[None]:
    """Drops what native code writes to stderr: MediaPipe's graphs warn at their start, whatever the log settings."""
    sys.stderr.flush()
    saved = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nothing)


def measures(landmarks: Floats) -> NDArray[np.float32]:
    """Lip distances (f, 6) in the order of MEASURES, in units of the distance of the eyes, at any size and turn.

    Inner opening and width, outer opening and width, and how far the inner edges of the upper and the lower lip
    are from the nose. In speech the opening goes from 0 to about 0.5.
    """
    points = np.asarray(landmarks, float)
    distances = [np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in _DISTANCES]
    return np.asarray(np.stack(distances, 1) / (head.EYES * head.fit(points).scale_px[:, None]), np.float32)


def pose(landmarks: Floats) -> NDArray[np.float32]:
    """Yaw (positive: faces the image's right), pitch (positive: looks up) and roll (clockwise), (f, 3) degrees."""
    heads = head.fit(landmarks)
    x, y = heads.axes[:, 0], heads.axes[:, 1]
    yaw = np.degrees(np.arctan2(x[:, 2], x[:, 0]))
    pitch = -np.degrees(np.arcsin(np.clip(y[:, 2], -1, 1))) + head.NEUTRAL_PITCH_DEG
    return np.asarray(np.stack([yaw, pitch, np.degrees(heads.roll_rad)], 1), np.float32)


def lower_face_mask(landmarks: Floats, size_px: int) -> NDArray[np.bool_]:
    """The lower face (f, size_px, size_px) of landmarks (f, 478, 3) in crop pixels, jaw open to a fixed maximum.

    A fixed outline on the rigid head, so it depends on pose alone and gives away nothing about lips or jaw.
    """
    half = np.array(_LOWER_FACE)
    outline = np.concatenate([half, half * [-1, 1, 1]])
    points = head.fit(landmarks).to_image(outline)[..., :2]
    return np.stack([_filled(polygon, size_px) for polygon in points])


def _filled(points: Sequence[Any] | Floats, size_px: int) -> NDArray[np.bool_]:
    hull = cv2.convexHull(np.rint(np.asarray(points)).astype(np.int32))
    canvas = np.zeros((size_px, size_px), np.uint8)
    return np.asarray(cv2.fillConvexPoly(canvas, hull, 1)).astype(bool)
