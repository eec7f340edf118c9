"""Give a talking face in a video new speech."""

import logging
import signal
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
    from components.dub import dub

    if given.report and given.report.resolve() in {path.resolve() for path in (given.video, given.speech, given.out)}:
        raise UserError(f"the report {given.report} is an input or the output", fix="Choose another --report.")
    try:
        with ExitStack() as bar:
            report = dub(given.video, given.speech, given.out, arguments.options(given), _shown(bar))
    except KeyboardInterrupt:
        logging.getLogger(__name__).error("interrupted: nothing was written")
        raise SystemExit(130) from None
    if given.report:
        files.write_json(given.report, report.to_json())


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
