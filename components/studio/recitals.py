"""Speech without pictures: what many voices say and, exactly, what the lips do, to train ears that need no face."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from components.core.base import runtime, seeds
from components.core.media import FPS, RATE_HZ
from components.studio.identity import draw_voice
from components.studio.params import RECITAL_LINE_S, Params
from components.studio.speech import Line, recite
from components.studio.visemes import CHANNELS, Manner, articulate

MANNER = Manner(jaw_gain=1.0, lip_gain=1.0, reach_s=0.055)
"""Of nobody: the middle of what speakers are drawn from."""


@dataclass(frozen=True)
class _Job:
    """All lines of one language, and the files to write without their suffix."""

    lines: tuple[Line, ...]
    seed: int
    path: Path


def write(folder: Path, params: Params, seed: int, workers: int) -> None:
    """Writes `<language>.flac` and `<language>.npz` for every language of `params`."""
    folder.mkdir(parents=True)
    count, languages = round(params.recital_minutes * 60 / RECITAL_LINE_S), params.languages
    lines = [_line(params, seed, number) for number in range(count)]
    jobs = [_Job(tuple(lines[at :: len(languages)]), seed, folder / name) for at, name in enumerate(languages)]
    runtime.map_processes(_write, jobs, "studio: speaking recitals", workers)


def _line(params: Params, seed: int, number: int) -> Line:
    rng = seeds.rng(seed, "studio", "recital", number)
    voice = draw_voice(rng, bool(rng.integers(2)), int(rng.integers(12)))
    language = params.languages[number % len(params.languages)]
    return Line(f"recitals/{number:05d}", language, voice, "recital", RECITAL_LINE_S, params.room_noise_dbfs)


def _write(job: _Job) -> None:
    """Speaks in a process of its own, so that the bytes depend on nothing that was said before."""
    spoken = recite(job.lines, job.seed)
    frames = RECITAL_LINE_S * FPS
    tracks = np.concatenate([articulate(said.phonemes, frames, FPS, MANNER) for said in spoken])
    samples = np.concatenate([said.samples for said in spoken])
    soundfile.write(job.path.with_suffix(".flac"), samples, RATE_HZ, subtype="PCM_16")
    np.savez_compressed(job.path.with_suffix(".npz"), tracks=tracks.astype(np.float16), channels=np.array(CHANNELS))
