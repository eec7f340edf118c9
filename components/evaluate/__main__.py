"""Measures every way to dub on the benchmark: truth, shuffled speech, copy, generator, the editor after each phase."""

import argparse
from pathlib import Path

from components.core.base import errors, files, params, runtime


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m components.evaluate", description=__doc__)
    parser.add_argument("--crops", type=Path, required=True, help="folder of crops; its benchmark split is dubbed")
    parser.add_argument("--clips", type=Path, required=True, help="folder of clips, for redubs.parquet's slices")
    parser.add_argument("--experts", type=Path, required=True, help="folder of experts; only the judges judge")
    parser.add_argument("--occluders", type=Path, help="folder of the occluder expert; editors spare what it finds")
    parser.add_argument("--generator", type=Path, help="folder of the generator's weights")
    parser.add_argument("--editor", type=Path, required=True, help="folder of the editor's three phases")
    parser.add_argument("--exported", type=Path, help="measure this ONNX editor alone, and write nothing but --metrics")
    parser.add_argument("--out", type=Path, help="folder for clips.parquet, players and samples/")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON of means and 95 %% intervals")
    parser.add_argument("--plots", type=Path, help="CSV of the same for `dvc plots`")
    parser.add_argument("--workers", type=int, default=runtime.cores(), help="processes (default: every core)")
    options = parser.parse_args()
    if not options.exported and None in (options.generator, options.out, options.plots):
        parser.error("--generator, --out and --plots are needed, or else --exported")
    return options


@errors.shell
def main() -> None:
    options = arguments()
    runtime.start()
    from components.core.statistics.interval import Resampling
    from components.evaluate import aside, benchmark, core, players, report, samples
    from components.evaluate.params import Params
    from components.evaluate.rows import ExportedLoader, Loader

    values, seed = params.load(Params, "evaluate"), params.scalar("seed", int)
    pairs = aside.load(options.crops, options.clips, benchmark.Selection.of(values), values.looks)
    manifest, how = benchmark.manifest(pairs), Resampling(values.bootstrap_samples, seed)
    folders = options.editor, options.experts, options.occluders
    editing = values.editor, max(1, runtime.cores() // options.workers)
    if options.exported:
        measured = core.run(pairs, ExportedLoader(options.exported, *folders, *editing), values, seed, options.workers)
        files.write_json(options.metrics, report.exported(measured.clips, manifest, how, values.min_slice))
        return
    loader = Loader(options.generator, *folders, values.generator, *editing)
    evaluation = core.run(pairs, loader, values, seed, options.workers)
    with files.replacing(options.out / "clips.parquet") as path:
        evaluation.clips.to_parquet(path, index=False)
    files.write_text(options.out / "manifest.csv", manifest.to_csv(index=False))
    players.write(options.out, evaluation.players)
    for sample in evaluation.samples:
        samples.write(sample, options.out / "samples")
    figures = report.report(evaluation.clips, manifest, how, values.min_slice)
    files.write_json(options.metrics, figures)
    files.write_text(options.plots, report.curves(figures["rows"]).to_csv(index=False))


if __name__ == "__main__":
    main()
