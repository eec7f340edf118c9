"""Gives every real clip a companion: the same clip with other lips."""

import argparse
import io
from pathlib import Path

from components.core.base import errors, files, params, runtime


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=Path, required=True, help="folder of the crop stage")
    parser.add_argument("--experts", type=Path, required=True, help="folder of the experts stage")
    parser.add_argument("--generator", type=Path, required=True, help="folder of the generator stage")
    parser.add_argument("--out", type=Path, required=True, help="folder for companions and pairs.parquet")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON of counts and median scores")
    parser.add_argument("--workers", type=int, default=runtime.cores(), help="scoring processes (default: every core)")
    return parser.parse_args()


@errors.shell
def main() -> None:
    """Reads, makes, scores, writes."""
    runtime.start()
    args = arguments()

    import pandas as pd

    from components.core.media import FPS, crops, shards, video
    from components.core.models.synthesis import load_generator
    from components.pairs.core import Guides, run, summary
    from components.pairs.params import Params

    settings, seed = params.load(Params, "pairs"), params.scalar("seed", int)
    real = crops.load(args.crops, "train", "footage")
    guides = Guides(args.experts, threads=1)
    rows = []
    with shards.ShardWriter(args.out, "pairs", settings.per_shard) as writer:
        made = run(real, load_generator(args.generator, args.experts), guides, settings, seed, args.workers)
        for one in made:
            buffer = io.BytesIO()
            video.write(buffer, one.frames, FPS, crf=6, pixel_format="yuv444p")
            about = {**one.row, "opening": [round(x, 4) if x == x else None for x in one.opening.tolist()]}
            shard = writer.add(one.plan.pair_id, {"mp4": buffer.getvalue(), "json": about})
            rows.append({**one.row, "shard": shard})
    table = pd.DataFrame(rows)
    table.to_parquet(args.out / "pairs.parquet")
    files.write_json(args.metrics, summary(table))


if __name__ == "__main__":
    main()
