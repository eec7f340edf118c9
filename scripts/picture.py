"""The picture of the README: a held-out clip, its companion by the generator, its edit, and the truth.

Run `python scripts/picture.py --out docs/images/dub.png` after `make repro`.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.core.base import errors, files, params, runtime

LABELS = ("input", "companion (generator)", "edit (editor)", "truth")
COLUMNS, TILE_PX, LABEL_PX = 8, 160, 22


def rows(crops_folder: Path, artifacts: Path, number: int) -> list[NDArray[np.uint8]]:
    """The frames (f h w 3) of the four rows for benchmark pair `number`."""
    from components.core.media import crops
    from components.core.models.synthesis import Sampling, load_editor, load_generator

    export = params.read(Path("params.yaml"))["export"]
    options = Sampling(export["steps"], export["guidance_reference"], export["guidance_audio"], seed=0)
    truth = crops.load(crops_folder, "benchmark", "truth")[number]
    source_id = truth.crop_id.rsplit("--", 1)[0]
    source = next(crop for crop in crops.load(crops_folder, "benchmark", "footage") if crop.crop_id == source_id)
    makers = (
        load_generator(artifacts / "generator", artifacts / "experts"),
        load_editor(artifacts / "editor", artifacts / "experts", occluders=artifacts / "occluders"),
    )
    frames = min(len(source.frames), len(truth.frames))
    made = [maker.dub(source, truth.mel[: 4 * len(source.frames)], options) for maker in makers]
    return [clip[:frames] for clip in (source.frames, *made, truth.frames)]


def sheet(clips: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The clips under each other, `COLUMNS` moments each, with labels."""
    import cv2

    moments = np.linspace(0, len(clips[0]) - 1, COLUMNS + 2).round().astype(int)[1:-1]
    strips = []
    for label, clip in zip(LABELS, clips, strict=True):
        title = np.full((LABEL_PX, COLUMNS * TILE_PX, 3), 255, np.uint8)
        cv2.putText(title, label, (4, LABEL_PX - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
        tiles = [cv2.resize(clip[m], (TILE_PX, TILE_PX), interpolation=cv2.INTER_CUBIC) for m in moments]
        strips += [title, np.concatenate(tiles, 1)]
    return np.concatenate(strips)


@errors.shell
def main() -> None:
    """Reads the arguments and writes the picture."""
    runtime.start()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="PNG to write")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"), help="folder of the stages' outs")
    parser.add_argument("--pair", type=int, default=0, help="which benchmark pair (default: the first)")
    args = parser.parse_args()

    import cv2

    picture = sheet(rows(args.artifacts / "crops", args.artifacts, args.pair))
    with files.replacing(args.out) as temporary:
        cv2.imwrite(str(temporary), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
