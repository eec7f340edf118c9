"""Build one page about a run, with players, to judge it by; --serve keeps what people decide."""

import argparse
import logging
from contextlib import ExitStack
from pathlib import Path

from components.core.base import errors, params, runtime


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="dubstrap review", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--rev", help="a commit, branch, tag or experiment instead of the workspace")
    what.add_argument("--compare", nargs=2, metavar=("A", "B"), help="two revisions; `workspace` is one")
    parser.add_argument("--out", type=Path, default=Path("artifacts/review"), help="folder of the page (%(default)s)")
    parser.add_argument("--pairs", type=int, default=500, help="pairs with a player; in quarantine: all (%(default)s)")
    parser.add_argument("--workers", type=int, default=runtime.cores(), help="processes (default: every core)")
    parser.add_argument("--serve", action="store_true", help="stay, show the page and keep decisions in reviews/")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to serve at; any but loopback needs the token it prints"
    )
    parser.add_argument("--port", type=int, default=8300, help="port to serve at (%(default)s)")
    return parser.parse_args()


@errors.shell
def main() -> None:
    """Reads the arguments, builds, and serves where asked to."""
    options = arguments()
    runtime.start()
    from components.core.statistics.drift import Limits
    from components.review import core, revision, server
    from components.review.run import Run

    project, decisions = Path(), Path("reviews")
    address = server.Address(options.host, options.port)
    listener = server.listen(address) if options.serve else None  # a port in use is said before anything is built
    with ExitStack() as stack:
        runs = []
        for name in options.compare or [options.rev or "workspace"]:
            if name == "workspace":
                runs.append(Run(project, "the workspace", revision.of_workspace(project)))
                continue
            folder = stack.enter_context(revision.checkout(project, name))
            runs.append(Run(folder, name, revision.resolve(project, name)[: revision.SHORT], is_workspace=False))
        limits = params.load(Limits, "validate.runs")
        how = core.Options(options.pairs, options.workers, options.serve, decisions, limits)
        page = core.build(runs, options.out, how)
        target = server.Target(runs[-1].rev, runs[-1].id)
    logging.getLogger(__name__).info("open %s", page.resolve().as_uri())
    if listener:
        server.serve(listener, address, server.app(options.out, decisions, target, address.token))


if __name__ == "__main__":
    main()
