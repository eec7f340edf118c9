"""One clip to its crops, and the clip's exact re-dubs to crops that match them pixel by pixel."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from components.core.media import FPS, RATE_HZ, audio, crops, face, geometry, head, quality, shards, video
from components.core.media.track import Track, track
from components.core.media.video import MediaError
from components.crop import occluders
from components.crop.params import Params


@dataclass(frozen=True)
class Clip:
    """What crop needs of a row of clips.parquet."""

    clip_id: str
    speaker: str
    split: str
    role: str
    language: str
    shard: str


@dataclass(frozen=True)
class Task:
    """A clip of footage with its truths by pair id, and the folder where the parts of its crops go."""

    clip: Clip
    truths: tuple[tuple[str, Clip], ...]
    clips: Path
    parts: Path
    params: Params


@dataclass(frozen=True)
class Crop:
    """One row of crops.parquet, but for the shard."""

    crop_id: str
    clip_id: str
    speaker: str
    split: str
    role: str
    language: str
    frames: int
    size_px: int
    face_share: float
    yaw_mean_deg: float
    yaw_max_deg: float
    sharpness: float
    loudness_dbfs: float
    mouth_motion: float
    silence_share: float
    occluded_share: float


@dataclass(frozen=True)
class Reject:
    """A clip, or a run of it, that gave no crop, and why."""

    source: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Outcome:
    """What became of a clip."""

    crops: tuple[Crop, ...]
    rejects: tuple[Reject, ...]


@dataclass(frozen=True)
class Run:
    """Frames start..stop of a clip, with a face in each."""

    crop_id: str
    start: int
    stop: int


@dataclass(frozen=True)
class Footage:
    """A clip, decoded and tracked."""

    clip: Clip
    track: Track
    frames: NDArray[np.uint8]
    """(f, size, size, 3) crops, black where there is no transform."""
    occluder: NDArray[np.bool_]
    """(f, size, size) what is before the face of the source."""
    samples: NDArray[np.float32]


def crop(task: Task) -> Outcome:
    """Writes `<parts>/<crop_id>.<mp4|wav|npz>` for every run of frames with a face, in the clip and in its truths."""
    made: list[Crop] = []
    rejects: list[Reject] = []
    try:
        source = _read(task, task.clip, None)
        runs = _runs(source, task.params)
    except MediaError as error:
        names = [task.clip.clip_id, *(truth.clip_id for _, truth in task.truths)]
        return Outcome((), tuple(Reject(name, error.reason, error.detail) for name in names))
    for run in runs:
        made.append(_write(task, source, source, run))
    for pair_id, clip in task.truths:
        truth = _read(task, clip, source)
        for run in runs:
            stop = min(run.stop, len(truth.frames))
            if stop - run.start < task.params.min_frames:
                detail = f"{stop} frames, its source has a face up to frame {run.stop}"
                rejects.append(Reject(clip.clip_id, "too_short", detail))
            else:
                made.append(_write(task, truth, source, Run(f"{run.crop_id}--{pair_id}", run.start, stop)))
    return Outcome(tuple(made), tuple(rejects))


@cache
def _mesh() -> face.FaceMesh:
    """The one of this process."""
    return face.FaceMesh()


def _read(task: Task, clip: Clip, source: Footage | None) -> Footage:
    """The clip's faces and crops; a truth, which has a source, is cropped as that is and has the same before it."""
    sample = shards.read(task.clips, clip.shard, clip.clip_id)
    found = track(video.iterate_bytes(sample["mp4"]), _mesh(), task.params.size_px)
    transforms = (source.track if source else found).transforms
    frames = _warped(video.iterate_bytes(sample["mp4"]), transforms, task.params.size_px)
    samples, _ = soundfile.read(io.BytesIO(sample["wav"]), dtype="float32")
    before = source.occluder if source else occluders.find(sample, transforms, task.params)
    return Footage(clip, found, np.stack(list(frames)), before, samples)


def _warped(frames: Iterator[Any], transforms: head.Floats, size_px: int) -> Iterator[NDArray[np.uint8]]:
    for frame, transform in zip(frames, transforms, strict=False):
        known = np.isfinite(transform).all()
        yield geometry.warp(frame, transform, size_px) if known else np.zeros((size_px, size_px, 3), np.uint8)


def _runs(source: Footage, params: Params) -> list[Run]:
    """The runs long enough, with a face large enough.

    Raises:
        MediaError: no_face where there is none.
    """
    numbers = geometry.runs(source.track.transforms, source.track.valid, params.size_px)
    longest, largest_px = 0, 0.0
    runs: list[Run] = []
    for number in range(numbers.max(initial=-1) + 1):
        index = np.flatnonzero(numbers == number)
        width_px = float(np.median(head.fit(source.track.landmarks[index]).scale_px))
        if len(index) >= params.min_frames and width_px >= params.min_face_px:
            runs.append(Run(f"{source.clip.clip_id}-{len(runs):02d}", int(index[0]), int(index[-1]) + 1))
        longest, largest_px = max(longest, len(index)), max(largest_px, width_px)
    if not runs:
        needed = f"{params.min_frames} frames of a face at least {params.min_face_px} px wide are needed"
        raise MediaError("no_face", f"longest run {longest} frames, largest face {largest_px:.0f} px: {needed}")
    return runs


def _write(task: Task, footage: Footage, source: Footage, run: Run) -> Crop:
    """Writes one run of a clip; pose and mask are the source's, so that a truth has the same."""
    params, piece, clip = task.params, slice(run.start, run.stop), footage.clip
    frames, transforms = footage.frames[piece], source.track.transforms[piece]
    landmarks = geometry.apply(transforms, footage.track.landmarks[piece])
    own = landmarks if footage is source else geometry.apply(transforms, source.track.landmarks[piece])
    lips, pose, before = face.measures(landmarks), face.pose(own), source.occluder[piece]
    lower_face = face.lower_face_mask(own, params.size_px)
    samples = footage.samples[run.start * RATE_HZ // FPS : run.stop * RATE_HZ // FPS]
    path = task.parts / run.crop_id
    video.write(path.with_suffix(".mp4"), iter(frames), FPS, crf=params.crf, pixel_format="yuv444p")
    audio.write_wav(path.with_suffix(".wav"), samples)
    arrays = crops.encode_arrays(
        landmarks=landmarks.astype(np.float16),
        transforms=transforms.astype(np.float32),
        valid=footage.track.valid[piece],
        measures=lips,
        pose=pose,
        mask=np.packbits(lower_face & ~before, axis=-1),
        occluder=np.packbits(before, axis=-1),
    )
    path.with_suffix(".npz").write_bytes(arrays)
    return Crop(
        crop_id=run.crop_id,
        clip_id=clip.clip_id,
        speaker=clip.speaker,
        split=clip.split,
        role=clip.role,
        language=clip.language,
        frames=len(frames),
        size_px=params.size_px,
        face_share=float(footage.track.valid.mean()),
        yaw_mean_deg=float(pose[:, 0].mean()),
        yaw_max_deg=float(np.abs(pose[:, 0]).max()),
        sharpness=quality.sharpness(frames),
        loudness_dbfs=audio.loudness_dbfs(samples),
        mouth_motion=quality.mouth_motion(lips),
        silence_share=quality.silence_share(samples, params.silence_dbfs),
        occluded_share=float((lower_face & before).any((1, 2)).mean()),
    )
