"""Measure the benchmark by published networks (LSE-C/D, CSIM, LPIPS, FID, FVD) whose weights you have on disk."""

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from components.core.base import errors, files, params, runtime, weights

if TYPE_CHECKING:
    from components.published.core import Clip

RESAMPLES = 2000


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="dubstrap published", description=__doc__)
    films, out = Path("artifacts/evaluate"), Path("metrics/published.json")
    parser.add_argument("--weights", type=Path, default=weights.FOLDER, help="folder (%(default)s)")
    parser.add_argument("--evaluate", type=Path, default=films, help="folder of the benchmark's films (%(default)s)")
    parser.add_argument("--metrics", type=Path, default=out, help="JSON to write (%(default)s)")
    parser.add_argument("--fid-every", type=int, default=5, help="FID sees every so manieth frame (%(default)s)")
    return parser.parse_args()


@errors.shell
def main() -> None:
    """Reads, measures what can be measured, and writes what was and what was not."""
    options = arguments()
    if options.fid_every < 1:
        raise errors.UserError("--fid-every", got=str(options.fid_every), expected="at least 1")
    runtime.start()
    from components.core.statistics.interval import Resampling
    from components.published import core

    how = core.Options(options.fid_every, Resampling(RESAMPLES, params.scalar("seed", int)))
    figures = core.run(clips(options.evaluate), options.weights, how)
    files.write_json(options.metrics, figures)
    for metric, reason in figures["not_measured"].items():
        logging.getLogger(__name__).warning("%s is not measured: %s", metric, reason)


def clips(folder: Path) -> Iterator["Clip"]:
    """The benchmark's films, taken apart; says how far it is."""
    from components.core.media import players, shards
    from components.published.core import Clip

    players_there = any(folder.glob("players-*.tar"))
    samples = [sample for _, sample in shards.iterate(folder)] if players_there else []
    samples = [sample for sample in samples if not sample["json"].get("aside")]
    with runtime.progress("published metrics", len(samples)) as advance:
        for sample in samples:
            yield Clip(players.tiles(sample), players.speech(sample))
            advance(1)


if __name__ == "__main__":
    main()
