"""How the model that the studio taught does on real people, clip by clip, before and after fine-tuning on them.

Run `python -m scripts.real_footage --footage ../shared/media` after `make repro`. Of every clip the first 70 % are for
training and the last 30 % are held out. Three tests:

- hearing: the opening that the front end hears in the clip's own sound against its landmarks', beside the loudness;
- cycle: a companion of the held-out part (the generator's, with other speech) and the real speech, against the real;
- dub: the real held-out part with the speech of another clip: do the lips do what that clip's did, or the old thing?

"landmarks" drives the same editor with that clip's measured lips in place of its sound: the bound. Means over clips
have 95 % bootstrap intervals. Only figures are written, never frames of people.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.core.base import errors, files, params, runtime, seeds
from scripts.experts import Experts
from scripts.results import insert, table

if TYPE_CHECKING:
    from components.core.media.crops import Crop
    from components.core.models.synthesis import Editor, Synthesizer

TRAINING_SHARE = 0.7
LEAST_FRAMES = 20
"""Of a held-out part: shorter ones say nothing about a correlation."""
RESAMPLES = 2000
HEARING_MEAN = "hearing, mean"
Means = dict[str, dict[str, float]]
"""{METRIC: mean, lo, hi, n}, as metrics/evaluate.json has them."""


@dataclass(frozen=True)
class Real:
    """A real clip: all of it, what is learnt from, and what is held out."""

    name: str
    whole: "Crop"
    training: "Crop"
    heldout: "Crop"


def crops_of(footage: Path, folder: Path) -> list["Crop"]:
    """The crops of a folder's video files, one speaker each, made by the pipeline's own stages in `folder`."""
    from components.core.media import crops, rights
    from components.crop.core import run as crop
    from components.crop.params import Params as CropParams
    from components.ingest.core import run as ingest
    from components.ingest.params import Params as IngestParams

    paths = sorted(path for path in footage.glob("clip*") if path.is_file())
    if not paths:
        raise errors.UserError(f"{footage} holds no clips", expected="video files named clip*")
    if not (folder / "crops/crops.parquet").is_file():
        for path in paths:
            speaker = folder / "data/footage" / path.stem
            speaker.mkdir(parents=True, exist_ok=True)
            (speaker / path.name).unlink(missing_ok=True)
            (speaker / path.name).symlink_to(path.resolve())
            rights.save(speaker, rights.Rights(path.stem, "local measurement", "unknown", ("train", "dub"), "local"))
        ingest(folder / "data", folder / "clips", params.load(IngestParams, "ingest"), workers=runtime.cores())
        crop(folder / "clips", folder / "crops", params.load(CropParams, "crop"), workers=runtime.cores())
    return crops.load(folder / "crops")


def split(crops: Sequence["Crop"]) -> list[Real]:
    """Every crop that is long enough, in two."""
    found = []
    for crop in crops:
        cut = round(TRAINING_SHARE * len(crop.frames))
        if len(crop.frames) - cut >= LEAST_FRAMES:
            found.append(Real(crop.crop_id, crop, crop.part(0, cut), crop.part(cut, len(crop.frames))))
    return found


def behind(shown: "Crop", bank: "Crop") -> "Crop":
    """The frames to be dubbed, and after them those that references may be taken from, as one crop.

    The first are marked as hidden: a reference is never one of them.
    """
    both = {
        name: np.concatenate([getattr(shown, name), getattr(bank, name)])
        for name in ("frames", "measures", "pose", "mask", "landmarks", "mel", "samples")
    }
    occluder = np.concatenate([np.ones_like(shown.occluder), bank.occluder])
    return replace(shown, occluder=occluder, **both)


def correlation(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Pearson's r."""
    from components.evaluate.metrics import correlation as r

    return r(np.asarray(a, float), np.asarray(b, float))


def hearing(clips: Sequence[Real], experts: Experts) -> dict[str, dict[str, float]]:
    """By clip: r of the heard opening and of the loudness with the landmarks', and the offset that the judge finds."""
    import torch

    from components.core.models.frontend import encode_clip
    from components.core.models.sync import sync_scores
    from components.experts.frontend import loudness

    frontend, judge, found = experts.load("frontend"), experts.load("judge_sync"), {}
    for clip in clips:
        heard = encode_clip(frontend, torch.from_numpy(clip.whole.mel)).numpy()[:, -clip.whole.measures.shape[1]]
        opening = clip.whole.measures[:, 0]
        found[clip.name] = {
            "heard_r": correlation(heard, opening),
            "loudness_r": correlation(loudness(clip.whole), opening),
            "offset_frames": float(sync_scores(judge, clip.whole.frames, clip.whole.mel).offset_frames),
        }
    return found


def dubbed(model: "Synthesizer", shown: "Crop", bank: "Crop", speech: "Crop", by_landmarks: bool) -> NDArray[np.uint8]:
    """The frames of `shown` with the lips of `speech`, heard or measured."""
    import torch

    from components.core.models.frontend import encode_clip
    from components.core.models.synthesis import Sampling
    from components.core.models.windows import image

    count = min(len(shown.frames), len(speech.frames))
    whole, speech = behind(shown.part(0, count), bank), speech.part(0, count)
    heard = encode_clip(model.frontend, torch.from_numpy(speech.mel))
    if by_landmarks:
        seen = torch.from_numpy(speech.measures - np.median(speech.measures, 0))
        heard[:, -seen.shape[1] :] = (seen - model.frontend.mean) / model.frontend.std
    (window,) = model.windows([model.job_of(whole, heard)], Sampling(1, 1.0, 1.0, 0))
    return model.blend(whole.part(0, count), image(window))


def cycle(clips: Sequence[Real], generator: "Synthesizer", editor: "Editor", by_landmarks: bool) -> Means:
    """Means over clips of the companion's, the generator's and the editor's distance from the real held-out part."""
    from components.evaluate import metrics
    from components.evaluate.rows import find_landmarks

    values: dict[str, list[float]] = {}
    for number, clip in enumerate(clips):
        other = clips[(number + 1) % len(clips)].heldout
        companion = dubbed(generator, clip.heldout, clip.training, other, False)
        real = clip.heldout.part(0, len(companion))
        rows = {
            "companion": companion,
            "generator": dubbed(generator, real, clip.training, real, by_landmarks),
            "editor": dubbed(editor, replace(real, frames=companion), clip.training, real, by_landmarks),
        }
        truth = opening(find_landmarks(real.frames))
        for name, frames in rows.items():
            values.setdefault(f"{name}_psnr_db", []).append(metrics.psnr_db(frames, real.frames, real.mask))
            values.setdefault(f"{name}_opening_r", []).append(correlation(opening(find_landmarks(frames)), truth))
    return intervals(values)


def dub(clips: Sequence[Real], generator: "Synthesizer", editor: "Editor", by_landmarks: bool) -> Means:
    """Means over clips of r with the lips that the speech belongs to, and with the old ones."""
    from components.evaluate.rows import find_landmarks

    values: dict[str, list[float]] = {}
    for number, clip in enumerate(clips):
        speech = clips[(number + 1) % len(clips)].heldout
        count = min(len(clip.heldout.frames), len(speech.frames))
        rows = {"copy": clip.heldout.frames[:count]}
        rows |= {
            name: dubbed(model, clip.heldout, clip.training, speech, by_landmarks)
            for name, model in (("generator", generator), ("editor", editor))
        }
        for name, frames in rows.items():
            lips = opening(find_landmarks(frames))
            values.setdefault(f"{name}_new_r", []).append(correlation(lips, speech.measures[:count, 0]))
            values.setdefault(f"{name}_old_r", []).append(correlation(lips, clip.heldout.measures[:count, 0]))
    return intervals(values)


def opening(landmarks: NDArray[Any]) -> NDArray[Any]:
    """The lip opening (f,)."""
    from components.evaluate.core import lip_measures

    return lip_measures(landmarks)[:, 0]


def means(values: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Means of what was measured."""
    return {name: float(np.nanmean(found)) for name, found in values.items() if np.isfinite(found).any()}


def intervals(values: Mapping[str, Sequence[float]]) -> Means:
    """Means of what was measured, with their 95 % bootstrap intervals."""
    from components.core.statistics.interval import Resampling, interval

    found = {name: interval(column, Resampling(RESAMPLES, seed=0)) for name, column in values.items()}
    return {name: asdict(value) for name, value in found.items() if value}


def fine_tuned(clips: Sequence[Real], artifacts: Path, experts: Experts, steps: int, out: Path) -> "Editor":
    """The run's structure phase, trained on for some steps on companions of the clips' first parts."""
    import torch

    from components.core.media.geometry import Window
    from components.core.models.fit import Run
    from components.core.models.frontend import encode_clip
    from components.core.models.synthesis import Editor, Sampling, load_dubber, load_generator
    from components.core.models.windows import Clips
    from components.editor import core, data, phases
    from components.editor.params import Common, Structure

    common, structure = params.load(Common, "editor.common"), params.load(Structure, "editor.structure")
    structure = replace(structure, fit=replace(structure.fit, steps=steps, lr=structure.fit.lr / 2))
    generator, frontend = load_generator(artifacts / "generator", experts.folder), experts.load("frontend")
    training = [clip.training for clip in clips]
    heard = [encode_clip(frontend, torch.from_numpy(crop.mel)).numpy() for crop in training]
    windows = Clips.of(training, heard, common.references)
    seed, pairs = params.scalar("seed", int), []
    for number, crop in enumerate(training):
        shift = int(seeds.rng(seed, "real", crop.crop_id).integers(12, max(13, len(crop.frames) - 12)))
        companion = generator.dub(crop, np.roll(crop.mel, 4 * shift, 0), Sampling(1, 1.0, 1.0, seed))
        window = np.ascontiguousarray(Window.of(companion.shape[1]).take(companion))
        pairs.append(data.Pair(number, window, data.other_moments(windows, number), data.PLAIN))
    material = data.Data(training, windows, np.concatenate([crop.mel for crop in training]), pairs, [])
    model = load_dubber(artifacts / "editor/structure/weights.safetensors").train().requires_grad_(True)
    learner = phases.StructureLearner(model, structure, phases.Guides.load(experts.folder))
    run = Run("editor-real", seed, out / "finetune", f"{steps} {[clip.name for clip in clips]}")
    core.train(learner, material, common, (structure.fit, structure.drawing), run)
    return Editor(model, frontend, {})


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """All tests, with the studio's weights and with fine-tuned ones."""
    from components.core.models.synthesis import load_editor, load_generator

    experts = Experts(args.artifacts / "experts")
    clips = split(crops_of(args.footage, args.out))
    generator = load_generator(args.artifacts / "generator", experts.folder)
    editors = {"studio": load_editor(args.artifacts / "editor", experts.folder, ())}
    if args.steps:
        editors["fine-tuned"] = fine_tuned(clips, args.artifacts, experts, args.steps, args.out)
    heard = hearing(clips, experts)
    found: dict[str, Any] = {"hearing": heard, HEARING_MEAN: intervals(columns(heard))}
    with runtime.progress("real footage", 4 * len(editors)) as advance:
        for name, editor in editors.items():
            for source, by_landmarks in (("speech", False), ("landmarks", True)):
                for test, function in (("cycle", cycle), ("dub", dub)):
                    found[f"{test}, {name}, {source}"] = function(clips, generator, editor, by_landmarks)
                    advance(1)
    return found


def text(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The tables in Markdown."""
    parts = [_table("hearing", dict(found["hearing"]) | {"mean": found[HEARING_MEAN]})]
    for test in ("cycle", "dub"):
        lines = {name.removeprefix(f"{test}, "): line for name, line in found.items() if name.startswith(f"{test}, ")}
        parts.append(_table(test, lines))
    return "\n\n".join(parts)


def _table(kind: str, lines: Mapping[str, Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for line in lines.values() for name in line))
    return table([kind, *names], [[key, *(_cell(line.get(name)) for name in names)] for key, line in lines.items()])


def columns(lines: Mapping[str, Mapping[str, float]]) -> dict[str, list[float]]:
    """A table's values by column."""
    return {name: [line[name] for line in lines.values()] for name in next(iter(lines.values()))}


def _cell(value: float | Mapping[str, float] | None) -> str:
    """A figure of one clip, or a mean and its interval."""
    if isinstance(value, Mapping):
        return f"{value['mean']:.2f} ({value['lo']:.2f} .. {value['hi']:.2f})"
    return "-" if value is None or np.isnan(value) else f"{value:.2f}"


@errors.shell
def main() -> None:
    """Measures and writes."""
    runtime.start()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--footage", type=Path, required=True, help="folder of video files clip*, a person each")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"), help="folder of the stages' outs")
    parser.add_argument("--out", type=Path, default=Path("artifacts/real"), help="folder for clips, crops, checkpoints")
    parser.add_argument("--metrics", type=Path, default=Path("metrics/real.json"), help="JSON of all figures")
    parser.add_argument("--results", type=Path, default=Path("docs/results.md"), help="gets the tables")
    parser.add_argument("--steps", type=int, default=300, help="of fine-tuning; 0 for none (default: %(default)s)")
    args = parser.parse_args()
    found = measure(args)
    files.write_json(args.metrics, found)
    insert(args.results, text(found), "real")


if __name__ == "__main__":
    main()
