"""What each part of the recipe is worth: editors trained without it, all for as long, on the same benchmark clips.

Run `python -m scripts.ablations` after `make repro`. It reads artifacts/ and params.yaml, trains the structure phase
once per line of VARIANTS and ROUNDS, dubs some of the benchmark with each, then dubs with the workspace's own editor
with its experts on and off and in more or fewer steps. It goes on where it was stopped.
"""

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.core.base import errors, files, params, runtime
from scripts.results import cell, insert, table

if TYPE_CHECKING:
    from components.core.media.crops import Crop
    from components.core.models.synthesis import Editor, Inpainter, Synthesizer
    from components.editor.data import Data
    from components.editor.params import Common, Structure
    from components.editor.phases import Guides
    from components.evaluate.benchmark import Pair

VARIANTS: dict[str, dict[str, Any]] = {
    "recipe": {},
    "uniform timesteps": {"structure.objective.timesteps": {"shift": 1.0, "base": "uniform", "start_share": 0.0}},
    "no draws at t = 1": {"structure.objective.timesteps.start_share": 0.0},
    "references on the frame axis": {"common.architecture.layout": "frames"},
    "one reference": {"common.references": 1},
    "from random weights": {"structure.from_generator": False},
    "no exact pairs": {"common.exact_share": 0.0},
    "no pasted mouths": {"common.paste_share": 0.0},
    "no lips loss": {"structure.lips_weight": 0.0},
    "no hole loss": {"structure.hole_weight": 0.0},
    "no motion loss": {"structure.objective.motion_weight": 0.0},
}
"""Changes of the params' section `editor`, by name."""
PHASES: dict[str, tuple[tuple[str, ...], dict[str, tuple[float, float]]]] = {
    "structure": ((), {}),
    "structure + lip": (("lip",), {}),
    "structure + texture": (("texture",), {}),
    "all, in their bands": (("lip", "texture"), {}),
    "all, in the paper's bands": (("lip", "texture"), {"lip": (0.4, 0.8), "texture": (0.0, 0.3)}),
    "all, always on": (("lip", "texture"), {"lip": (0.0, 1.0), "texture": (0.0, 1.0)}),
}
"""Experts, and bands that are not those of the run."""
STEPS = (1, 2, 3, 4, 8, 16)
ROUNDS = ("2", "3")
"""Of the bootstrap: the editor of one round makes the companions of the next. Round 1 is the recipe of VARIANTS."""
BUDGET = (400, 800, 1600, 3200, 6400)
"""Training steps of the structure phase; the table begins with what the generator does."""
TABLES = {
    "variants": tuple(VARIANTS),
    "rounds": ROUNDS,
    "budget": ("generator", *map(str, BUDGET)),
    "phases": tuple(PHASES),
    "steps": tuple(map(str, STEPS)),
}
METRICS = (
    "mouth_psnr_db", "read_opening_r", "read_width_r", "lip_opening_r", "old_lip_r", "sync_confidence",
    "identity_cosine", "sharpness_ratio", "jitter_ratio",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """Where things are, how many steps the recipe trains, how many pairs are dubbed, and which of TABLES are made."""

    artifacts: Path
    out: Path
    steps: int
    pairs: int
    seed: int
    tables: tuple[str, ...]


def changed(section: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a section of the params with values replaced, by dotted name.

    Raises:
        KeyError: a name that the section does not have.
    """
    result: dict[str, Any] = json.loads(json.dumps(section))
    for name, value in change.items():
        *path, last = name.split(".")
        node = result
        for key in path:
            node = node[key]
        if last not in node:
            raise KeyError(name)
        node[last] = value
    return result


def settings(change: Mapping[str, Any], steps: int) -> tuple["Common", "Structure"]:
    """The editor's params with a change, to train for `steps` steps."""
    from components.editor.params import Common, Structure

    path = Path("params.yaml")
    section = changed(params.read(path)["editor"], {**change, "structure.fit.steps": steps})
    return (
        params.build(Common, section["common"], "editor.common", path),
        params.build(Structure, section["structure"], "editor.structure", path),
    )


@cache
def _teachers(artifacts: Path) -> tuple["Inpainter", "Guides"]:
    from components.core.models.synthesis import load_generator
    from components.editor.phases import Guides

    return load_generator(artifacts / "generator", artifacts / "experts"), Guides.load(artifacts / "experts")


@cache
def _crops(artifacts: Path) -> list["Crop"]:
    from components.core.media import crops

    return crops.load(artifacts / "crops", "train")


@cache
def _data(artifacts: Path, common: "Common") -> "Data":
    import pandas as pd

    from components.core.models.frontend import load_frontend
    from components.editor import data

    accepted = pd.read_parquet(artifacts / "validation/pairs/accepted.parquet")
    frontend = load_frontend(artifacts / "experts/frontend.safetensors")
    return data.load(_crops(artifacts), frontend, accepted, artifacts / "pairs", common)


def material(artifacts: Path, common: "Common") -> "Data":
    """What `common` trains on, loaded once for all that differ in how it is drawn alone."""
    from components.editor.params import Common

    same = replace(
        params.load(Common, "editor.common"), references=common.references, exact_share=float(common.exact_share > 0)
    )
    return _data(artifacts, same)


def train(
    plan: Plan, name: str, change: Mapping[str, Any], steps: int, maker: "Editor | None" = None
) -> tuple["Editor", float]:
    """The structure phase with a change or with companions of another maker, and the seconds that it took."""
    from components.core.models import hardware
    from components.core.models.dubber import Dubber
    from components.core.models.fit import Run
    from components.core.models.synthesis import Editor
    from components.editor import core, rounds

    common, structure = settings(change, steps)
    data = material(plan.artifacts, common)
    data = data if maker is None else rounds.remade(data, maker, plan.seed)
    generator, guides = _teachers(plan.artifacts)
    folder = plan.out / name.replace(" ", "_")
    started = time.perf_counter()
    run = Run("editor-structure", plan.seed, folder, f"{name} {steps} {change}", hardware.precision())
    known = generator.model if structure.from_generator else None
    config, phase = core.structure(data, known, guides, common, structure, run)
    model = Dubber(config).to(hardware.device())
    model.load_state_dict(phase.tensors)
    return Editor(model, generator.frontend, {}), time.perf_counter() - started


def measure(plan: Plan, editor: "Synthesizer", steps: int) -> dict[str, Any]:
    """Means and intervals of METRICS over the plan's pairs."""
    from components.core.models.synthesis import Sampling
    from components.core.statistics.interval import Resampling, interval
    from components.evaluate import core

    pairs, bench, values = _benchmark(plan)
    lines = []
    for pair in pairs:
        about = _inspected(plan, pair.pair_id)
        frames = editor.dub(pair.whole, pair.speech.mel, Sampling(steps, 1.0, 1.0, plan.seed))
        dubbed = core.Dubbed(frames, pair.speech.mel, float("nan"))
        read = bench.read(frames) if bench.read else None
        lines.append(core.measure(dubbed, bench.find(frames), read, about, bench))
    how = Resampling(values.bootstrap_samples, plan.seed)
    found = {metric: interval((line[metric] for line in lines), how) for metric in METRICS}
    return {metric: vars(value) for metric, value in found.items() if value}


@cache
def _benchmark(plan: Plan) -> tuple[list["Pair"], Any, Any]:
    from components.evaluate import benchmark, rows
    from components.evaluate.params import Params

    values = params.load(Params, "evaluate")
    selection = benchmark.Selection.of(values, plan.pairs)
    pairs = benchmark.load(plan.artifacts / "crops", plan.artifacts / "clips", selection)
    loader = rows.Loader(
        plan.artifacts / "generator",
        plan.artifacts / "editor",
        plan.artifacts / "experts",
        None,  # editors are compared, and nothing hides what they paint
        values.generator,
        values.editor,
        runtime.cores(),
    )
    return pairs, loader(), values


@cache
def _inspected(plan: Plan, pair_id: str) -> Any:
    from components.evaluate import core

    pairs, bench, values = _benchmark(plan)
    return core.inspect(next(pair for pair in pairs if pair.pair_id == pair_id), bench, values)


def run(plan: Plan) -> dict[str, dict[str, Any]]:
    """All lines of all tables, in TABLES' order: {table: {line: metrics}}; kept in `plan.out` line by line."""
    from components.core.models.lora import Band
    from components.core.models.synthesis import load_editor

    kept = plan.out / "lines.json"
    found: dict[str, dict[str, Any]] = json.loads(kept.read_text()) if kept.is_file() else {}
    found = {kind: {} for kind in TABLES} | found

    def keep(kind: str, name: str, line: Mapping[str, Any]) -> None:
        found[kind][name] = dict(line)
        files.write_json(kept, found)

    missing = [(kind, name) for kind in plan.tables for name in lacking(kind, found[kind])]
    load = (plan.artifacts / "editor", plan.artifacts / "experts")
    before = load_editor(*load)  # the maker of round 2
    with runtime.progress("ablations", len(missing)) as advance:
        for kind, name in missing:
            if kind == "variants":
                steps = equal_steps(plan, VARIANTS[name])
                editor, seconds = train(plan, name, VARIANTS[name], steps)
                keep(kind, name, {"train_steps": steps, "train_s": seconds, **measure(plan, editor, 1)})
            elif kind == "budget" and name == "generator":
                keep(kind, name, measure(plan, _teachers(plan.artifacts)[0], 1))
            elif kind == "budget":
                editor, seconds = train(plan, f"{name} steps", {}, int(name))
                keep(kind, name, {"train_s": seconds, **measure(plan, editor, 1)})
            elif kind == "rounds":
                before, seconds = train(plan, f"round {name}", {}, plan.steps, before)
                keep(kind, name, {"train_s": seconds, **measure(plan, before, 1)})
            elif kind == "phases":
                phases, bands = PHASES[name]
                editor = load_editor(*load, phases)
                editor.bands |= {phase: Band(*band) for phase, band in bands.items()}
                keep(kind, name, measure(plan, editor, 3))
            else:
                keep(kind, name, measure(plan, load_editor(*load), int(name)))
            advance(1)
    return {kind: {name: found[kind][name] for name in names if name in found[kind]} for kind, names in TABLES.items()}


def lacking(kind: str, found: Mapping[str, Any]) -> list[str]:
    """The lines of a table that are still to be made; of rounds all, for each needs the editor of the one before."""
    missing = [name for name in TABLES[kind] if name not in found]
    return list(TABLES[kind]) if kind == "rounds" and missing else missing


def equal_steps(plan: Plan, change: Mapping[str, Any]) -> int:
    """Steps for a change of the tokens' layout that cost what the recipe's cost (benchmarks/training_step.py)."""
    frames = change.get("common.architecture.layout") == "frames"
    return round(plan.steps * 0.44) if frames else plan.steps


def text(plan: Plan, found: Mapping[str, Mapping[str, Any]]) -> str:
    """The tables in Markdown."""
    titles = {
        "variants": f"Structure phase alone, {plan.steps} steps, one step of sampling, {plan.pairs} pairs; tokens on "
        "the frame axis cost 2.3 times as much a step and get so many steps fewer:",
        "rounds": "The same, with companions made by the editor of the round before (round 1 is the recipe above):",
        "budget": f"The recipe for more or fewer steps, structure phase alone, {plan.pairs} pairs:",
        "phases": f"The run's own editor with its experts on and off, 3 steps of sampling, {plan.pairs} pairs:",
        "steps": f"The run's own editor in more or fewer steps of sampling, {plan.pairs} pairs:",
    }
    parts = []
    for kind, title in titles.items():
        if not found.get(kind):
            parts.append(f"{title} not measured (`--tables {kind}`).")
            continue
        lines = [[name, *(cell(line.get(metric)) for metric in METRICS)] for name, line in found[kind].items()]
        parts += [title, table([kind, *METRICS], lines)]
    return "\n\n".join(parts)


def plot(found: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Opening's r and mouth PSNR of every variant with their intervals, as a picture."""
    from matplotlib.figure import Figure

    lines = found["variants"]
    figure = Figure(figsize=(9, 0.4 * len(lines) + 1.2), layout="constrained")
    for axis, metric in zip(figure.subplots(1, 2, sharey=True), ("read_opening_r", "mouth_psnr_db"), strict=True):
        values = [line[metric] for line in lines.values()]
        means = np.array([value["mean"] for value in values])
        reach = np.abs(np.array([[value["lo"], value["hi"]] for value in values]).T - means)
        axis.errorbar(means, np.arange(len(lines)), xerr=reach, fmt="o", capsize=3)
        axis.set(xlabel=metric, yticks=np.arange(len(lines)), yticklabels=list(lines))
        axis.axvline(means[0], color="grey", linewidth=0.6)
    figure.axes[0].invert_yaxis()
    with files.replacing(path) as temporary:
        figure.savefig(temporary, dpi=110)


def plot_budget(lines: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Opening's r and mouth PSNR by training steps with their intervals, over the generator's, as a picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    steps = sorted(int(name) for name in lines if name.isdigit())
    for axis, metric in zip(figure.subplots(1, 2), ("read_opening_r", "mouth_psnr_db"), strict=True):
        values = [lines[str(count)][metric] for count in steps]
        axis.plot(steps, [value["mean"] for value in values], marker="o", label="editor, structure phase")
        axis.fill_between(steps, [value["lo"] for value in values], [value["hi"] for value in values], alpha=0.2)
        if "generator" in lines:
            axis.axhline(lines["generator"][metric]["mean"], color="grey", linewidth=0.8, label="generator")
        axis.set(xlabel="training steps", ylabel=metric, xscale="log", xticks=steps, xticklabels=steps)
        axis.minorticks_off()
    figure.axes[0].legend(loc="lower right")
    with files.replacing(path) as temporary:
        figure.savefig(temporary, dpi=110)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"), help="folder of the stages' outs")
    parser.add_argument("--out", type=Path, default=Path("artifacts/ablations"), help="folder for what is in progress")
    parser.add_argument("--metrics", type=Path, default=Path("metrics/ablations.json"), help="JSON of all lines")
    parser.add_argument("--results", type=Path, default=Path("docs/results.md"), help="gets the tables")
    parser.add_argument(
        "--picture", type=Path, default=Path("docs/images/ablations.png"), help="gets the plot; budget.png lies beside"
    )
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES), help="which (default: all)")
    parser.add_argument("--steps", type=int, default=400, help="training steps of a variant (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=16, help="benchmark pairs to dub (default: %(default)s)")
    return parser.parse_args()


@errors.shell
def main() -> None:
    """Trains, measures, writes."""
    runtime.start()
    args = arguments()
    plan = Plan(args.artifacts, args.out, args.steps, args.pairs, params.scalar("seed", int), tuple(args.tables))
    found = run(plan)
    files.write_json(args.metrics, found)
    insert(args.results, text(plan, found), "ablations")
    if found["variants"]:
        plot(found, args.picture)
    if found["budget"]:
        plot_budget(found["budget"], args.picture.with_name("budget.png"))


if __name__ == "__main__":
    main()
