"""Trains one phase of the editor: structure, lip or texture."""

import argparse
from pathlib import Path

from components.core.base import errors, runtime


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("phase", choices=("structure", "lip", "texture"), help="which phase; the others need structure")
    parser.add_argument("--crops", type=Path, required=True, help="folder of the crop stage")
    parser.add_argument("--experts", type=Path, required=True, help="folder of the experts stage (front end, guides)")
    parser.add_argument("--pairs", type=Path, required=True, help="folder of the pairs stage (companions)")
    parser.add_argument("--validation", type=Path, required=True, help="folder with accepted.parquet")
    parser.add_argument("--generator", type=Path, help="folder of the generator (structure needs it)")
    parser.add_argument("--structure", type=Path, help="folder of the structure phase (lip and texture need it)")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights.safetensors")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON of the phase's final losses")
    parser.add_argument("--plots", type=Path, required=True, help="CSV of the loss curve")
    args = parser.parse_args()
    needed = "generator" if args.phase == "structure" else "structure"
    if getattr(args, needed) is None:
        parser.error(f"{args.phase} needs --{needed}, the folder of that stage")
    return args


@errors.shell
def main() -> None:
    """Reads, trains, writes. A killed run goes on where its last checkpoint was."""
    runtime.start()
    args = arguments()

    from components.core.base import files
    from components.core.models import weights
    from components.editor.shell import train

    config, phase = train(args)
    weights.save(args.out / "weights.safetensors", phase.tensors, config)
    files.write_json(args.metrics, phase.metrics)
    files.write_text(args.plots, phase.curve.to_csv(index=False))


if __name__ == "__main__":
    main()
