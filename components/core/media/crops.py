"""The crops of the crop stage, in memory."""

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow.parquet
import soundfile
from numpy.typing import NDArray

from components.core.base import runtime
from components.core.base.errors import UserError
from components.core.media import FPS, MEL_PER_FRAME, RATE_HZ, mel, shards, video
from components.core.media.geometry import Window

Split = Literal["train", "benchmark"]
Role = Literal["footage", "truth"]


@dataclass(frozen=True)
class Crop:
    """One aligned face talking, f frames at 25 fps."""

    crop_id: str
    speaker: str
    language: str
    frames: NDArray[np.uint8]
    """(f, h, w, 3) RGB."""
    mel: NDArray[np.float32]
    """(4f, 80) log-mel of its own sound."""
    measures: NDArray[np.float32]
    """(f, k) of face.MEASURES."""
    pose: NDArray[np.float32]
    """(f, 3) yaw, pitch, roll in degrees."""
    mask: NDArray[np.bool_]
    """(f, h, w) lower face, jaw opened to a fixed maximum, without what is before it."""
    samples: NDArray[np.float32]
    """(640 f,) sound at 16 kHz."""
    landmarks: NDArray[np.float32]
    """(f, 478, 3) in crop pixels."""
    occluder: NDArray[np.bool_]
    """(f, h, w) hands and things before the face."""

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """(f,) whether something is before the lower face."""
        return np.asarray(Window.of(self.frames.shape[1]).take(self.occluder).any((1, 2)))

    def part(self, start: int, stop: int) -> "Crop":
        """Frames start .. stop - 1, with the speech that belongs to them."""
        per_frame = ("frames", "measures", "pose", "mask", "landmarks", "occluder")
        cut = {name: getattr(self, name)[start:stop] for name in per_frame}
        mel = self.mel[start * MEL_PER_FRAME : stop * MEL_PER_FRAME]
        samples = self.samples[start * RATE_HZ // FPS : stop * RATE_HZ // FPS]
        return replace(self, mel=mel, samples=samples, **cut)


def load(folder: Path, split: Split | None = None, role: Role | None = None) -> list[Crop]:
    """The crops of a split and a role (all where None), in the order of their ids.

    Raises:
        UserError: the folder has no crops.parquet.
    """
    path = folder / "crops.parquet"
    if not path.is_file():
        raise UserError(f"{path} does not exist", fix="Run `dvc repro crop`.")
    rows = {row["crop_id"]: row for row in pyarrow.parquet.read_table(path).to_pylist()}
    wanted = {key for key, row in rows.items() if split in (None, row["split"]) and role in (None, row["role"])}
    decoded = runtime.map_threads(decode, (sample for key, sample in shards.iterate(folder) if key in wanted))
    found = {crop.crop_id: crop for crop in decoded}
    return [found[key] for key in sorted(wanted)]


def decode(sample: shards.Sample) -> Crop:
    """The crop in one sample of a shard."""
    about = sample["json"]
    frames = video.decode_bytes(sample["mp4"])
    samples, _ = soundfile.read(io.BytesIO(sample["wav"]), dtype="float32")
    with np.load(io.BytesIO(sample["npz"])) as arrays:
        measured = {name: arrays[name] for name in ("landmarks", "measures", "pose", "mask", "occluder")}
    mask, occluder = (_unpacked(measured[name], frames.shape[2]) for name in ("mask", "occluder"))
    return Crop(
        crop_id=about["crop_id"],
        speaker=about["speaker"],
        language=about["language"],
        frames=frames,
        mel=mel.for_frames(samples, len(frames)),
        measures=measured["measures"],
        pose=measured["pose"],
        mask=mask,
        samples=samples,
        landmarks=measured["landmarks"].astype(np.float32),
        occluder=occluder,
    )


def _unpacked(bits: NDArray[np.uint8], width: int) -> NDArray[np.bool_]:
    return np.unpackbits(bits, axis=-1, count=width).astype(bool)


def encode_arrays(**arrays: NDArray[Any]) -> bytes:
    """A compressed .npz, the same bytes for the same arrays."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
