"""Films the plan into a folder: footage, rights, truth and speech, with recitals and portraits beside it."""

import csv
import logging
import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from components.core.base import files, runtime
from components.core.base.errors import UserError
from components.core.media import FPS, audio, video
from components.studio import Floats, portraits, recitals
from components.studio.camera import Camera
from components.studio.identity import Speaker
from components.studio.mouth import lips
from components.studio.params import Params
from components.studio.plan import Plan, Take, plan
from components.studio.speech import Utterance, recite
from components.studio.visemes import articulate

log = logging.getLogger(__name__)

LIPS = ("opening", "width", "jaw", "hidden")
"""Columns of truth/lips.npz, in head units (an adult's head is about 2.25 tall): the gap between the lips at the
middle, the distance between the corners, how far the chin is down; and the share 0..1 of the mouth that an occluder
hides."""

PAIR_COLUMNS = [
    *("pair_id", "split", "source", "truth", "language"),
    *("yaw_deg", "light", "occluded", "beard", "glasses", "voice"),
]


@dataclass(frozen=True)
class _Job:
    """All takes of one speaker, with what is said in each."""

    takes: tuple[tuple[Take, Utterance], ...]
    folder: Path
    size_px: int
    crf: int


@dataclass(frozen=True)
class _Truth:
    """What is known of a take: `lips` (f, 4) as LIPS says, `occluder` (f, h, w), packed over w."""

    lips: Floats
    occluder: NDArray[np.uint8]


def run(params: Params, seed: int, out: Path, workers: int) -> Plan:
    """Renders the data set into `out`, which must be absent or empty; the folder appears when it is whole.

    Raises:
        UserError: `out` holds something. It is the user's: nothing is written into it.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(
            f"{out} is not empty",
            expected="a folder that does not exist yet",
            fix=f"Move it away or choose another --out than {out}.",
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        script = plan(params, seed)
        recitals.write(folder / "recitals", params, seed, workers)
        portraits.write(folder / "portraits", params, seed, workers)
        _film(script, params, seed, folder, workers)
        folder.chmod(0o755)
        if out.exists():
            out.rmdir()
        folder.rename(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return script


def _film(script: Plan, params: Params, seed: int, folder: Path, workers: int) -> None:
    takes = script.takes()
    log.info("studio: speaking %d lines", len(takes))
    spoken = recite([take.line for take in takes], seed)
    by_speaker: dict[str, list[tuple[Take, Utterance]]] = defaultdict(list)
    for take, utterance in zip(takes, spoken, strict=True):
        by_speaker[take.speaker.name].append((take, utterance))
        if take.path.startswith("truth/") and take.line.use == "benchmark":
            speech = folder / "speech" / take.line.language / f"{Path(take.path).name}.wav"
            speech.parent.mkdir(parents=True, exist_ok=True)
            audio.write_wav(speech, utterance.samples)
    jobs = [_Job(tuple(todo), folder, params.size_px, params.crf) for todo in by_speaker.values()]
    jobs.sort(key=lambda job: -sum(take.frames for take, _ in job.takes))  # long ones first: even load
    truth: dict[str, _Truth] = {}
    for found in runtime.map_processes(_shoot, jobs, "studio: filming speakers", workers):
        truth.update(found)
    (folder / "truth").mkdir(exist_ok=True)
    np.savez_compressed(folder / "truth" / "lips.npz", **{key: truth[key].lips for key in sorted(truth)})
    np.savez_compressed(folder / "truth" / "occluders.npz", **{key: truth[key].occluder for key in sorted(truth)})
    _write_pairs(script, folder / "truth" / "pairs.csv")
    for speaker in script.speakers:
        _write_rights(speaker, folder / "footage" / speaker.name / "rights.yaml")


def _shoot(job: _Job) -> dict[str, _Truth]:
    """Films all takes of a speaker and returns what is true of each, by path."""
    cv2.setNumThreads(1)
    camera = Camera(job.takes[0][0].speaker, job.size_px)
    truth = {}
    for take, utterance in job.takes:
        path = (job.folder / take.path).with_suffix(".mp4")
        path.parent.mkdir(parents=True, exist_ok=True)
        postures = articulate(utterance.phonemes, take.frames, FPS, take.speaker.manner)
        shots = list(camera.film(take.performance, postures))
        video.write(path, (shot.frame for shot in shots), FPS, crf=job.crf, audio=utterance.samples)
        mouths = [lips(posture, take.speaker) for posture in postures]
        rows = [(m.opening, 2 * m.half_width, m.drop, shot.hidden) for m, shot in zip(mouths, shots, strict=True)]
        before = np.stack([shot.occluder for shot in shots])
        truth[take.path] = _Truth(np.array(rows, np.float32), np.packbits(before, axis=-1))
    return truth


def _write_rights(speaker: Speaker, path: Path) -> None:
    rights = {
        "speaker": speaker.name,
        "language": speaker.language,
        "licence": "CC0-1.0",
        "consent": "synthetic: no real person is shown or heard",
        "permitted": ["train", "dub", "publish"],
        "source": "rendered by dubstrap studio",
    }
    files.write_text(path, yaml.safe_dump(rights, sort_keys=False))


def _write_pairs(script: Plan, path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(PAIR_COLUMNS)
        for pair in script.pairs:
            how, who = pair.source.performance, pair.source.speaker
            writer.writerow(
                (
                    pair.pair_id,
                    pair.source.line.use,
                    f"{pair.source.path}.mp4",
                    f"{pair.truth.path}.mp4",
                    pair.truth.line.language,
                    round(how.yaw_deg, 1),
                    how.lamp,
                    how.occluder != "none",
                    who.beard,
                    who.glasses is not None,
                    who.voice.variant,
                )
            )
