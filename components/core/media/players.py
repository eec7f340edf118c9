"""The films of artifacts/evaluate, taken apart again: every row of the benchmark for one clip, and the speech."""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.core.media import audio, video
from components.core.media.shards import Sample


def tiles(sample: Sample) -> dict[str, NDArray[np.uint8]]:
    """The frames (f h w 3) of each row, from left to right."""
    rows, film = sample["json"]["rows"], video.decode_bytes(sample["mp4"])
    width = film.shape[2] // len(rows)
    return {row: film[:, :, number * width : (number + 1) * width] for number, row in enumerate(rows)}


def speech(sample: Sample) -> NDArray[np.float32]:
    """The driving speech (n,), 16 kHz, in [-1, 1]."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(sample["mp4"])
        file.flush()
        return audio.load(Path(file.name))
