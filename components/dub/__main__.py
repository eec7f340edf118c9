"""Give a talking face in a video new speech."""

import logging
import signal
from types import FrameType

from components.core.base import errors, runtime
from components.dub import arguments, shell


@errors.shell
def main() -> None:
    """The command `dubstrap dub`."""
    given = arguments.read(__doc__)
    runtime.start()
    for one in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(one) is not signal.SIG_IGN:  # as under nohup
            signal.signal(one, _stop)
    try:
        shell.many(given) if given.batch else shell.one(given)
    except KeyboardInterrupt as stop:
        kept = "what is finished is kept for --resume" if given.resume else "nothing was written"
        logging.getLogger(__name__).error("interrupted: %s", str(stop) or kept)
        raise SystemExit(130) from None


def _stop(signal_number: int, frame: FrameType | None) -> None:
    """Ends like Ctrl-C does, with nothing left behind."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
