"""What a person needs to judge one pair: all rows in one film, with the speech, and the lips' opening in each."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from components.core.media import FPS, shards, video
from components.evaluate.aside import GROUPS
from components.evaluate.benchmark import Pair
from components.evaluate.metrics import Floats, Frames

PER_SHARD = 64
CRF = 16


@dataclass(frozen=True)
class Player:
    """One pair for `dubstrap review`.

    Attributes:
        pair_id: of the pair.
        film: MP4, the rows side by side in one picture, so that they can't get out of step, with the driving speech.
        about: JSON values: `rows` from left to right, `width_px` of each, `frames`, `fps`, `slices`, `speaker`,
            `aside` (whether it is of a group of aside.py), and
            `opening`, the lips' in each row frame by frame in eye distances, null where no face was found.
    """

    pair_id: str
    film: bytes
    about: dict[str, Any]


def make(pair: Pair, frames: Mapping[str, Frames], opening: Mapping[str, Floats]) -> Player:
    """The pair's player; `opening` is (f,) per row, NaN in frames without a face."""
    buffer = io.BytesIO()
    strip = np.concatenate(list(frames.values()), axis=2)
    video.write(buffer, strip, FPS, crf=CRF, audio=pair.speech.samples)
    about = {
        "rows": list(frames),
        "width_px": strip.shape[2] // len(frames),
        "frames": len(strip),
        "fps": FPS,
        "slices": list(pair.slices),
        "aside": not GROUPS.isdisjoint(pair.slices),
        "speaker": pair.source.speaker,
        "opening": {row: [_rounded(value) for value in values] for row, values in opening.items()},
    }
    return Player(pair.pair_id, buffer.getvalue(), about)


def write(folder: Path, players: list[Player]) -> None:
    """`players-00000.tar ...` with `<pair_id>.mp4` and `<pair_id>.json`."""
    with shards.ShardWriter(folder, "players", PER_SHARD) as writer:
        for player in players:
            writer.add(player.pair_id, {"mp4": player.film, "json": player.about})


def _rounded(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
