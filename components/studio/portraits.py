"""People who only sit for their picture: enough faces to learn from who is who, which takes no speech."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from components.core.base import runtime, seeds
from components.core.media import FPS
from components.core.media.video import Image
from components.studio.camera import Camera
from components.studio.identity import cast
from components.studio.params import PORTRAIT_LOOKS, Params
from components.studio.performance import perform
from components.studio.visemes import CHANNELS, visemes

FIRST = 1000
"""Number of the first person: far from those who talk, so that there may be more of these."""
SOUNDS = ("a", "i", "o", "s", "f", "e", "u", "l", "æ", "m", "ʃ", "")
"""The lips are caught in one of these; the last is a mouth at rest."""
QUALITY = 95
"""Of the JPEG: crops are smaller than these pictures."""


@dataclass(frozen=True)
class _Job:
    """One person."""

    number: int
    params: Params
    seed: int
    folder: Path


def write(folder: Path, params: Params, seed: int, workers: int) -> None:
    """Writes `person<n>.jpg` for every person: looks side by side, each in another light, pose, place and posture."""
    folder.mkdir(parents=True)
    jobs = [_Job(number, params, seed, folder) for number in range(params.portraits)]
    runtime.map_processes(_sit, jobs, "studio: portraits", workers)


def _sit(job: _Job) -> None:
    cv2.setNumThreads(1)
    picture = cv2.cvtColor(np.hstack(list(_looks(job))), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(job.folder / f"person{job.number:04d}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


def _looks(job: _Job) -> Iterator[Image]:
    camera = Camera(cast(FIRST + job.number, job.seed, job.params.languages), job.params.size_px)
    for look in range(PORTRAIT_LOOKS):
        name, number = f"portraits/{job.number:04d}/{look}", job.number * PORTRAIT_LOOKS + look
        performance = replace(perform(job.seed, name, number, 1, FPS), occluder="none")
        viseme = visemes(SOUNDS[int(seeds.rng(job.seed, "studio", name).integers(len(SOUNDS)))])[0]
        posture = np.array([[getattr(viseme, channel) for channel in CHANNELS]])
        yield next(iter(camera.film(performance, posture))).frame
