"""What references alone look like, before any network: pasted over the source's mouth and compared with the truth.

Run `python -m scripts.references` after `dvc repro experts`. It takes exact pairs of training speakers, whose lips the
front end hears, and writes the table of docs/decisions.md: for the average and for the nearest frame, flicker over the
truth's, mouth PSNR, and for the nearest r of its lip opening with the truth's, by how the references are found.
"""

import argparse
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from components.core.base import errors, runtime
from components.core.media import references
from scripts.results import insert, table

if TYPE_CHECKING:
    from components.core.media.crops import Crop
    from components.core.models.frontend import FrontEnd

PAGE = Path("docs/decisions.md")
NONE = np.array([0, 0, 1, 0, 0])
TRIALS = {
    "as they are": {},
    "average not smoothed": {"SMOOTH": NONE},
    "average not smoothed, softness 3": {"SMOOTH": NONE, "SOFTNESS": 3.0},
    "softness 3": {"SOFTNESS": 3.0},
    "nearest each for itself (steady 0)": {"STEADY": 0.0},
    "steady 5": {"STEADY": 5.0},
    "steady 50": {"STEADY": 50.0},
}
"""Constants of core/media/references.py that differ from the default."""


@dataclass(frozen=True)
class Measured:
    """One pair's figures."""

    average_flicker: float
    average_psnr_db: float
    nearest_flicker: float
    nearest_psnr_db: float
    nearest_opening_r: float


def constants(values: dict[str, object]) -> AbstractContextManager[object]:
    """The module with other constants."""
    return patch.dict(vars(references), values)


def measure(source: "Crop", truth: "Crop", frontend: "FrontEnd") -> Measured:
    """The references that the source gives to the truth's speech, in place of the mouth."""
    import torch

    from components.core.media.face import MEASURES
    from components.core.media.geometry import Window
    from components.core.models.frontend import encode_clip
    from components.core.models.windows import own_references
    from components.evaluate import metrics

    count = len(truth.frames)
    heard = encode_clip(frontend, torch.from_numpy(truth.mel)).numpy()
    found, window = own_references(source, heard, 2, gap_frames=0), Window.of(source.frames.shape[1])
    mouth = np.zeros_like(truth.mask)
    window.take(mouth)[:] = window.take(source.mask[:count] & truth.mask)
    still = metrics.still_pixels(truth.frames, mouth)
    flicker = metrics.flicker(truth.frames, still)

    def pasted(windows: NDArray[np.uint8]) -> NDArray[np.uint8]:
        frames = source.frames[:count].copy()
        window.take(frames)[:] = windows
        return frames

    average, near = (pasted(video) for video in references.videos(window.take(source.frames), found))
    opening = MEASURES.index("opening")
    return Measured(
        metrics.flicker(average, still) / flicker,
        metrics.psnr_db(average, truth.frames, mouth),
        metrics.flicker(near, still) / flicker,
        metrics.psnr_db(near, truth.frames, mouth),
        metrics.correlation(source.measures[found.nearest[:, 0], opening], truth.measures[:, opening]),
    )


@errors.shell
def main() -> None:
    """Measures every trial and writes the table."""
    parser = argparse.ArgumentParser(prog="python -m scripts.references", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"), help="of `dvc repro experts`")
    parser.add_argument("--every", type=int, default=4, help="take one pair in so many (default: %(default)s)")
    options = parser.parse_args()
    runtime.start()
    from components.core.media import crops
    from components.core.models.frontend import load_frontend

    known = {crop.crop_id: crop for crop in crops.load(options.artifacts / "crops", "train")}
    pairs = [(known.get(name.rpartition("--")[0]), truth) for name, truth in known.items()]
    exact = [(source, truth) for source, truth in pairs if source is not None][:: options.every]
    if not exact:
        raise errors.UserError(f"{options.artifacts / 'crops'} holds no exact pair", fix="Set studio.train_pairs.")
    frontend, lines = load_frontend(options.artifacts / "experts" / "frontend.safetensors"), []
    columns = [field.name for field in fields(Measured)]
    with runtime.progress("references", len(TRIALS) * len(exact)) as advance:
        for name, values in TRIALS.items():
            found = []
            for source, truth in exact:
                with constants(values):
                    found.append(measure(source, truth, frontend))
                advance(1)
            means = [float(np.nanmean([getattr(one, column) for one in found])) for column in columns]
            lines.append([name, *(f"{mean:.2f}" for mean in means)])
    head = ["references", *(column.replace("_", " ") for column in columns)]
    insert(PAGE, f"{len(exact)} exact pairs of training speakers:\n\n{table(head, lines)}", "references")


if __name__ == "__main__":
    main()
