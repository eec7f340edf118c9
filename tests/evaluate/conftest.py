"""A world in which dubbing is a drawing: faces are textures, mouths dark boxes, and log-mel bin 0 is the opening."""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from components.core.base import params
from components.core.media.crops import Crop
from components.core.media.head import EYE_CORNERS, FOREHEAD, NOSE_BASE, PAIRS
from components.evaluate import core
from components.evaluate.benchmark import Pair, fit_mel
from components.evaluate.core import lip_measures
from components.evaluate.metrics import LIPS
from components.evaluate.params import Params
from components.evaluate.rows import MEASURED_PX, Bench

DEFAULT = Path("configs/evaluate/default.yaml")
SIZE, FRAMES = 48, 40
MOUTH_Y, MOUTH_X = 32, slice(18, 30)


def face(speaker: int) -> np.ndarray:
    """The texture of one speaker's face (h w 3)."""
    rough = np.random.default_rng(speaker).normal(150, 40, (SIZE, SIZE, 3)).astype(np.float32)
    return np.clip(cv2.GaussianBlur(rough, (0, 0), 1) + 20, 60, 255).astype(np.uint8)


def draw(background: np.ndarray, opening: np.ndarray) -> np.ndarray:
    """Frames with a black mouth of so many rows."""
    frames = np.repeat(background[None], len(opening), axis=0)
    for image, rows in zip(frames, np.clip(opening, 1, 10).round().astype(int), strict=True):
        image[MOUTH_Y : MOUTH_Y + rows, MOUTH_X] = 0
    return frames


def speech(seed: int, frames: int = FRAMES) -> np.ndarray:
    """An opening in rows, 1..9, that goes up and down as speech does."""
    rough = np.random.default_rng(seed).normal(size=frames + 20)
    smooth = np.convolve(rough, np.hanning(5), "same")[10:-10]
    return 5 + 4 * smooth / np.abs(smooth).max()


def mel_of(opening: np.ndarray) -> np.ndarray:
    mel = np.zeros((4 * len(opening), 80), np.float32)
    mel[:, 0] = np.repeat(opening, 4)
    return mel


def heard(mel: np.ndarray) -> np.ndarray:
    return mel[::4, 0]


def crop(name: str, speaker: int, opening: np.ndarray) -> Crop:
    frames = len(opening)
    mask = np.zeros((frames, SIZE, SIZE), bool)
    mask[:, 26:44, 12:36] = True
    samples = np.full(640 * frames, 0.1, np.float32)
    samples[640 * 10 : 640 * 20] = 0
    return Crop(
        crop_id=name,
        speaker=f"speaker{speaker}",
        language="en" if speaker % 2 else "es",
        frames=draw(face(speaker), opening),
        mel=mel_of(opening),
        measures=np.zeros((frames, 6), np.float32),
        pose=np.zeros((frames, 3), np.float32),
        mask=mask,
        samples=samples,
        landmarks=np.zeros((frames, 478, 3), np.float32),
        occluder=np.zeros_like(mask),
    )


def find(frames: np.ndarray) -> np.ndarray:
    """A mesh that knows this world: a rigid head, and lips where the black box begins and ends."""
    unit = MEASURED_PX / SIZE
    points = np.zeros((len(frames), 478, 3))
    points[:, PAIRS[:, 0], 0], points[:, PAIRS[:, 1], 0] = -60, 60
    points[:, EYE_CORNERS, 1], points[:, FOREHEAD, 1], points[:, NOSE_BASE, 1] = 0, -40, 40
    dark = 1 - frames[:, :, MOUTH_X].mean(axis=(2, 3)) / frames.mean()
    opening = np.clip(dark[:, 26:44], 0.3, 1).sum(axis=1) * unit
    points[:, list(LIPS), 1] = 80
    points[:, [14, 17], 1] += opening[:, None]
    points[:, 78, 0], points[:, 308, 0] = -20 + opening / 8, 20 - opening / 8
    return points


def embed(frames: np.ndarray) -> np.ndarray:
    """The upper half of the face, at unit length."""
    flat = frames[:, :24].reshape(len(frames), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def sync(frames: np.ndarray, mel: np.ndarray) -> tuple[float, float]:
    lips = find(frames)
    r = float(np.corrcoef(lips[:, 14, 1] - lips[:, 13, 1], heard(mel))[0, 1])
    return r, 1 - r


def read(frames: np.ndarray) -> np.ndarray:
    return lip_measures(find(frames))


def perfect(source: Crop, mel: np.ndarray, seed: int) -> np.ndarray:
    return draw(face(int(source.speaker[-1])), heard(mel))


def blurred(source: Crop, mel: np.ndarray, seed: int) -> np.ndarray:
    frames = draw(face(int(source.speaker[-1])), 5 + (heard(mel) - 5) / 2)
    return np.stack([cv2.GaussianBlur(image, (0, 0), 1.5) for image in frames])


@dataclass(frozen=True)
class World:
    """Loads a Bench, as rows.Loader does; the judges may be absent."""

    judged: bool = True

    def __call__(self) -> Bench:
        dub = {"generator": blurred, "editor-structure": blurred, "editor-lip": perfect, "editor": perfect}
        judges = (sync, embed, read) if self.judged else (None, None, None)
        return Bench(dub, *judges, find)


@pytest.fixture(scope="session")
def pairs() -> list[Pair]:
    """Four clips, each with the exact re-dub and the speech of another."""
    made = []
    for index in range(4):
        source = crop(f"c{index}", index, speech(index))
        truth = crop(f"c{index}--p{index}", index, speech(100 + index))
        other = fit_mel(mel_of(speech(101 + index)), FRAMES)
        slices = (f"language={source.language}", "yaw=0-10")
        made.append(Pair(truth.crop_id, source, source, truth, truth, other, slices))
    return made


@pytest.fixture(scope="session")
def without_truth(pairs: list[Pair]) -> list[Pair]:
    return [replace(pair, truth=None) for pair in pairs]


@pytest.fixture(scope="session")
def values() -> Params:
    """The params of the default scale, with fewer resamples."""
    section = yaml.safe_load(DEFAULT.read_text()) | {"bootstrap_samples": 200, "min_slice": 2, "sample_pairs": 1}
    return params.build(Params, section, "evaluate", DEFAULT)


@pytest.fixture(scope="session")
def evaluation(pairs: list[Pair], values: Params) -> core.Evaluation:
    """Every pair in every row, measured once for all tests."""
    return core.run(pairs, World(), values, seed=0, workers=1)


@pytest.fixture
def clips(evaluation: core.Evaluation) -> pd.DataFrame:
    return evaluation.clips
