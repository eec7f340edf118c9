"""One file to its clips: decode, resample to a constant rate, cut, encode; where occluders are known they go along."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from math import ceil
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.media import FPS, RATE_HZ, audio, crops, video
from components.core.media.face import FaceMesh
from components.core.media.video import MediaError, VideoInfo
from components.ingest import occluders, shots
from components.ingest.occluders import Masks
from components.ingest.params import Params
from components.ingest.sources import Reject, Source

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Clip:
    """One row of clips.parquet, but for the shard."""

    clip_id: str
    speaker: str
    source: str
    split: str
    role: str
    language: str
    shot: int
    frames: int
    duration_s: float
    fps_in: float
    width_px: int
    height_px: int
    vfr: bool
    rotation_deg: int
    audio_offset_s: float
    loudness_dbfs: float
    licence: str
    sha256: str


@dataclass(frozen=True)
class Task:
    """A file of `data`, and the folder where the parts of its clips go."""

    source: Source
    params: Params
    data: Path
    parts: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a file."""

    clips: tuple[Clip, ...]
    rejects: tuple[Reject, ...]


def ingest(task: Task) -> Outcome:
    """Writes `<parts>/<clip_id>.mp4` and `.wav` for every usable piece of the file, and `.npz` where its occluders are
    known; never raises for a bad file."""
    clips: list[Clip] = []
    rejects: list[Reject] = []
    try:
        info = video.probe(task.source.path)
        samples = audio.load(task.source.path)
        _check_length(info.duration_s, task.params)
        _check_loudness(samples, task.params)
        file = _File(info, samples, occluders.load(task.data, task.source.name, info), [])
        for shot, frames in _pieces(task, file):
            try:
                clips.append(_write(task, file, shot, frames))
            except MediaError as error:
                rejects.append(Reject(f"{task.source.name}#{shot}", error.reason, error.detail))
    except MediaError as error:
        rejects.append(Reject(task.source.name, error.reason, error.detail))
    return Outcome(tuple(clips), tuple(rejects))


@dataclass(frozen=True)
class _Numbered(video.Frame):
    """A frame and its index in the file."""

    index: int = field(kw_only=True)


@dataclass(frozen=True)
class _File:
    """A file on its way to clips."""

    info: VideoInfo
    samples: audio.Samples
    occluder: Masks | None
    """Of the file's own frames; None where nothing is known."""
    origins: list[int]
    """Index in the file of each frame at the constant rate, as far as they were read."""


def _pieces(task: Task, file: _File) -> Iterator[tuple[int, Iterator[tuple[int, Image]]]]:
    """Number and frames of each piece, a frame with its index in the whole file at the constant rate."""
    params, info = task.params, file.info
    steady = _steady(task, file)
    # Equal parts, so that a long shot does not end in one that is too short.
    longest = ceil(info.duration_s * FPS / ceil(info.duration_s / params.max_clip_s))
    numbered = (
        ((0, frame) for frame in steady) if task.source.whole else shots.number(steady, params.cut_difference, longest)
    )
    for shot, group in groupby(enumerate(numbered), key=lambda item: item[1][0]):
        yield shot, ((index, frame) for index, (_, frame) in group)


def _steady(task: Task, file: _File) -> Iterator[Image]:
    """The file's frames at the constant rate, in the clips' size; notes where each is from."""
    size = _size(file.info, task.params.max_side_px)
    read = enumerate(video.frames(task.source.path))
    decoded = (_Numbered(_resized(frame.rgb, size), frame.time_s, index=index) for index, frame in read)
    for frame in video.at_rate(decoded, FPS, 0, file.info.duration_s):
        file.origins.append(frame.index)
        yield frame.rgb


def _write(task: Task, file: _File, shot: int, frames: Iterator[tuple[int, Image]]) -> Clip:
    """Writes one piece and describes it; nothing is left behind where it is no clip."""
    source, params, info = task.source, task.params, file.info
    clip_id = source.key if source.whole else f"{source.key}-{shot:03d}"
    path, watch = task.parts / f"{clip_id}.mp4", _Watch(params.face_every_frames)
    try:
        count = video.write(path, watch.over(frames), FPS, crf=params.crf)
        sound = _cut(file.samples, watch.first, count)
        _check_length(count / FPS, params)
        _check_loudness(sound, params)
        if not watch.face:
            raise MediaError("no_face", f"no face in {count} frames")
    except MediaError:
        path.unlink(missing_ok=True)
        raise
    audio.write_wav(path.with_suffix(".wav"), sound)
    width, height = size = _size(info, params.max_side_px)
    if file.occluder is not None:
        masks = file.occluder.at(file.origins[watch.first :][:count], size)
        path.with_suffix(".npz").write_bytes(crops.encode_arrays(occluder=masks))
    return Clip(
        clip_id=clip_id,
        speaker=source.speaker,
        source=source.name,
        split=source.split,
        role=source.role,
        language=source.language,
        shot=shot,
        frames=count,
        duration_s=count / FPS,
        fps_in=float(info.fps),
        width_px=width,
        height_px=height,
        vfr=info.vfr,
        rotation_deg=info.rotation_deg,
        audio_offset_s=info.audio_offset_s,
        loudness_dbfs=audio.loudness_dbfs(sound),
        licence=source.licence,
        sha256=source.sha256,
    )


@cache
def _mesh() -> FaceMesh:
    """The one of this process."""
    return FaceMesh(static=True)


class _Watch:
    """Looks at frames that pass: the index of the first, and whether there is a face."""

    def __init__(self, every: int) -> None:
        self._every = every
        self.first, self.face = 0, False

    def over(self, frames: Iterator[tuple[int, Image]]) -> Iterator[Image]:
        for number, (index, frame) in enumerate(frames):
            self.first = index - number
            if not self.face and number % self._every == 0:
                self.face = bool(_mesh().detect(frame))
            yield frame


def _cut(samples: audio.Samples, first: int, count: int) -> audio.Samples:
    """The sound of `count` frames from `first` on, silence where there is none."""
    step = RATE_HZ // FPS
    sound = np.zeros(count * step, np.float32)
    part = samples[first * step : (first + count) * step]
    sound[: len(part)] = part
    return sound


def _check_length(duration_s: float, params: Params) -> None:
    if duration_s < params.min_clip_s:
        raise MediaError("too_short", f"{duration_s:.2f} s, at least {params.min_clip_s:g} s are needed")


def _check_loudness(samples: audio.Samples, params: Params) -> None:
    loudness = audio.loudness_dbfs(samples)
    if loudness < params.silence_dbfs:
        raise MediaError("silent", f"{loudness:.0f} dBFS, under {params.silence_dbfs:g} dBFS there is no speech")


def _size(info: VideoInfo, max_side_px: int) -> tuple[int, int]:
    """Width and height, even, at most `max_side_px`."""
    zoom = min(1.0, max_side_px / max(info.width_px, info.height_px))
    return max(2, round(info.width_px * zoom / 2) * 2), max(2, round(info.height_px * zoom / 2) * 2)


def _resized(rgb: Image, size: tuple[int, int]) -> Image:
    return rgb if rgb.shape[1::-1] == size else np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
