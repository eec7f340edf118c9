"""Writes the ONNX editor, checks it against torch, and writes its model card."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from components.core.base import errors, files, params, runtime

PHASES = ("structure", "lip", "texture")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=Path, required=True, help="folder of the crop stage (held-out crops)")
    parser.add_argument("--clips", type=Path, required=True, help="folder of the ingest stage (licences)")
    parser.add_argument("--experts", type=Path, required=True, help="folder of the experts stage (the front end)")
    parser.add_argument("--editor", type=Path, required=True, help="folder with structure/, lip/ and texture/")
    parser.add_argument("--evaluation", type=Path, required=True, help="metrics/evaluate.json, for the card")
    parser.add_argument("--out", type=Path, required=True, help="folder for dubstrap.onnx, card.json, MODEL_CARD.md")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON of parity and cost")
    return parser.parse_args()


@errors.shell
def main() -> None:
    """Reads, exports, checks, writes."""
    runtime.start()
    args = arguments()

    import pandas as pd

    from components.core.media import crops
    from components.core.models.synthesis import load_editor
    from components.export import card
    from components.export.core import Target, run
    from components.export.params import Params

    settings, seed = params.load(Params, "export"), params.scalar("seed", int)
    paths = {phase: args.editor / phase / "weights.safetensors" for phase in PHASES}
    editor = load_editor(args.editor, args.experts, PHASES[1:])
    hashes = {phase: files.sha256(path) for phase, path in paths.items()}
    hashes["frontend"] = files.sha256(args.experts / "frontend.safetensors")
    origin = card.Origin(card.identify(hashes), hashes, card.training(pd.read_parquet(args.clips / "clips.parquet")))
    trained_on = "{clips} clips of {speakers} speakers".format(**origin.training)
    target = Target(args.out / "dubstrap.onnx", origin.card_id, trained_on, runtime.cores())
    exported = run(editor, crops.load(args.crops, "benchmark", "footage"), settings, seed, target)
    built = card.build(origin, json.loads(args.evaluation.read_text()), exported, settings)
    files.write_json(args.out / "card.json", built)
    files.write_text(args.out / "MODEL_CARD.md", card.markdown(built))
    files.write_json(args.metrics, {"parity": asdict(exported)})


if __name__ == "__main__":
    main()
