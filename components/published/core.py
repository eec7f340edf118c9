"""Measures the benchmark's dubs by the published networks whose weights are there. Knows no command line."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from components.core.base import files, weights
from components.core.base.errors import UserError
from components.core.media import RATE_HZ
from components.core.statistics.interval import Resampling, interval
from components.published import arcface, frechet, inception, lpips, syncnet, tensors
from components.published.frechet import Vectors
from components.published.tensors import Tensors

Frames = NDArray[np.uint8]
SOURCE, TRUTH = "copy", "truth"

Values = dict[str, dict[str, float]]
"""{ROW: {METRIC: value}} of one clip."""


@dataclass(frozen=True)
class Clip:
    """One pair of the benchmark: its frames (f h w 3) by row, all of one length, and the driving speech (n,)."""

    rows: Mapping[str, Frames]
    speech: NDArray[np.float32]


@dataclass(frozen=True)
class Options:
    """How much is measured: FID sees every `fid_every`th frame."""

    fid_every: int
    resampling: Resampling


class Measure(Protocol):
    """Collects what one network says, clip by clip."""

    def add(self, clip: Clip) -> None:
        """Takes another clip into account."""

    def result(self) -> dict[str, dict[str, Any]]:
        """{ROW: {METRIC: mean, n, and the bounds lo and hi where the mean is one of clips}}."""


class ClipMeans:
    """The mean over the clips of what a function says of each clip's rows."""

    def __init__(self, function: Callable[[Clip], Values], how: Resampling) -> None:
        self._function, self._how = function, how
        self._found: dict[tuple[str, str], list[float]] = {}

    def add(self, clip: Clip) -> None:
        for row, values in self._function(clip).items():
            for metric, value in values.items():
                self._found.setdefault((row, metric), []).append(value)

    def result(self) -> dict[str, dict[str, Any]]:
        rows: dict[str, dict[str, Any]] = {}
        for (row, metric), values in self._found.items():
            if mean := interval(values, self._how):
                rows.setdefault(row, {})[metric] = asdict(mean)
        return rows


class SetDistance:
    """Frechet's distance of all of a row's vectors to all of the truth's; one number, so it has no interval."""

    def __init__(self, metric: str, vectors: Callable[[Frames], Vectors]) -> None:
        self._metric, self._vectors = metric, vectors
        self._found: dict[str, list[Vectors]] = {}

    def add(self, clip: Clip) -> None:
        for row, frames in clip.rows.items():
            made = self._vectors(frames)
            if len(made):
                self._found.setdefault(row, []).append(made)

    def result(self) -> dict[str, dict[str, Any]]:
        sets = {row: np.concatenate(parts) for row, parts in self._found.items()}
        truth = sets.pop(TRUTH, None)
        if truth is None:
            return {}
        distances = {row: (frechet.distance(vectors, truth), len(vectors)) for row, vectors in sets.items()}
        return {row: {self._metric: {"mean": d, "n": n}} for row, (d, n) in distances.items() if np.isfinite(d)}


def run(clips: Iterable[Clip], folder: Path, options: Options) -> dict[str, Any]:
    """The whole of metrics/published.json.

    Args:
        clips: of the benchmark; not read where there is nothing to measure them by.
        folder: of the weights.
        options: see there.

    Raises:
        UserError: there is no clip, or a file is not what its name says.
    """
    paths = {name: [folder / file for file in names] for name, names in weights.NETWORKS.items()}
    absent = {name: [path for path in wanted if not path.is_file()] for name, wanted in paths.items()}
    measures = [_measure(name, wanted, options) for name, wanted in paths.items() if not absent[name]]
    count = 0
    for count, clip in enumerate(clips if measures else (), 1):  # noqa: B007 (counted for what follows)
        for measure in measures:
            measure.add(clip)
    if measures and not count:
        raise UserError("there is no clip to measure", fix="Run `dvc repro evaluate`.")
    rows: dict[str, dict[str, Any]] = {}
    for measure in measures:
        for row, values in measure.result().items():
            rows.setdefault(row, {}).update(values)
    measured = {metric for values in rows.values() for metric in values}
    present = [path for wanted in paths.values() for path in wanted if path.is_file()]
    return {
        "rows": rows,
        "not_measured": {
            metric: _reason(absent[name]) for metric, name in weights.METRICS.items() if metric not in measured
        },
        "weights": {path.name: files.sha256(path) for path in present},
    }


def _reason(absent: list[Path]) -> str:
    if absent:
        return weights.expected(absent)
    return "no clip is long enough, or there is no exact re-dub to compare with"


def _measure(name: str, paths: list[Path], options: Options) -> Measure:
    """What collects a network's figures, after a twin has measured a blank clip: a wrong file is said at once."""
    blank = np.zeros((frechet.WINDOW_FRAMES, 96, 96, 3), np.uint8)
    make = _maker(name, paths, options)
    try:
        make().add(Clip({SOURCE: blank, TRUTH: blank, "editor": blank}, np.zeros(RATE_HZ, np.float32)))
    except (RuntimeError, IndexError) as error:
        raise UserError(
            f"{' and '.join(map(str, paths))} can't measure",
            got=str(error).strip().splitlines()[-1],
            expected="the published files, unchanged (components/published/README.md)",
        ) from None
    return make()


def _maker(name: str, paths: list[Path], options: Options) -> Callable[[], Measure]:
    if name == "i3d":
        network = frechet.detector(paths[0])
        return lambda: SetDistance("fvd", lambda frames: frechet.video_vectors(network, frames))
    loaded = [tensors.read(path) for path in paths]
    if name == "inception":
        every = options.fid_every
        return lambda: SetDistance("fid", lambda frames: inception.vectors(loaded[0], frames[::every]))
    functions: dict[str, Callable[..., Values]] = {"syncnet": _sync, "arcface": _identity, "lpips": _perceptual}
    return lambda: ClipMeans(partial(functions[name], *loaded), options.resampling)


def _sync(network: Tensors, clip: Clip) -> Values:
    scores = {row: syncnet.scores(network, frames, clip.speech) for row, frames in clip.rows.items()}
    return {row: {"lse_c": confidence, "lse_d": distance} for row, (confidence, distance) in scores.items()}


def _identity(network: Tensors, clip: Clip) -> Values:
    """Against the source, frame by frame: a dub is to be that person in that moment."""
    vectors = {row: arcface.vectors(network, frames) for row, frames in clip.rows.items()}
    source = vectors.pop(SOURCE, None)
    return {} if source is None else {row: {"csim": arcface.csim(found, source)} for row, found in vectors.items()}


def _perceptual(alexnet: Tensors, heads: Tensors, clip: Clip) -> Values:
    if TRUTH not in clip.rows:
        return {}
    dubs = {row: frames for row, frames in clip.rows.items() if row != TRUTH}
    return {row: {"lpips": lpips.distance(alexnet, heads, frames, clip.rows[TRUTH])} for row, frames in dubs.items()}
