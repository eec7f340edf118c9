"""The result's file: the source's size, rotation, times and colours, and the new speech as its sound."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from components.core.media import video
from components.core.media.audio import Samples
from components.dub.timeline import Picture

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
SOUND_HZ = 48_000
ENCODER = "libx264"
# Visually lossless; a slower preset makes the file smaller, not better.
QUALITY = {"crf": "16", "preset": "veryfast"}

# Numbers of the standard (ISO/IEC 23001-8), which the swscale constants share but for these.
_UNKNOWN, _SMPTE170M, _BT2020_CL = 2, 6, 10
_SWSCALE = {_UNKNOWN: 5, 0: 5, _SMPTE170M: 5, _BT2020_CL: 9}
_LIMITED, _FULL = 1, 2


@dataclass(frozen=True)
class Look:
    """How the source's pictures are stored, so that the result's can be stored alike."""

    fps: Fraction
    rotation_deg: int
    """Clockwise turn that the player applies."""
    time_base: Fraction
    pixel_format: str
    aspect: Fraction | None
    """Width over height of a stored pixel, None where nothing is said."""
    matrix: int
    colour_range: int
    primaries: int
    transfer: int

    @classmethod
    def of(cls, path: Path, info: video.VideoInfo) -> "Look":
        """The look of a video."""
        with video.opened(path) as container:
            stream = video.moving(container)[0]
            first = next(container.decode(stream))
            return cls(
                fps=info.fps,
                rotation_deg=info.rotation_deg,
                time_base=stream.time_base,
                pixel_format=_storable(first),
                aspect=stream.sample_aspect_ratio or None,
                matrix=int(first.colorspace),
                colour_range=_FULL if "yuvj" in first.format.name else int(first.color_range),
                primaries=int(first.color_primaries),
                transfer=int(first.color_trc),
            )

    def stored(self, rgb: NDArray[np.uint8]) -> Any:
        """The picture as the encoder takes it: turned back, in the source's pixel format and colours."""
        turned = np.ascontiguousarray(np.rot90(rgb, self.rotation_deg // 90))
        picture = av.VideoFrame.from_ndarray(turned, format="rgb24").reformat(
            format=self.pixel_format,
            dst_colorspace=_SWSCALE.get(self.matrix, self.matrix),
            dst_color_range=self.colour_range or _LIMITED,
            interpolation="BICUBIC",
        )
        picture.colorspace, picture.color_range = self.matrix, self.colour_range
        return picture


def _storable(first: Any) -> str:
    """The source's pixel format where the encoder has it; 4:4:4 where a side is odd and so can not be halved."""
    if first.width % 2 or first.height % 2:
        return "yuv444p"
    name = first.format.name.replace("yuvj", "yuv")
    known = {form.name for form in av.Codec(ENCODER, "w").video_formats}
    return name if name in known and name.startswith("yuv") else "yuv420p"


class Writer:
    """Writes pictures and the sound that goes with them, a little at a time.

    Args:
        path: the file; its suffix, one of FORMATS, is the container.
        look: how the pictures are stored.
        sound: mono at SOUND_HZ from time 0; it is cut, or continued by silence, at the end of the last picture.
    """

    def __init__(self, path: Path, look: Look, sound: Samples) -> None:
        self._look, self._sound = look, sound
        options = {"movflags": "+faststart"} if FORMATS[path.suffix.lower()] != "matroska" else {}
        self._container = av.open(str(path), "w", format=FORMATS[path.suffix.lower()], options=options)
        self._video: Any = None
        self._audio = self._container.add_stream("aac", rate=SOUND_HZ, layout="mono", options={"b": "128k"})
        self._durations: dict[int, int] = {}
        self._pts, self._samples = -1, 0
        self.frames, self.end_s = 0, 0.0

    @property
    def sound_s(self) -> float:
        """How much sound there is."""
        return self._samples / SOUND_HZ

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._video is not None:
                self._mux(self._video.encode())
                self._container.mux(self._audio.encode())
            self._container.close()
        except (av.FFmpegError, OSError):
            if kind is None:  # else what went wrong first is what to tell
                raise

    def add(self, picture: Picture) -> None:
        """Writes a picture, and the sound up to its end."""
        stored = self._look.stored(picture.rgb)
        if self._video is None:
            self._video = self._stream(stored)
        tick = self._look.time_base
        self._pts = max(self._pts + 1, round(picture.time_s / tick))
        stored.pts, stored.time_base = self._pts, tick
        self._durations[self._pts] = max(1, round(picture.end_s / tick) - self._pts)
        self._mux(self._video.encode(stored))
        self._say(round(picture.end_s * SOUND_HZ))
        self.frames, self.end_s = self.frames + 1, picture.end_s

    def _stream(self, first: Any) -> Any:
        stream = self._container.add_stream(ENCODER, rate=self._look.fps, options=QUALITY)
        context = stream.codec_context
        stream.width, stream.height, stream.pix_fmt = first.width, first.height, self._look.pixel_format
        stream.time_base = context.time_base = self._look.time_base
        context.colorspace, context.color_range = self._look.matrix, self._look.colour_range
        context.color_primaries, context.color_trc = self._look.primaries, self._look.transfer
        if self._look.aspect:
            context.sample_aspect_ratio = self._look.aspect
        if self._look.rotation_deg:
            stream.set_display_rotation(-self._look.rotation_deg)
        return stream

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts)
            self._container.mux(packet)

    def _say(self, until: int) -> None:
        """Encodes the sound up to sample `until`."""
        heard = self._sound[self._samples : until]
        samples = np.zeros(until - self._samples, np.float32)
        samples[: len(heard)] = heard
        sound = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = SOUND_HZ, self._samples, Fraction(1, SOUND_HZ)
        self._container.mux(self._audio.encode(sound))
        self._samples = until
