"""What would let the front end hear real people: trials, each measured on real clips and on the studio's strangers.

Run `python -m scripts.hearing --footage ../shared/media` after `make repro`. The measure is r of the heard lip opening
with the landmarks', clip by clip, beside the loudness. Tried are

- levels: every band of a clip's log-mel gets the distribution that it has in the studio's speech, which takes away
  microphone, room and loudness; a dub knows its whole speech beforehand. Without training, and trained so;
- distortion of the recitals and the footage's sound: voices, rooms, microphones, noise, pace;
- fewer bands, which hide espeak's harmonics, and a smaller network;
- a straight line instead of a network;
- oracles: the last layer fitted to the landmarks of the other real people, or to the first 70 % of the clip itself.

`--trials` picks those to be trained; each is written down when it is done, and the others keep their figures. Only
figures are written, never frames of people.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.core.base import errors, files, params, runtime
from components.core.media import MEL_PER_FRAME
from scripts.real_footage import TRAINING_SHARE, correlation, crops_of, means, split
from scripts.results import insert, table
from scripts.sounds import RANKS, TRIALS, Floats, Trial, material_of, pooled

if TYPE_CHECKING:
    from components.core.media.crops import Crop
    from components.core.models.frontend import FrontEnd
    from components.experts.data import Material

IN_SYNC = ("clip04", "clip08", "clip09", "clip10", "clip11")
"""Clips whose sound is known to belong to their picture."""
LAG_FRAMES = 8
"""How far a clip's sound may be from its picture, either way."""
REGRESSION = (16, 3)
"""Bands, and frames at either side, that the straight line sees."""


@dataclass(frozen=True)
class Listeners:
    """Who is heard: real clips, and the studio's strangers."""

    real: Sequence["Crop"]
    studio: Sequence["Crop"]

    def line(self, hear: Callable[["Crop"], NDArray[Any]]) -> dict[str, float]:
        """The table's columns for what a function hears in a crop."""
        found = columns(self.real, [hear(crop) for crop in self.real])
        return found | {"studio": mean_r([hear(crop) for crop in self.studio], self.studio)}


def columns(clips: Sequence["Crop"], heard: Sequence[NDArray[Any]]) -> dict[str, float]:
    """Means over real clips of r with the opening: as it is, of clips in sync, with lags taken away, with loudness.

    A clip's lag is where its loudness fits best, whatever was heard.
    """
    from components.experts.frontend import loudness

    loud = [loudness(clip) for clip in clips]
    lags = [best_lag(one, clip.measures[:, 0]) for one, clip in zip(loud, clips, strict=True)]
    shifted = [r_at(one, clip.measures[:, 0], lag) for one, clip, lag in zip(heard, clips, lags, strict=True)]
    both = [standard(one) + standard(other) for one, other in zip(heard, loud, strict=True)]
    sync = [number for number, clip in enumerate(clips) if clip.crop_id.startswith(IN_SYNC)]
    return {
        "real": mean_r(heard, clips),
        "in_sync": mean_r([heard[number] for number in sync], [clips[number] for number in sync]),
        **means({"real_lag": shifted}),
        "real_with_loudness": mean_r(both, clips),
        "in_sync_with_loudness": mean_r([both[number] for number in sync], [clips[number] for number in sync]),
    }


def mean_r(heard: Sequence[NDArray[Any]], clips: Sequence["Crop"]) -> float:
    """Mean over clips of r with the landmarks' opening."""
    found = [correlation(one, clip.measures[:, 0]) for one, clip in zip(heard, clips, strict=True)]
    return means({"r": found}).get("r", float("nan"))


def standard(values: NDArray[Any]) -> NDArray[Any]:
    """Mean 0, standard deviation 1."""
    return (values - values.mean()) / max(float(values.std()), 1e-9)


def r_at(heard: NDArray[Any], opening: NDArray[Any], lag: int) -> float:
    """r when the lips are `lag` frames behind the sound, or before it where negative."""
    count = len(opening) - abs(lag)
    return correlation(heard[max(0, -lag) :][:count], opening[max(0, lag) :][:count])


def best_lag(heard: NDArray[Any], opening: NDArray[Any]) -> int:
    """The lag within LAG_FRAMES of the highest r."""
    return max(range(-LAG_FRAMES, LAG_FRAMES + 1), key=lambda lag: r_at(heard, opening, lag))


def ridge(features: NDArray[Any], targets: NDArray[Any], weight: float = 1.0) -> Callable[[Any], NDArray[Any]]:
    """The straight line from standardised features (l, d) to targets (l,), drawn to zero by `weight`."""
    mean, scale = features.mean(0), features.std(0) + 1e-6
    known = (features - mean) / scale
    slope = np.linalg.solve(
        known.T @ known / len(known) + weight * np.eye(known.shape[1]),
        known.T @ (targets - targets.mean()) / len(known),
    )
    return lambda seen: np.asarray((seen - mean) / scale @ slope)


def surroundings(trial: Trial, quantiles: Floats, crop: "Crop") -> Floats:
    """What the straight line sees of each frame (f, d)."""
    bands, reach = REGRESSION
    rows = np.pad(
        pooled(trial.prepared(crop.mel, quantiles), bands, MEL_PER_FRAME), ((reach, reach), (0, 0)), mode="edge"
    )
    return np.concatenate([rows[at : len(rows) - 2 * reach + at] for at in range(2 * reach + 1)], 1)


def deviation(crop: "Crop") -> NDArray[Any]:
    """The opening (f,), standardised within the clip."""
    return standard(crop.measures[:, 0])


def fitted(crops: Sequence["Crop"], see: Callable[["Crop"], Floats]) -> Callable[[Any], NDArray[Any]]:
    """The straight line from what is seen of crops to their openings."""
    return ridge(np.concatenate([see(crop) for crop in crops]), np.concatenate([deviation(crop) for crop in crops]))


def oracles(clips: Sequence["Crop"], see: Callable[["Crop"], Floats]) -> dict[str, dict[str, float]]:
    """A last layer fitted to landmarks of the other people, and one to those of the start of the clip itself."""
    others = [fitted([other for other in clips if other.speaker != clip.speaker], see)(see(clip)) for clip in clips]
    parts = [(clip, round(TRAINING_SHARE * len(clip.measures))) for clip in clips]
    ends = [clip.part(cut, len(clip.measures)) for clip, cut in parts]
    own = [ridge(see(clip)[:cut], deviation(clip)[:cut])(see(clip)[cut:]) for clip, cut in parts]
    return {
        "other people's landmarks": columns(clips, others),
        "own first 70 %, on the last 30 %": columns(ends, own),
    }


@dataclass(frozen=True)
class Ear:
    """A front end, and what it is given to hear."""

    front: "FrontEnd"
    trial: Trial
    quantiles: Floats

    def features(self, crop: "Crop") -> Floats:
        """(f, d) of a whole crop."""
        return self._heard(crop)[:, : self.front.config.width]

    def opening(self, crop: "Crop") -> Floats:
        """(f,) in its own unit."""
        return self._heard(crop)[:, self.front.config.width]

    def _heard(self, crop: "Crop") -> Floats:
        import torch

        from components.core.models.frontend import encode_clip

        prepared = torch.from_numpy(self.trial.prepared(crop.mel, self.quantiles))
        return np.asarray(encode_clip(self.front, prepared))


def trained(name: str, material: "Material", args: argparse.Namespace, seed: int) -> "FrontEnd":
    """The front end of a trial, from material that was made for it."""
    from components.core.models import weights
    from components.core.models.fit import Run
    from components.core.models.frontend import FrontEndConfig
    from components.experts import recitals
    from components.experts.frontend import train
    from components.experts.params import ExpertsParams

    recipe, size = params.load(ExpertsParams, "experts").frontend, TRIALS[name].model
    model = FrontEndConfig(**size) if size else recipe.model
    fit = replace(recipe.fit, steps=args.steps)
    mark = f"{name} {args.steps} {recitals.digest(material.recitals)}"
    run = Run("frontend", seed, args.out / name.replace(", ", "-").replace(" ", "-"), mark)
    front, _ = train(material, replace(recipe, model=model, fit=fit), run)
    weights.freeze(front)
    return front


def measure(args: argparse.Namespace, found: dict[str, dict[str, float]]) -> None:
    """Fills in what does not need training, then the trials asked for; each line is written down at once."""
    from components.core.media import crops
    from components.experts import recitals
    from components.experts.data import Material
    from components.experts.frontend import loudness
    from scripts.experts import Experts

    folder, seed = args.artifacts / "crops", params.scalar("seed", int)
    real = [clip.whole for clip in split(crops_of(args.footage, args.out / "real"))]
    who = Listeners(real, crops.load(folder, "benchmark", "footage"))
    material = Material(crops.load(folder, "train"), recitals.load(args.data))
    quantiles = np.quantile(np.concatenate([crop.mel for crop in material.crops]), RANKS, axis=0)
    front = Experts(args.artifacts / "experts").load("frontend")

    def keep(name: str, line: Mapping[str, float]) -> None:
        found[name] = dict(line)
        files.write_json(args.metrics, found)

    keep("loudness", who.line(loudness))
    ends = [clip.part(round(TRAINING_SHARE * len(clip.measures)), len(clip.measures)) for clip in real]
    keep("loudness, on the last 30 %", columns(ends, [loudness(end) for end in ends]))
    for given, trial in (("", Trial()), (", levels", Trial(level=True))):
        ear = Ear(front, trial, quantiles)
        keep(f"the run's{given}", who.line(ear.opening))
        for name, line in oracles(real, ear.features).items():
            keep(f"the run's{given}, {name}", line)
        see = partial(surroundings, trial, quantiles)
        draw = fitted(material.crops, see)
        keep(f"straight line{given}", who.line(lambda crop, see=see, draw=draw: draw(see(crop))))
        for name, line in oracles(real, see).items():
            keep(f"straight line{given}, {name}", line)
    for name in args.trials:
        model = trained(name, material_of(TRIALS[name], material, quantiles, seed), args, seed)
        keep(f"trained, {name}", who.line(Ear(model, TRIALS[name], quantiles).opening))


def text(found: Mapping[str, Mapping[str, float]]) -> str:
    """The table in Markdown; what was not measured has a dash."""
    names = ("real", "in_sync", "real_lag", "real_with_loudness", "in_sync_with_loudness", "studio")
    lines = [[name, *(f"{line[key]:.2f}" if key in line else "-" for key in names)] for name, line in found.items()]
    return table(["heard by", *names], lines)


@errors.shell
def main() -> None:
    """Measures, trains, writes."""
    runtime.start()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--footage", type=Path, required=True, help="folder of video files clip*, a person each")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"), help="folder of the stages' outs")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder whose recitals/ are learnt from")
    parser.add_argument("--out", type=Path, default=Path("artifacts/hearing"), help="folder for crops and checkpoints")
    parser.add_argument("--metrics", type=Path, default=Path("metrics/hearing.json"), help="JSON of all figures")
    parser.add_argument("--results", type=Path, default=Path("docs/results.md"), help="gets the table")
    parser.add_argument("--steps", type=int, default=800, help="of training a trial (default: %(default)s)")
    parser.add_argument("--trials", nargs="*", choices=TRIALS, default=list(TRIALS), help="to train (default: all)")
    args = parser.parse_args()
    found = json.loads(args.metrics.read_text()) if args.metrics.is_file() else {}
    measure(args, found)
    insert(args.results, text(found), "hearing")


if __name__ == "__main__":
    main()
