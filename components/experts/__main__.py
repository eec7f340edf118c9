"""`python -m components.experts`: crops in, front end and sync, identity and lips experts out."""

import argparse
from pathlib import Path

from components.core.base import errors, files, params, runtime


@errors.shell
def main() -> None:
    """Arguments, params, read, run, write."""
    runtime.start()
    parser = argparse.ArgumentParser(
        prog="python -m components.experts",
        description="Train the audio front end (speech to lip measures), and experts of sync, identity and lips: a "
        "guide for losses and a judge for evaluation each, of different speakers. A killed run goes on where it was.",
        epilog="Settings: configs/experts/default.yaml; then `make params`. Usually run by `dvc repro experts`.",
    )
    parser.add_argument("--crops", type=Path, required=True, help="what components.crop wrote")
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder whose recitals/ the front end hears and whose portraits/ the identity experts see, if any",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the trained experts")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON file: how good each is on held-out speakers")
    parser.add_argument("--plots", type=Path, required=True, help="CSV file: loss by step and expert")
    arguments = parser.parse_args()
    from components.core.media import crops
    from components.experts import portraits, recitals
    from components.experts.core import run
    from components.experts.data import Material
    from components.experts.params import ExpertsParams

    settings, seed = params.load(ExpertsParams, "experts"), params.scalar("seed", int)
    training = crops.load(arguments.crops, split="train")
    size_px = training[0].frames.shape[1] if training else 0
    seen = portraits.load(arguments.data, size_px, runtime.cores()) if training else []
    material = Material(training, recitals.load(arguments.data), seen)
    heldout = crops.load(arguments.crops, split="benchmark", role="footage")
    outcome = run(material, heldout, settings, seed, arguments.out)
    files.write_json(arguments.metrics, outcome.metrics)
    files.write_text(arguments.plots, outcome.curves.to_csv(index=False))


if __name__ == "__main__":
    main()
