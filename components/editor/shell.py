"""Reads what a phase needs from its folders and params, and trains it."""

import argparse
from typing import Any

import pandas as pd

from components.core.base import files, params
from components.core.media import crops
from components.core.models import hardware
from components.core.models.fit import Run, fingerprint
from components.core.models.frontend import load_frontend
from components.core.models.synthesis import ExpertConfig, load_dubber
from components.core.models.windows import digest
from components.editor import core, data, rounds
from components.editor.params import Bootstrap, Common, Lip, Structure, Texture
from components.editor.phases import GUIDES, Guides, guide_file

PARAMS: dict[str, type[Any]] = {"structure": Structure, "lip": Lip, "texture": Texture}


def train(args: argparse.Namespace) -> tuple[Any, core.Phase]:
    """The config to save beside the weights, and what the phase leaves."""
    common, seed = params.load(Common, "editor.common"), params.scalar("seed", int)
    settings = params.load(PARAMS[args.phase], f"editor.{args.phase}")
    accepted = args.validation / "accepted.parquet"
    frontend = args.experts / "frontend.safetensors"
    guides = [guide_file(args.experts, name) for name in GUIDES]
    inputs = [accepted, frontend, args.pairs / "pairs.parquet", *guides]
    if args.phase != "structure":
        inputs.append(args.structure / "weights.safetensors")
    elif settings.from_generator:
        inputs.append(args.generator / "generator.safetensors")
    train_crops = crops.load(args.crops, "train")
    mark = fingerprint(common, settings, digest(train_crops), *(files.sha256(path) for path in inputs))
    run = Run(f"editor-{args.phase}", seed, args.out, mark, hardware.precision())
    hears = load_frontend(frontend)
    material = data.load(train_crops, hears, pd.read_parquet(accepted), args.pairs, common)
    asked = Guides.load(args.experts)
    if args.phase == "structure":
        generator = load_dubber(args.generator / "generator.safetensors") if settings.from_generator else None
        count = params.load(Bootstrap, "bootstrap").rounds
        return rounds.structure(material, (generator, asked, hears), (common, settings), count, run)
    model = load_dubber(args.structure / "weights.safetensors")
    phase = getattr(core, args.phase)(material, model, asked, common, settings, run)
    return ExpertConfig(settings.rank, settings.band), phase
