"""From a speaker, a performance and a speech to frames."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.media.video import Image
from components.studio import Floats, eyes, props
from components.studio.atlas import ROWS_PER_UNIT, TOP, smoothstep
from components.studio.backdrop import PLACES, backdrop
from components.studio.body import Body, dress
from components.studio.head import Head, Maps
from components.studio.identity import Speaker
from components.studio.march import Hits, Pose, march, rays
from components.studio.mouth import Lips, lips
from components.studio.performance import Performance, gazes, lights, poses
from components.studio.sculpt import MOUTH_Y
from components.studio.shade import Light, cast_shadow, shade

# Pixels per head unit, as a share of the picture's side.
SCALE = 0.315
OPAQUE = 0.3
"""A pixel belongs to an occluder from this coverage on: less of it does not change what is seen of the lips."""


@dataclass(frozen=True)
class Shot:
    """A frame, RGB uint8 (h, w, 3); what passes before the face (h, w); the share of the mouth it hides."""

    frame: Image
    occluder: NDArray[np.bool_]
    hidden: float


@dataclass(frozen=True)
class Set:
    """What stays still during a clip: the room, the clothes, a sheet of sensor noise, the light's mood."""

    room: Floats
    body: Body
    grain: Floats


class Camera:
    """Films one speaker at one size. Cheap to call for many clips of the same speaker: the head is built once."""

    def __init__(self, speaker: Speaker, size_px: int) -> None:
        self.speaker, self.size_px = speaker, size_px
        self.scale_px = SCALE * size_px
        self.head = Head(speaker)

    def film(self, performance: Performance, postures: Floats) -> Iterator[Shot]:
        """The performance's first frames, one per posture; `postures` is (f, 7), see visemes.CHANNELS."""
        turned, lamps = poses(performance), lights(performance)
        looks = gazes(performance, turned)
        stage = self._set(performance, lamps[0])
        way = props.passage(performance) if performance.occluder != "none" else None
        jitter = np.random.default_rng(performance.seed + 6)
        for index, posture in enumerate(postures):
            mouth = lips(posture, self.speaker)
            picture = self._shoot(mouth, looks[index], turned[index], lamps[index], stage)
            before, hidden = np.zeros((self.size_px, self.size_px), bool), 0.0
            if way is not None:
                view = (self.size_px, self.scale_px)
                colour, cover = props.occluder(way, index, self.speaker, lamps[index], view)
                picture = _over(picture, colour, cover)
                before, hidden = cover > OPAQUE, self._hidden(cover, mouth, turned[index])
            yield Shot(_develop(picture, stage.grain, performance.noise, jitter), before, hidden)

    def _hidden(self, cover: Floats, mouth: Lips, pose: Pose) -> float:
        """The share of the mouth's outline that `cover` (h, w) hides."""
        turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        x = mouth.half_width * np.cos(turn)
        y = MOUTH_Y - mouth.below / 2 + (mouth.opening / 2 + mouth.lower) * np.sin(turn)
        points = props.project(np.stack([x, y, 0.95 - 0.5 * x**2], 1), pose, self.size_px, self.scale_px)
        column, row = np.clip(points.T.round().astype(int), 0, self.size_px - 1)
        return float(cover[row, column].mean())

    def _set(self, performance: Performance, lamp: Light) -> Set:
        rng = np.random.default_rng(performance.seed + 5)
        place = PLACES[int(rng.integers(len(PLACES)))]
        room = backdrop(place, self.size_px, rng) * np.clip(lamp.key_colour.mean() + 0.1, 0.4, 1)
        body = dress(self.size_px, self.scale_px * performance.zoom, lamp, rng)
        grain = rng.standard_normal((2 * self.size_px, 2 * self.size_px, 3)).astype(np.float32)
        return Set(room.astype(np.float32), body, cv2.GaussianBlur(grain, (0, 0), 0.6) * np.float32(1.8))

    def _shoot(self, mouth: Lips, gaze: eyes.Gaze, pose: Pose, lamp: Light, stage: Set) -> Floats:
        """The linear picture without occluder and noise."""
        maps = self.head.at(mouth, gaze)
        hits = march(rays(pose, self.size_px, self.scale_px), maps.radius, 1 / (self.scale_px * pose.zoom))
        head = shade(maps, hits, pose, lamp, cast_shadow(hits, maps.radius, pose, lamp))
        body = self._moved(stage.body, pose)
        picture = _over(stage.room, body.colour, body.cover)
        cover = hits.coverage * np.maximum(body.neckline[hits.window], _before_clothes(maps, hits))
        picture[hits.window] = _over(picture[hits.window], head, cover)
        if self.speaker.glasses is not None:
            picture = _over(picture, *props.glasses(self.speaker, pose, self.size_px, self.scale_px))
        return picture

    def _moved(self, body: Body, pose: Pose) -> Body:
        """Clothes shifted with the trunk; the picture's lower rows are repeated where it runs out."""
        shift = np.array([[1, 0, pose.x * self.scale_px], [0, 1, -pose.y * self.scale_px]], np.float32)
        size = (self.size_px, self.size_px)
        flags = dict(flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return Body(
            *(cv2.warpAffine(layer, shift, size, **flags) for layer in (body.colour, body.cover, body.neckline))
        )


def _before_clothes(maps: Maps, hits: Hits) -> Floats:
    """1 where what a ray met hangs in front of the collar: the head, its chin and beard, hair; 0 on the neck."""
    hair = cv2.remap(maps.relief, hits.column, hits.row, cv2.INTER_LINEAR)[..., 2] * (hits.depth > -0.2)
    radius = cv2.remap(maps.radius, hits.column, hits.row, cv2.INTER_LINEAR)
    y = TOP - hits.row / ROWS_PER_UNIT
    chin = smoothstep(0.56, 0.62, radius) * smoothstep(-1.5, -1.42, y)
    return np.asarray(np.maximum(np.maximum(hair, chin), smoothstep(-1.18, -1.08, y)))


def _over(picture: Floats, layer: Floats, cover: Floats) -> Floats:
    return picture + (layer - picture) * cover[..., None]


def _develop(picture: Floats, grain: Floats, noise: float, rng: np.random.Generator) -> Image:
    """sRGB-like uint8 of a linear picture: a soft shoulder, square-root gamma, sensor noise."""
    size = picture.shape[0]
    top, left = (int(v) for v in rng.integers(0, size, 2))
    shown = np.sqrt(np.maximum(picture, 0) / (1 + 0.22 * np.maximum(picture - 0.35, 0)))
    shown = shown + grain[top : top + size, left : left + size] * np.float32(noise)
    return np.asarray(np.clip(shown * 255 + 0.5, 0, 255).astype(np.uint8))
