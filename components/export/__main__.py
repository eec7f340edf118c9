"""Writes the ONNX editor and sync expert, checks them against torch, and writes the model card."""

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
    parser.add_argument("--experts", type=Path, required=True, help="folder of the experts stage (front end, guide)")
    parser.add_argument("--editor", type=Path, required=True, help="folder with structure/, lip/ and texture/")
    parser.add_argument("--evaluation", type=Path, required=True, help="metrics/evaluate.json, for the card")
    parser.add_argument("--out", type=Path, required=True, help="folder for the ONNX files, card.json, MODEL_CARD.md")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON of parity and cost")
    return parser.parse_args()


@errors.shell
def main() -> None:
    """Reads, exports, checks, writes."""
    runtime.start()
    args = arguments()

    import pandas as pd

    from components.core.media import crops
    from components.core.models.sync import load_sync
    from components.core.models.synthesis import load_editor
    from components.export import card, sync
    from components.export.core import Target, run
    from components.export.params import Params

    settings, seed = params.load(Params, "export"), params.scalar("seed", int)
    editor = load_editor(args.editor, args.experts, PHASES[1:])
    hashes = {phase: files.sha256(args.editor / phase / "weights.safetensors") for phase in PHASES}
    frontend, guide = (args.experts / f"{name}.safetensors" for name in ("frontend", "guide_sync"))
    hashes["frontend"] = files.sha256(frontend)
    weights = {**hashes, "guide_sync": files.sha256(guide)}  # it makes no lips, and so is no part of the id
    origin = card.Origin(card.identify(hashes), weights, card.training(pd.read_parquet(args.clips / "clips.parquet")))
    trained_on = "{clips} clips of {speakers} speakers".format(**origin.training)
    target = Target(args.out / "dubstrap.onnx", origin.card_id, trained_on, runtime.cores())
    heldout = crops.load(args.crops, "benchmark", "footage")
    exported = run(editor, heldout, settings, seed, target)
    expert = sync.run(load_sync(guide), heldout, settings, sync.place(target.path))
    built = card.build(origin, json.loads(args.evaluation.read_text()), exported, settings)
    files.write_json(args.out / "card.json", built)
    files.write_text(args.out / "MODEL_CARD.md", card.markdown(built))
    files.write_json(args.metrics, {"parity": asdict(exported), "sync": asdict(expert)})


if __name__ == "__main__":
    main()
