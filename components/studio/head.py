"""A speaker's head, ready to be looked at: rest maps made once, and the face of one moment painted over them."""

from dataclasses import dataclass

import cv2
import numpy as np

from components.studio import Floats, eyes, mouth
from components.studio.atlas import COLUMNS, ROWS, ROWS_PER_UNIT, Box, box, slopes, smoothstep
from components.studio.hair import grow
from components.studio.identity import Speaker
from components.studio.mouth import MOUTH, Lips
from components.studio.sculpt import CHIN_Y, MOUTH_Y, sculpt
from components.studio.skin import beard_depth, skin

JAW = box((-1.30, 1.30), (MOUTH_Y + 0.20, -1.62))


@dataclass(frozen=True)
class Maps:
    """What a ray finds at each texel, float32: radius (h, w); colour (h, w, 4) linear r, g, b, gloss; relief (h, w, 4)
    slope around, slope up, fibre (1 where hair), openness (1 in the open, less in hollows);
    distant: the colours at rest, blurred and a quarter of the size."""

    radius: Floats
    colour: Floats
    relief: Floats
    distant: Floats


class Head:
    """Owns the maps of one speaker. `at` paints into its own copy: what it returns is valid until the next call."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        hair = grow(speaker)
        bare = sculpt(speaker) + beard_depth(speaker)
        bare += (cv2.GaussianBlur(bare, (0, 0), 7) - bare) * hair.cover  # no wrinkle or ear shows through hair
        follows = bare + hair.lift * hair.cover * (bare > 0.3)
        radius = np.maximum(follows, hair.surface)
        radius = np.where(radius < 0.03, -0.3, radius)  # nothing there, not even a thread along the axis
        colour = skin(speaker)
        cover = hair.cover[..., None]
        colour[..., :3] = colour[..., :3] * (1 - cover) + hair.colour * cover
        colour[..., 3:] *= 1 - 0.85 * cover
        self._radius = radius.astype(np.float32)
        self._colour = colour
        self._fibre = hair.cover * (1 if speaker.hair not in ("bald", "buzz") else 0.3)
        self._openness = _openness(self._radius)
        relief = np.dstack([*slopes(self._radius), self._fibre, self._openness]).astype(np.float32)
        distant = cv2.resize(colour, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        self.maps = Maps(self._radius.copy(), colour.copy(), relief, distant)
        self._jaw_weight = _jaw_weight()
        self._jaw_grid = np.meshgrid(
            np.arange(JAW.left, JAW.right, dtype=np.float32), np.arange(JAW.top, JAW.bottom, dtype=np.float32)
        )

    def at(self, lips: Lips, gaze: eyes.Gaze) -> Maps:
        """The maps with this mouth and these eyes."""
        # MOUTH reaches above JAW: without this the mouth would be painted over its last self there.
        self._apply(MOUTH, self._colour[MOUTH.slices], self._radius[MOUTH.slices])
        self._move_jaw(lips)
        self._apply(MOUTH, *mouth.paint(lips, self.speaker, self._view(MOUTH), self.maps.radius[MOUTH.slices]))
        for area in (eyes.LEFT, eyes.RIGHT):
            colour, radius = self._colour[area.slices], self._radius[area.slices]
            self._apply(area, *eyes.paint(area, gaze, self.speaker, colour, radius))
            self._update_relief(area)
        for area in (MOUTH, JAW):
            self._update_relief(area)
        return self.maps

    def _view(self, area: Box) -> Floats:
        return self.maps.colour[area.slices]

    def _apply(self, area: Box, colour: Floats, radius: Floats) -> None:
        self.maps.colour[area.slices] = colour
        self.maps.radius[area.slices] = radius

    def _move_jaw(self, lips: Lips) -> None:
        """Pulls the skin of the lower face down with the chin, and the chin a little back."""
        columns, rows = self._jaw_grid
        source = rows - np.float32(lips.drop * ROWS_PER_UNIT) * self._jaw_weight
        self.maps.colour[JAW.slices] = cv2.remap(self._colour, columns, source, cv2.INTER_LINEAR)
        radius = cv2.remap(self._radius, columns, source, cv2.INTER_LINEAR)
        self.maps.radius[JAW.slices] = radius - np.float32(0.25 * lips.drop) * self._jaw_weight

    def _update_relief(self, area: Box) -> None:
        around, up = slopes(self.maps.radius[area.slices])
        inner = (slice(area.top + 1, area.bottom - 1), slice(area.left + 1, area.right - 1))
        self.maps.relief[inner][..., 0] = around[1:-1, 1:-1]
        self.maps.relief[inner][..., 1] = up[1:-1, 1:-1]


def _jaw_weight() -> Floats:
    """How much of the chin's drop each texel of JAW follows, 0..1."""
    theta, y = JAW.grid()
    down = smoothstep(MOUTH_Y + 0.13, MOUTH_Y - 0.16, y) * smoothstep(-1.60, CHIN_Y - 0.10, y)
    return (down * smoothstep(1.1, 0.45, np.abs(theta))).astype(np.float32)


def _openness(radius: Floats) -> Floats:
    """1 where the surface stands out or lies open, down to 0.2 in hollows and under overhangs."""
    wrapped = cv2.copyMakeBorder(radius, 0, 0, 60, 60, cv2.BORDER_WRAP)
    hollow = np.zeros((ROWS, COLUMNS), np.float32)
    for reach, weight in ((4, 2.2), (12, 1.7), (36, 1.3)):
        around = cv2.GaussianBlur(wrapped, (0, 0), reach)[:, 60:-60]
        hollow += weight * np.maximum(around - radius, 0)
    return np.clip(1 - hollow, 0.2, 1)
