"""Clips to aligned face crops with landmarks, pose, lip measures and lower-face masks."""

import argparse
from pathlib import Path

from components.core.base import files, params, runtime
from components.core.base.errors import shell


@shell
def main() -> None:
    """Reads the arguments and params.yaml, runs, writes the metrics; or draws a sheet of crops."""
    parser = argparse.ArgumentParser(
        prog="python -m components.crop",
        description=__doc__,
        epilog="To look at crops: python -m components.crop --sheet OUT.png --crops artifacts/crops",
    )
    parser.add_argument("--clips", type=Path, help="folder that ingest wrote")
    parser.add_argument("--out", type=Path, help="folder for the crops and their tables")
    parser.add_argument("--metrics", type=Path, help="JSON file for counts and quality")
    parser.add_argument("--workers", type=int, default=runtime.cores(), help="processes (default: every core)")
    parser.add_argument("--sheet", type=Path, help="draw crops into this picture and do nothing else")
    parser.add_argument("--crops", type=Path, help="with --sheet: folder that crop wrote")
    args = parser.parse_args()
    runtime.start()
    if args.sheet and args.crops:
        _sheet(args.crops, args.sheet)
    elif args.clips and args.out and args.metrics and not args.sheet:
        from components.crop.core import run
        from components.crop.params import Params

        made = run(args.clips, args.out, params.load(Params, "crop"), args.workers)
        files.write_json(args.metrics, made.metrics())
    else:
        parser.error("give --clips, --out and --metrics, or --sheet and --crops")


def _sheet(folder: Path, picture: Path) -> None:
    import cv2

    from components.core.media import crops
    from components.crop import sheet

    found = crops.load(folder)
    with files.replacing(picture) as temporary:
        cv2.imwrite(str(temporary), sheet.draw(found[:: max(1, len(found) // 8)])[..., ::-1])


if __name__ == "__main__":
    main()
