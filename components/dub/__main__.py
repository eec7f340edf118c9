"""Give a talking face in a video new speech."""

import logging
import signal
from argparse import Namespace
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType

from components.core.base import files, runtime
from components.core.base.errors import UserError, shell
from components.dub import arguments
from components.dub.options import Progress


@shell
def main() -> None:
    """The command `dubstrap dub`."""
    given = arguments.read(__doc__)
    runtime.start()
    signal.signal(signal.SIGTERM, _stop)
    try:
        _many(given) if given.batch else _one(given)
    except KeyboardInterrupt:
        kept = "what is finished is kept for --resume" if given.resume else "nothing was written"
        logging.getLogger(__name__).error("interrupted: %s", kept)
        raise SystemExit(130) from None


def _one(given: Namespace) -> None:
    from components.dub import dub

    if given.report and given.report.resolve() in {path.resolve() for path in (given.video, given.speech, given.out)}:
        raise UserError(f"the report {given.report} is an input or the output", fix="Choose another --report.")
    with ExitStack() as bar:
        report = dub(given.video, given.speech, given.out, arguments.options(given), _shown(bar))
    if given.report:
        files.write_json(given.report, report.to_json())


def _many(given: Namespace) -> None:
    from components.dub import batch

    lines = batch.read(given.batch, arguments.options(given))
    if batch.dub_all(lines, given.batch.with_suffix(".result.csv")):
        raise SystemExit(1)


def _stop(signal_number: int, frame: FrameType | None) -> None:
    """Ends like Ctrl-C does, with nothing left behind."""
    raise KeyboardInterrupt


def _shown(bar: ExitStack) -> Progress:
    """Progress on a bar that appears with the first frame, when the total is known."""
    advance: Callable[[int], None] | None = None

    def progress(done: int, total: int | None) -> None:
        nonlocal advance
        advance = advance or bar.enter_context(runtime.progress("dub", total))
        advance(1)

    return progress


if __name__ == "__main__":
    main()
