"""What the expert sees: windows of crops as other cameras would have them, and things put before them."""

import hashlib
from collections.abc import Sequence
from math import pi

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.base.errors import UserError
from components.core.media.crops import Crop
from components.core.media.geometry import Window
from components.core.models import windows
from components.occluders import marks, things
from components.occluders.params import Augment
from components.occluders.things import Generator, Picture, Thing

COVERED = 0.3
"""Cover from which a pixel is hidden, as the studio has it; so is one pixel around it, as the crop stage has it."""
AROUND = np.ones((3, 3), np.uint8)
FACE_LANDMARKS = 468
"""Those after them are of the irises."""
Mask = NDArray[np.bool_]


class Faces:
    """Frames of crops to draw from.

    Raises:
        UserError: there are no crops.
    """

    def __init__(self, crops: Sequence[Crop]) -> None:
        if not crops:
            raise UserError("the occluder expert has nothing to learn from", got="no crops", fix="Add data/footage.")
        self._crops = crops
        hidden = np.concatenate([crop.hidden for crop in crops])
        places = [(number, frame) for number, crop in enumerate(crops) for frame in range(len(crop.frames))]
        everywhere = np.array(places)
        self._hidden, self._clear = everywhere[hidden], everywhere[~hidden]

    def draw(self, hidden: float, by: Augment, rng: Generator) -> tuple[NDArray[np.uint8], Mask]:
        """A window (h w 3), RGB, and where (h w) something is in front; in a share `hidden` of them something was."""
        rgb, front, face = _moved(*self._pick(hidden, rng), by, rng)
        other = _moved(*self._pick(0.0, rng), by, rng)[0][::-1]
        rgb = _tinted(rgb, by, rng)
        for change in (marks.stained, marks.creased, marks.folded, marks.opened):
            if rng.random() < by.marks:
                rgb = np.where(front[..., None], rgb, change(rgb, rng))
        if rng.random() < by.backdrop:
            rgb = np.where((face | front)[..., None], rgb, things.look(front.shape, other, rng))
        if rng.random() < by.shadow:
            rgb = rgb * _shadow(front.shape, rng)[..., None]
        if rng.random() < by.pasted:
            rgb, front = put(rgb, front, things.draw(front.shape, other, rng))
        return _filmed(rgb, by, rng), front

    def _pick(self, hidden: float, rng: Generator) -> tuple[Crop, int]:
        pools = (self._hidden, self._clear) if rng.random() < hidden else (self._clear, self._hidden)
        pool = next(pool for pool in pools if len(pool))
        crop, frame = pool[rng.integers(len(pool))]
        return self._crops[crop], int(frame)


def digest(crops: Sequence[Crop]) -> str:
    """One text for what the crops show and what is before them."""
    content = hashlib.sha256(windows.digest(crops).encode())
    for crop in crops:
        content.update(np.packbits(crop.occluder).tobytes())
    return content.hexdigest()


def put(rgb: Picture, front: Mask, thing: Thing) -> tuple[Picture, Mask]:
    """The picture with the thing before it, and what is in front now."""
    cover = thing.cover[..., None]
    hidden = cv2.dilate((thing.cover > COVERED).astype(np.uint8), AROUND) > 0
    return np.asarray(rgb * (1 - cover) + thing.look * cover, np.float32), front | hidden


def _moved(crop: Crop, frame: int, by: Augment, rng: Generator) -> tuple[Picture, Mask, Mask]:
    """The frame's window as if the face lay elsewhere in it, what is before it, and the face."""
    size = crop.frames.shape[1]
    window = Window.of(size)
    matrix = cv2.getRotationMatrix2D((0, 0), rng.uniform(-by.turn_deg, by.turn_deg), 1)
    matrix *= 1 + rng.uniform(-by.zoom, by.zoom, (2, 1))
    middle = np.array([size / 2, size * 2 / 3])
    matrix[:, 2] = middle - matrix[:, :2] @ middle
    matrix[:, 2] += rng.uniform(-by.shift, by.shift, 2) * size - [window.left, window.top]
    if rng.random() < 0.5:
        matrix[0] = [0, 0, window.width - 1] - matrix[0]
    shape = (window.width, window.height)
    face = np.zeros((size, size), np.uint8)
    outline = cv2.convexHull(np.rint(crop.landmarks[frame, :FACE_LANDMARKS, :2]).astype(np.int32))
    cv2.fillConvexPoly(face, outline, 1)
    rgb = cv2.warpAffine(crop.frames[frame], matrix, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    masks = [
        cv2.warpAffine(mask, matrix, shape, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE) > 0
        for mask in (crop.occluder[frame].astype(np.uint8), cv2.dilate(face, AROUND))
    ]
    return rgb.astype(np.float32), masks[0], masks[1]


def _shadow(shape: tuple[int, ...], rng: Generator) -> Picture:
    """A gain (h w): darker or brighter beyond a soft edge."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] / max(shape)
    angle, soft = rng.uniform(0, 2 * pi), rng.uniform(0.005, 0.2)
    beyond = (rows - rng.random()) * np.sin(angle) + (columns - rng.random()) * np.cos(angle)
    return np.asarray(1 + rng.uniform(-0.6, 0.4) / (1 + np.exp(-np.clip(beyond / soft, -30, 30))), np.float32)


def _tinted(rgb: Picture, by: Augment, rng: Generator) -> Picture:
    """The picture in other colours."""
    if rng.random() < by.mixed:
        rgb = rgb @ rng.dirichlet(np.full(3, 0.7), 3).T
    if rng.random() < by.mixed:
        grey = rgb.mean(-1, keepdims=True)
        rgb = grey + rng.uniform(0, 1.7) * (rgb - grey)
    return np.asarray(rgb * np.exp(rng.uniform(-by.colour, by.colour, 3)), np.float32)


def _filmed(rgb: Picture, by: Augment, rng: Generator) -> NDArray[np.uint8]:
    """The picture by another camera in another light."""
    gain, level = 1 + rng.uniform(-by.light, by.light, 2)
    made = (_tinted(rgb.clip(0, 255), by, rng) - 128) * gain + 128 * level
    if rng.random() < by.blur:
        made = cv2.resize(cv2.resize(made, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), rgb.shape[1::-1])
    made += rng.uniform(0, by.noise) * rng.standard_normal(rgb.shape, np.float32)
    return np.asarray(made.clip(0, 255), np.uint8)
