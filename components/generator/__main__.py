"""Trains the generator: masked inpainting of the lower face from references and speech."""

import argparse
from pathlib import Path

from components.core.base import errors, files, params, runtime


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=Path, required=True, help="folder of the crop stage")
    parser.add_argument("--experts", type=Path, required=True, help="folder of the experts stage (the front end)")
    parser.add_argument("--out", type=Path, required=True, help="folder for generator.safetensors")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON of what was measured")
    parser.add_argument("--plots", type=Path, required=True, help="CSV of the loss curve")
    return parser.parse_args()


@errors.shell
def main() -> None:
    """Reads, trains, writes. A killed run goes on where its last checkpoint was."""
    runtime.start()
    args = arguments()

    from components.core.media import crops
    from components.core.models import fit, hardware, weights, windows
    from components.core.models.frontend import load_frontend
    from components.generator.core import run
    from components.generator.params import Params

    settings, seed = params.load(Params, "generator"), params.scalar("seed", int)
    train, held_out = crops.load(args.crops, "train", "footage"), crops.load(args.crops, "benchmark", "footage")
    frontend = args.experts / "frontend.safetensors"
    fingerprint = fit.fingerprint(settings, windows.digest(train), files.sha256(frontend))
    this = fit.Run("generator", seed, args.out, fingerprint, hardware.precision())
    trained = run(train, held_out, load_frontend(frontend), settings, this)
    weights.save(args.out / "generator.safetensors", trained.model, trained.model.config)
    files.write_json(args.metrics, trained.metrics)
    files.write_text(args.plots, trained.curve.to_csv(index=False))


if __name__ == "__main__":
    main()
