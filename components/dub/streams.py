"""What else is in the source's file: further sound tracks, subtitles, cover, chapters and tags go along unchanged."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition

from components.core.media import video

NOT_TAGS = ("major_brand", "minor_version", "compatible_brands", "encoder")
log = logging.getLogger(__name__)


class Others:
    """The streams of the source that dubbing does not replace, copied packet by packet into the result.

    Replaced are the pictures and the first sound track. Use it as a context.

    Args:
        path: the source.
        start_s: time of its first picture on its own clock, which is 0 in the result.
    """

    def __init__(self, path: Path, start_s: float) -> None:
        self._path, self._start_s = path, start_s
        self._open = ExitStack()
        self._targets: dict[int, Any] = {}
        self._packets: Iterator[Any] = iter(())
        self._waiting: Any = None
        self.kept: list[str] = []
        self.dropped: list[str] = []

    def __enter__(self) -> "Others":
        self._source = self._open.enter_context(video.opened(self._path))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def join(self, target: Any) -> None:
        """Adds streams, tags and chapters to the container to be written; call it before the first packet."""
        source = self._source
        target.metadata.update({key: value for key, value in source.metadata.items() if key not in NOT_TAGS})
        if chapters := self._chapters():
            target.set_chapters(chapters)
        replaced = {stream.index for stream in (video.moving(source)[0], *source.streams.audio[:1])}
        for stream in source.streams:
            if stream.index not in replaced:
                self._add(stream, target)
        if self._targets:
            self._packets = self._wanted()
        if self.dropped:
            log.warning("%s can not hold %s: left out", target.format.name, ", ".join(self.dropped))

    def until(self, target: Any, end_s: float) -> None:
        """Writes every packet that begins before `end_s`."""
        while (packet := self._waiting or next(self._packets, None)) is not None:
            self._waiting = packet
            if self._time_s(packet) >= end_s:
                return
            self._waiting = None
            shift = round(self._start_s / packet.time_base)
            packet.pts = packet.pts - shift
            packet.dts = packet.pts if packet.dts is None else packet.dts - shift
            packet.stream = self._targets[packet.stream.index]
            target.mux(packet)

    def _add(self, stream: Any, target: Any) -> None:
        name = f"{stream.type} {stream.index} ({stream.codec_context.name if stream.codec_context else 'unknown'})"
        try:
            if not _whole(stream) or not _held(stream, target):
                raise ValueError(name)
            ours = target.add_stream_from_template(stream)
        except (ValueError, av.FFmpegError):
            return self.dropped.append(name)
        ours.metadata.update(stream.metadata)
        ours.disposition = stream.disposition & ~Disposition.default
        self._targets[stream.index] = ours
        self.kept.append(name)

    def _wanted(self) -> Iterator[Any]:
        """Packets of the streams to copy; what lies before the first picture is left out. A cover has no time."""
        streams = [stream for stream in self._source.streams if stream.index in self._targets]
        for packet in self._source.demux(streams):
            if _cover(packet.stream):
                packet.pts = packet.dts = round(self._start_s / packet.time_base)
            if packet.size and packet.pts is not None and self._time_s(packet) >= -0.5 * float(packet.time_base):
                yield packet

    def _time_s(self, packet: Any) -> float:
        return float(packet.pts * packet.time_base) - self._start_s

    def _chapters(self) -> list[dict[str, Any]]:
        """The source's chapters, moved to the result's clock."""
        found = []
        for chapter in self._source.chapters():
            shift = round(Fraction(self._start_s).limit_denominator(10**6) / chapter["time_base"])
            moved = {edge: max(0, chapter[edge] - shift) for edge in ("start", "end")}
            found.append({**chapter, **moved})
        return found


def _whole(stream: Any) -> bool:
    """Whether the stream is of a kind that can be copied, and says what a container's header needs."""
    context = stream.codec_context
    needed = {"audio": ("sample_rate", "channels"), "video": ("width", "height"), "subtitle": ()}
    return stream.type in needed and all(getattr(context, name) > 0 for name in needed[stream.type])


def _held(stream: Any, target: Any) -> bool:
    """Whether the container holds the like; in Matroska a cover would be one more video."""
    supported = stream.codec_context.name in target.supported_codecs
    return supported and not (_cover(stream) and target.format.name == "matroska")


def _cover(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)
