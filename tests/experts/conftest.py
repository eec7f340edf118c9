"""People who talk in boxes: a mouth opens with the loudness of its sound, on a face of each speaker's own colours."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from components.core.base import seeds
from components.core.media import RATE_HZ, crops, mel, shards, video
from components.core.media.crops import Crop
from components.core.media.face import MEASURES
from components.core.models.fit import Fit
from components.core.models.frontend import FrontEndConfig
from components.core.models.identity import IdentityConfig
from components.core.models.lips import LipsConfig
from components.core.models.sync import SyncConfig
from components.experts.augment import PictureAugment, SpeechAugment
from components.experts.params import ExpertsParams, FrontEndParams, IdentityParams, LipsParams, SyncParams

SIZE_PX = 24
FRAMES = 70


def talk(speaker: str, clip: int) -> Crop:
    """A crop of FRAMES frames of SIZE_PX pixels; every measure follows the loudness."""
    rng = seeds.rng(0, speaker, clip)
    opening = np.convolve(rng.random(FRAMES + 4), np.ones(5) / 5, "valid")
    opening = ((opening - opening.min()) / np.ptp(opening)).astype(np.float32)
    samples = (np.repeat(opening**2, RATE_HZ // 25) * 0.3 * rng.standard_normal(FRAMES * RATE_HZ // 25)).astype(
        np.float32
    )
    colours = seeds.rng(0, speaker).integers(60, 250, (3, 3))
    frames = np.empty((FRAMES, SIZE_PX, SIZE_PX, 3), np.uint8)
    for index, colour in enumerate(colours):
        frames[:, index * 8 : index * 8 + 8] = colour
    for frame, height in zip(frames, np.rint(opening * 5).astype(int), strict=True):
        frame[16 - height : 16 + height, 8:16] = 0
    return Crop(
        crop_id=f"{speaker}-{clip}",
        speaker=speaker,
        language="en",
        frames=frames,
        mel=mel.for_frames(samples, FRAMES),
        measures=np.stack([opening * 0.1 * (k + 1) for k in range(len(MEASURES))], 1).astype(np.float32),
        pose=np.zeros((FRAMES, 3), np.float32),
        mask=np.zeros((FRAMES, SIZE_PX, SIZE_PX), bool),
        samples=samples,
        landmarks=np.zeros((FRAMES, 478, 3), np.float32),
        occluder=np.zeros((FRAMES, SIZE_PX, SIZE_PX), bool),
    )


@pytest.fixture(scope="session")
def people() -> Callable[[str, int], list[Crop]]:
    """`people(names, clips)`: the crops of one-letter speakers."""
    return lambda names, clips: [talk(name, clip) for name in names for clip in range(clips)]


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory, people: Callable[[str, int], list[Crop]]) -> Path:
    """A folder as the crop stage writes it: speakers a to d for training, y and z of the benchmark."""
    folder = tmp_path_factory.mktemp("crops")
    rows = []
    with shards.ShardWriter(folder, "crops", 8) as writer:
        for crop in people("abcdyz", 2):
            about = {"crop_id": crop.crop_id, "speaker": crop.speaker, "language": crop.language}
            split = "benchmark" if crop.speaker in "yz" else "train"
            shard = writer.add(crop.crop_id, _sample(crop) | {"json": about})
            rows.append(about | {"split": split, "role": "footage", "shard": shard})
    pd.DataFrame(rows).to_parquet(folder / "crops.parquet")
    return folder


def _sample(crop: Crop) -> dict[str, bytes]:
    movie, sound = io.BytesIO(), io.BytesIO()
    video.write(movie, crop.frames, 25, crf=6, pixel_format="yuv444p")
    soundfile.write(sound, crop.samples, RATE_HZ, format="WAV")
    arrays = crops.encode_arrays(
        landmarks=crop.landmarks,
        measures=crop.measures,
        pose=crop.pose,
        mask=np.packbits(crop.mask, axis=-1),
        occluder=np.packbits(crop.occluder, axis=-1),
    )
    return {"mp4": movie.getvalue(), "wav": sound.getvalue(), "npz": arrays}


@pytest.fixture
def tiny() -> ExpertsParams:
    """Settings for crops of 24 pixels that learn in seconds."""
    fit = Fit(
        steps=40, lr=3e-3, warmup_steps=4, weight_decay=0.01, ema_decay=0.8, clip_norm=1.0, checkpoint_every_steps=20
    )
    speech = SpeechAugment(gain_db=1.0, tilt_db=1.0, shift_bands=1.0, stretch=0.01, noise_db=-60.0)
    picture = PictureAugment(shift=0.02, zoom=0.02, turn_deg=1.0, light=0.1, noise=0.01, blur=0.1)
    return ExpertsParams(
        FrontEndParams(FrontEndConfig(32, (1,)), fit, 8, 8, 20, 0.5, 0.0, 0.1, speech),
        SyncParams(SyncConfig(16, 24, 8, 48, 32), fit, 6, 20, 0.1, speech, picture),
        IdentityParams(IdentityConfig(32, 8, 16), fit, 16, 0.2, 16.0, 0.5, picture),
        LipsParams(LipsConfig(16, 16, 8, 32), fit, 6, 8, 0.5, picture),
    )
