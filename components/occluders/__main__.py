"""Trains the occluder expert: which pixels of a lower face show something that is in front of it?"""

import argparse
from pathlib import Path

from components.core.base import errors, files, params, runtime


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m components.occluders", description=__doc__)
    parser.add_argument("--crops", type=Path, required=True, help="folder of the crop stage")
    parser.add_argument("--out", type=Path, required=True, help="folder for occluder.safetensors")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON of how good it is on held-out speakers")
    parser.add_argument("--plots", type=Path, required=True, help="CSV of the loss curve")
    return parser.parse_args()


@errors.shell
def main() -> None:
    """Reads, trains, writes. A killed run goes on where its last checkpoint was."""
    runtime.start()
    args = arguments()

    from components.core.media import crops
    from components.core.models import fit, weights
    from components.occluders.core import run
    from components.occluders.data import digest
    from components.occluders.params import Params

    settings, seed = params.load(Params, "occluders"), params.scalar("seed", int)
    train, held_out = crops.load(args.crops, "train"), crops.load(args.crops, "benchmark", "footage")
    this = fit.Run("occluders", seed, args.out, fit.fingerprint(settings, digest(train)))
    trained = run(train, held_out, settings, this)
    weights.save(args.out / "occluder.safetensors", trained.model, settings.model)
    files.write_json(args.metrics, trained.metrics)
    files.write_text(args.plots, trained.curve.to_csv(index=False))


if __name__ == "__main__":
    main()
