"""Sheets to check the success rule by eye: the truth's mouth over the editor's, eight moments of each clip.

Run `python -m scripts.eyes --out DIR` after `make repro`. Each sheet holds eight clips of the benchmark under their
names. Write down which ones you would call dubbed, then compare with verdicts.csv, which says what the rule said:
docs/results.md holds the last comparison.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from components.core.base import errors, files, runtime
from components.core.media import players, shards
from components.core.media.geometry import Window

Image = NDArray[np.uint8]

MOMENTS, CLIPS, HEIGHT_PX = 8, 8, 110
ROWS = ("truth", "editor")


def moments(sample: shards.Sample) -> Image:
    """ROWS of MOMENTS mouths, the moments even in time."""
    strips = []
    for row, frames in players.tiles(sample).items():
        if row in ROWS:
            window = Window.of(frames.shape[1])
            chosen = window.take(frames[np.linspace(2, len(frames) - 3, MOMENTS).round().astype(int)])
            scale = HEIGHT_PX / chosen.shape[1]
            strips.append(np.concatenate([cv2.resize(one, None, fx=scale, fy=scale) for one in chosen], axis=1))
    return np.concatenate(strips)


def sheet(named: Sequence[tuple[str, Image]]) -> Image:
    """The clips of one sheet, each under its name."""
    parts = []
    for name, picture in named:
        label = np.zeros((18, picture.shape[1], 3), np.uint8)
        cv2.putText(label, name, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
        parts += [label, picture]
    return np.concatenate(parts)


def clips(folder: Path) -> Iterator[tuple[str, Image]]:
    """The benchmark's clips by name."""
    for key, sample in shards.iterate(folder):
        if not sample["json"].get("aside"):
            yield key, moments(sample)


@errors.shell
def main() -> None:
    """Writes the sheets."""
    parser = argparse.ArgumentParser(prog="python -m scripts.eyes", description=__doc__)
    parser.add_argument("--evaluate", type=Path, default=Path("artifacts/evaluate"), help="of `dvc repro evaluate`")
    parser.add_argument("--out", type=Path, required=True, help="folder for sheet-00.png and so on")
    options = parser.parse_args()
    runtime.start()
    found = list(clips(options.evaluate))
    options.out.mkdir(parents=True, exist_ok=True)
    for number, first in enumerate(range(0, len(found), CLIPS)):
        with files.replacing(options.out / f"sheet-{number:02d}.png") as path:
            cv2.imwrite(str(path), cv2.cvtColor(sheet(found[first : first + CLIPS]), cv2.COLOR_RGB2BGR))
    table = pd.read_parquet(options.evaluate / "clips.parquet").query("row == 'editor'").set_index("pair_id")
    verdicts = table.loc[[name for name, _ in found], "success_rate"]
    files.write_text(options.out / "verdicts.csv", verdicts.to_csv())


if __name__ == "__main__":
    main()
