"""Renders the embedded data set: synthetic people who talk, and exact re-dubs of them."""

import argparse
from pathlib import Path

from components.core.base import errors, params, runtime


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="dubstrap studio",
        description=f"{__doc__} Sizes are in section `studio` of params.yaml; equal seeds give equal bytes.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--out", type=Path, help="folder to render into, absent or empty (data/ is what `make repro` uses)"
    )
    what.add_argument("--sheet", type=Path, help="render no data set, only a contact sheet of the cast into this PNG")
    parser.add_argument(
        "--workers", type=int, default=runtime.cores(), help="processes (default: one per core, %(default)s)"
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="file to read (default: %(default)s)")
    return parser.parse_args()


@errors.shell
def main() -> None:
    """Reads the params, renders."""
    runtime.start()
    args = arguments()

    from components.studio.params import Params

    settings, seed = params.load(Params, "studio", args.params), params.scalar("seed", int, args.params)
    if args.sheet:
        from components.studio.sheet import sheet

        sheet(args.sheet, settings, seed)
    else:
        from components.studio.core import run

        run(settings, seed, args.out, args.workers)


if __name__ == "__main__":
    main()
