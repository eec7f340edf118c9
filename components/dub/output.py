"""The result's file: the pictures in the source's look and times, the new speech, and the source's other streams."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np

from components.core.base import runtime
from components.core.media import audio, video
from components.core.media.audio import Samples
from components.dub.look import ENCODER, Look
from components.dub.streams import Others
from components.dub.timeline import Picture

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
SOUND_HZ = 48_000
# Visually lossless; a slower preset makes the file smaller, not better (docs/decisions.md). mbtree differs from run to
# run.
QUALITY = {"crf": "16", "preset": "superfast", "x264-params": "mbtree=0"}
BITS_PER_S = {"mono": 128_000, "stereo": 192_000, "3.0": 256_000, "4.0": 320_000, "5.0": 384_000, "5.1": 384_000}
"""By layout: those of MPEG-4, which every player knows, from one channel to six."""
UNNAMED = {3: "2.1"}
"""What FFmpeg takes so many channels for where the file gives them no names; other numbers, for those of BITS_PER_S."""
log = logging.getLogger(__name__)


def threads() -> int:
    """Of the encoder: the other stages need the other half of the cores, and each thread more costs more in all."""
    return max(1, runtime.cores() // 2)


@dataclass(frozen=True)
class Sound:
    """Sound at SOUND_HZ from time 0.

    Attributes:
        layout: of its channels: a key of BITS_PER_S.
        blocks: (channels, n), one after the other.
        said: the layout, and where it is not the file's own, what that is.
    """

    layout: str
    blocks: Iterator[Samples]
    said: str = ""

    @classmethod
    def of(cls, path: Path) -> "Sound":
        """The sound of a file with its own channels, at most six of them.

        What has places that MPEG-4's layouts lack, such as 2.1 or quad, has them in 5.1, whose others are silent.
        """
        count = audio.channels(path)
        with video.opened(path) as container:
            own = str(next(container.decode(audio=0)).layout.name)
        named = not own.endswith("channels")
        fits = own if named else list(BITS_PER_S)[min(count, 6) - 1]
        layout = fits if fits in BITS_PER_S else "5.1"
        said = layout if own == layout or (count <= 6 and not named) else f"{layout}, from {own}"
        if count > 6:
            log.warning("%s has %d channels: mixed down to 5.1", path, count)
        return cls(layout, audio.stream(path, SOUND_HZ, layout if named else UNNAMED.get(count, layout)), said)


class Writer:
    """Writes pictures and the sound that goes with them, a little at a time.

    Args:
        path: the file; its suffix, one of FORMATS, is the container.
        look: how the pictures are stored.
        sound: it is cut, or continued by silence, at the end of the last picture.
        others: further streams to copy.
    """

    def __init__(self, path: Path, look: Look, sound: Sound, others: Others | None = None) -> None:
        self.look, self.sound, self._others = look, sound, others
        options = {"movflags": "+faststart"} if FORMATS[path.suffix.lower()] != "matroska" else {}
        self._container = av.open(str(path), "w", format=FORMATS[path.suffix.lower()], options=options)
        self._video: Any = None
        bits = {"b": str(BITS_PER_S[sound.layout])}
        self._audio = self._container.add_stream("aac", rate=SOUND_HZ, layout=sound.layout, options=bits)
        self._durations: dict[int, int] = {}
        self._rest = np.zeros((self._audio.layout.nb_channels, 0), np.float32)
        self._pts, self._last_ticks, self._samples = -1, 0, 0
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
                self._finish()
                self._container.mux(self._audio.encode())
            self._container.close()
        except (av.FFmpegError, OSError):
            if kind is None:  # else what went wrong first is what to tell
                raise

    def add(self, picture: Picture) -> None:
        """Writes a picture, and everything else up to its end."""
        stored = self.look.stored(picture)
        if self._video is None:
            self._video = self._stream(stored)
            if self._others:
                self._others.join(self._container)
        tick = self.look.time_base
        self._pts = max(self._pts + 1, round(picture.time_s / tick))
        stored.pts, stored.time_base = self._pts, tick
        self._last_ticks = self._durations[self._pts] = max(1, round(picture.end_s / tick) - self._pts)
        self._mux(self._video.encode(stored))
        self._say(round(picture.end_s * SOUND_HZ))
        if self._others:
            self._others.until(self._container, picture.end_s)
        self.frames, self.end_s = self.frames + 1, picture.end_s

    def _stream(self, first: Any) -> Any:
        options = {**QUALITY, "threads": str(threads())}
        stream = self._container.add_stream(ENCODER, rate=self.look.fps, options=options)
        context = stream.codec_context
        stream.width, stream.height, stream.pix_fmt = first.width, first.height, self.look.pixel_format
        stream.time_base = context.time_base = self.look.time_base
        context.colorspace, context.color_range = self.look.matrix, self.look.colour_range
        context.color_primaries, context.color_trc = self.look.primaries, self.look.transfer
        if self.look.aspect:
            context.sample_aspect_ratio = self.look.aspect
        if self.look.rotation_deg:
            stream.set_display_rotation(-self.look.rotation_deg)
        return stream

    def _finish(self) -> None:
        """MP4 knows steps between decoding times: how long the last picture is shown has to be with the last packet."""
        packets = self._video.encode()
        if packets and self._container.format.name != "matroska":
            self._durations[packets[-1].pts] = self._last_ticks
        self._mux(packets)

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts)
            self._container.mux(packet)

    def _say(self, until: int) -> None:
        """Encodes the sound up to sample `until`, silence where there is none, at most a second at once."""
        while (many := min(until - self._samples, SOUND_HZ)) > 0:
            samples = self._next(many)
            sound = av.AudioFrame.from_ndarray(samples, format="fltp", layout=self.sound.layout)
            sound.sample_rate, sound.pts, sound.time_base = SOUND_HZ, self._samples, Fraction(1, SOUND_HZ)
            self._container.mux(self._audio.encode(sound))
            self._samples += many

    def _next(self, many: int) -> Samples:
        """The next samples (channels, many)."""
        parts, ready = [self._rest], self._rest.shape[1]
        while ready < many and (block := next(self.sound.blocks, None)) is not None:
            parts.append(block)
            ready += block.shape[1]
        heard = np.concatenate(parts, 1)
        self._rest = heard[:, many:]
        samples = np.zeros((len(heard), many), np.float32)
        samples[:, : min(many, heard.shape[1])] = heard[:, :many]
        return samples
