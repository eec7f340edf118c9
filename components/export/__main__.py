"""Writes the ONNX editor, sync and occluder experts, checks them against torch, and writes the model card."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from components.core.base import errors, files, params, runtime

PHASES = ("structure", "lip", "texture")


PATHS = {
    "crops": "folder of the crop stage (held-out crops)",
    "clips": "folder of the ingest stage (licences)",
    "experts": "folder of the experts stage (front end, guide)",
    "occluders": "folder of the occluders stage",
    "editor": "folder with structure/, lip/ and texture/",
    "evaluation": "metrics/evaluate.json, for the card",
    "out": "folder for the ONNX files, card.json, MODEL_CARD.md",
    "metrics": "JSON of parity and cost",
}


@errors.shell
def main() -> None:
    """Reads, exports, checks, writes."""
    runtime.start()
    parser = argparse.ArgumentParser(description=__doc__)
    for name, about in PATHS.items():
        parser.add_argument(f"--{name}", type=Path, required=True, help=about)
    args = parser.parse_args()

    from components.core.media import crops
    from components.core.models.occluder import load_occluder
    from components.core.models.sync import load_sync
    from components.core.models.synthesis import load_editor
    from components.export import beside, card, occluder, sync
    from components.export.core import Target, run
    from components.export.params import Params

    settings, seed = params.load(Params, "export"), params.scalar("seed", int)
    editor = load_editor(args.editor, args.experts, PHASES[1:])
    guide, cover = args.experts / "guide_sync.safetensors", args.occluders / "occluder.safetensors"
    made_of = {phase: args.editor / phase / "weights.safetensors" for phase in PHASES}
    made_of |= {path.stem: path for path in (args.experts / "frontend.safetensors", guide, cover)}
    origin = card.origin(made_of, settings, args.clips / "clips.parquet")
    target = Target(args.out / "dubstrap.onnx", origin.card_id, origin.trained_on, runtime.cores())
    heldout = crops.load(args.crops, "benchmark", "footage")
    exported = run(editor, heldout, settings, seed, target)
    heard = sync.run(load_sync(guide), heldout, settings, beside.place(target.path, "sync"))
    found = occluder.run(load_occluder(cover), heldout, settings, beside.place(target.path, "occluder"))
    built = card.build(origin, json.loads(args.evaluation.read_text()), exported, settings)
    files.write_json(args.out / "card.json", built)
    files.write_text(args.out / "MODEL_CARD.md", card.markdown(built))
    files.write_json(args.metrics, {"parity": asdict(exported), "sync": asdict(heard), "occluder": asdict(found)})


if __name__ == "__main__":
    main()
