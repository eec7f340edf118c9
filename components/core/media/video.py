"""Video in and out through PyAV: any container, codec, rate, rotation or pixel format in; H.264 out.

Time zero is the first frame; `VideoInfo.start_s` says where that lies in the container.
"""
# Long: reading and writing share the clock, the turning and the colours.

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from components.core.base.errors import UserError
from components.core.media import RATE_HZ

Image = NDArray[np.uint8]
Reason = Literal[
    "missing",
    "empty",
    "unreadable",
    "no_video",
    "no_audio",
    "silent",
    "too_short",
    "no_face",
    "no_rights",
    "rights_refused",
    "duplicate",
]
MOST_PIXELS = 8192 * 8192
MOST_DAMAGED = 0.05
"""Share of a video's frames that may be damaged, as the first ones are where a recording was cut in the middle."""
LONGEST_S = 600.0
"""No picture shows for longer."""
VFR_SPREAD = 0.2
"""A rate is variable where a step between frames differs from the median step by more than this share."""


class MediaError(UserError):
    """A file that can't be used; `detail` says why in one line."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason: Reason = reason
        self.detail = detail
        super().__init__(detail)

    def __reduce__(self) -> tuple[Any, ...]:
        return MediaError, (self.reason, self.detail)


@dataclass(frozen=True)
class VideoInfo:
    """What a video is, known without decoding its pictures."""

    width_px: int
    """As displayed, after rotation."""
    height_px: int
    rotation_deg: int
    """Clockwise turn that the player applies: 0, 90, 180 or 270."""
    fps: Fraction
    """Mean rate; the last picture counts for no more than the median step, however long it is shown."""
    vfr: bool
    """Whether the rate varies."""
    frames: int
    duration_s: float
    """From the first frame to the end of the last."""
    start_s: float
    """Time of the first frame on the container's clock."""
    codec: str
    pixel_format: str
    has_audio: bool
    audio_offset_s: float
    """Start of the sound after the first frame, negative where it is earlier; 0 without sound."""


@dataclass(frozen=True)
class Frame:
    """One decoded picture."""

    rgb: Image
    """(h, w, 3), as displayed."""
    time_s: float
    """After the first frame of the video; strictly increasing."""
    stored: Any = None
    """The av.VideoFrame it was made of: not turned, in the file's own pixel format. Its planes are the decoder's."""


F = TypeVar("F", bound=Frame)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The file as a PyAV container; what PyAV can't read, now or while the container is in use, is a MediaError."""
    if not path.is_file():
        raise MediaError("missing", f"{path.name}: no such file")
    if path.stat().st_size == 0:
        raise MediaError("empty", f"{path.name}: the file has no bytes")
    try:
        with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
            yield container
    except (av.FFmpegError, OSError, UnicodeDecodeError) as error:
        raise MediaError("unreadable", f"{path.name}: {getattr(error, 'strerror', None) or error}") from error


def moving(container: Any) -> list[Any]:
    """The container's video streams; a cover image is none."""
    return [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]


def probe(path: Path) -> VideoInfo:
    """What the video is, from its packets' timestamps and its first frame.

    Raises:
        MediaError: missing, empty, unreadable, no_video, or unreadable again where it ends before it should.
    """
    with opened(path) as container:
        stream = _video_stream(container, path)
        declared_s = float(stream.duration * stream.time_base) if stream.duration else 0.0
        offset_s = _audio_start_s(container)
        # Only times, since data would grow with the length; an edit list discards what it does not show.
        packets = [(p.pts, p.duration) for p in container.demux(stream) if p.size and not p.is_discard]
        tick_s = stream.time_base
        told_s = min(LONGEST_S, float(_last_ticks(packets, container.format.name) * tick_s))
        nominal_fps = float(stream.average_rate or stream.guessed_rate or 25)
    first = _first_frame(path)
    start_s = first.time if first.time is not None else 0.0
    stamps = _stamps([pts for pts, _ in packets], tick_s, start_s, nominal_fps)
    steps = np.diff(stamps)
    step_s = float(np.median(steps)) if len(steps) else 1 / nominal_fps
    last_s = told_s if told_s > 0 else step_s
    duration_s = float(stamps[-1] - start_s) + last_s
    if not 0 < duration_s >= declared_s - max(1.0, 0.05 * declared_s):
        raise MediaError("unreadable", f"{path.name}: ends at {duration_s:.1f} of the {declared_s:.1f} s declared")
    rotation = round(-first.rotation) % 360
    width, height = (first.width, first.height)[:: -1 if rotation % 180 else 1]
    return VideoInfo(
        width_px=width,
        height_px=height,
        rotation_deg=rotation,
        fps=Fraction(len(stamps) / (duration_s - last_s + min(last_s, step_s))).limit_denominator(1001),
        vfr=bool(len(steps) and np.abs(steps - step_s).max() > VFR_SPREAD * step_s),
        frames=len(stamps),
        duration_s=duration_s,
        start_s=start_s,
        codec=stream.codec_context.name,
        pixel_format=first.format.name,
        has_audio=offset_s is not None,
        audio_offset_s=0.0 if offset_s is None else offset_s - start_s,
    )


def frames(path: Path) -> Iterator[Frame]:
    """Every picture in the order of display, turned upright, in RGB whatever the pixel format, matrix and range.

    Raises:
        MediaError: as `probe`, also in the middle where the data turns out to be corrupt.
    """
    with opened(path) as container:
        stream = _video_stream(container, path)
        stream.thread_type = "AUTO"
        nominal_s = 1 / float(stream.average_rate or stream.guessed_rate or 25)
        start_s, last_s, size = None, -nominal_s, None
        count = damaged = 0
        for picture in container.decode(stream):
            count, damaged = count + 1, damaged + picture.is_corrupt
            start_s = picture.time or 0.0 if start_s is None else start_s
            size = _same_size(picture, size, path)
            time_s = None if picture.time is None else picture.time - start_s
            if time_s is None or time_s <= last_s:  # no or a false timestamp: continue at the nominal rate
                time_s = last_s + nominal_s
            yield Frame(_upright(picture), time_s, picture)
            last_s = time_s
        if start_s is None:
            raise MediaError("unreadable", f"{path.name}: not one frame can be decoded")
        if damaged > MOST_DAMAGED * count:
            raise MediaError("unreadable", f"{path.name}: {damaged} of {count} frames are damaged")


def resample(frames: Iterable[Frame], fps: float, start_s: float, end_s: float) -> Iterator[Image]:
    """The pictures of `at_rate`."""
    return (frame.rgb for frame in at_rate(frames, fps, start_s, end_s))


def at_rate(frames: Iterable[F], fps: float, start_s: float, end_s: float) -> Iterator[F]:
    """round((end_s - start_s) * fps) frames at a constant rate: at each instant the source's nearest in time.

    By timestamp and never by count, so there is no drift at any rate; before the first and after the last frame
    that frame is held.
    """
    source = iter(frames)
    current = next(source, None)
    following = next(source, None)
    if current is None:
        return
    for index in range(round((end_s - start_s) * fps)):
        time_s = start_s + index / fps
        while following and following.time_s - time_s < time_s - current.time_s - 1e-6:
            current, following = following, next(source, None)
        yield current


def decode_bytes(data: bytes) -> Image:
    """All frames (f, h, w, 3) of a video in memory."""
    return np.stack(list(iterate_bytes(data)))


def iterate_bytes(data: bytes) -> Iterator[Image]:
    """The frames (h, w, 3) of a video in memory, one by one."""
    with av.open(io.BytesIO(data)) as container:
        yield from map(_upright, container.decode(video=0))


def write(
    path: Path | BinaryIO,
    frames: Iterable[Image],
    fps: float | Fraction,
    *,
    crf: int,
    audio: NDArray[np.float32] | None = None,
    pixel_format: str = "yuv420p",
) -> int:
    """Writes H.264 in MP4, the same bytes for the same frames, and returns how many frames there were.

    Args:
        path: a file, or a seekable binary buffer.
        frames: RGB (h, w, 3), all of one size, even for yuv420p.
        fps: constant rate.
        crf: quality of x264, 0 is lossless up to the change of colour space.
        audio: mono sound at 16 kHz, written as AAC.
    """
    source = iter(frames)
    if (first := next(source, None)) is None:
        raise ValueError("a video needs at least one frame")
    height, width = first.shape[:2]
    if pixel_format == "yuv420p" and (height % 2 or width % 2):
        raise ValueError(f"yuv420p needs an even size, got {width}x{height}")
    count = 0
    with av.open(str(path) if isinstance(path, Path) else path, "w", format="mp4") as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(fps).limit_denominator(1001), options={"crf": str(crf), **_ENCODER}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        stream.thread_count = 1  # the bytes depend on it
        stream.codec_context.colorspace, stream.codec_context.color_range = _BT709, _LIMITED
        sound = None if audio is None else container.add_stream("aac", rate=RATE_HZ, layout="mono")
        for rgb in chain([first], source):
            container.mux(stream.encode(_picture(rgb, pixel_format, count)))
            count += 1
        container.mux(stream.encode())
        if sound is not None and audio is not None:
            _write_sound(container, sound, audio)
    return count


# Without mbtree, whose results differ from run to run; veryfast costs 1 dB and is 2.7 times faster than medium.
_ENCODER = {"preset": "veryfast", "x264-params": "mbtree=0"}
# Numbers of the standard (ISO/IEC 23001-8) for matrix and range.
_BT709, _LIMITED = 1, 1


def _picture(rgb: Image, pixel_format: str, index: int) -> Any:
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    picture = picture.reformat(format=pixel_format, dst_colorspace="itu709", dst_color_range=_LIMITED, threads=1)
    picture.pts = index
    return picture


def _write_sound(container: Any, stream: Any, samples: NDArray[np.float32]) -> None:
    sound = av.AudioFrame.from_ndarray(np.asarray(samples, np.float32)[None], format="fltp", layout="mono")
    sound.sample_rate, sound.pts, sound.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
    container.mux(stream.encode(sound))
    container.mux(stream.encode())


def _video_stream(container: Any, path: Path) -> Any:
    streams = moving(container)
    if not streams:
        raise MediaError("no_video", f"{path.name}: no video track")
    return streams[0]


def _stamps(ticks: list[int | None], tick_s: Fraction, start_s: float, nominal_fps: float) -> NDArray[np.float64]:
    """Times of the packets in the order of display; a raw stream has no clock, so there the nominal rate counts."""
    known = [pts for pts in ticks if pts is not None]
    if len(known) < len(ticks):
        return start_s + np.arange(len(ticks)) / nominal_fps
    return np.array([float(pts * tick_s) for pts in sorted(known)])


def _last_ticks(packets: list[tuple[int | None, int | None]], container: str) -> int:
    """How long the last picture is shown, 0 where nothing says it.

    MP4 knows steps between decoding times only: what is left for the last picture is with the packet decoded last.
    """
    if "mp4" in container:
        packets = packets[-1:]
    return max(((pts or 0, ticks or 0) for pts, ticks in packets), default=(0, 0))[1]


def _audio_start_s(container: Any) -> float | None:
    for stream in container.streams.audio:
        return float((stream.start_time or 0) * stream.time_base)
    return None


def _first_frame(path: Path) -> Any:
    with opened(path) as container:
        for picture in container.decode(_video_stream(container, path)):
            return picture
    raise MediaError("unreadable", f"{path.name}: not one frame can be decoded")


def _same_size(picture: Any, before: tuple[int, int] | None, path: Path) -> tuple[int, int]:
    """The picture's size as stored.

    Raises:
        MediaError: it is not that of the picture before, or beyond every video there is.
    """
    size = picture.width, picture.height
    if before not in (None, size) or size[0] * size[1] > MOST_PIXELS:
        told = f"{size[0]}x{size[1]}" + (f" after {before[0]}x{before[1]}" if before else "")
        raise MediaError("unreadable", f"{path.name}: a picture of {told} in the middle of the video")
    return size


def _upright(picture: Any) -> Image:
    rgb = picture.to_ndarray(format="rgb24", threads=1)
    turns = round(picture.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(rgb, turns)) if turns else rgb
