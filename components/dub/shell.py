"""What the command does with its arguments: one dub, or a table of them."""

from argparse import Namespace
from collections.abc import Callable
from contextlib import ExitStack

from components.core.base import runtime
from components.dub import arguments
from components.dub.options import Progress


def one(given: Namespace) -> None:
    """Dubs one video, and writes its report."""
    from components.dub import dub, report

    if given.report:
        report.check(given.report, {given.video, given.speech, given.out})
    with ExitStack() as bar:
        done = dub(given.video, given.speech, given.out, arguments.options(given), _shown(bar))
    if given.report:
        done.save(given.report)


def many(given: Namespace) -> None:
    """Dubs every line of a table; exit code 1 where any failed."""
    from components.dub import batch

    lines = batch.read(given.batch, arguments.options(given))
    if batch.dub_all(lines, given.batch.with_suffix(".result.csv")):
        raise SystemExit(1)


def _shown(bar: ExitStack) -> Progress:
    """Progress on a bar that appears with the first frame, when the total is known."""
    advance: Callable[[int], None] | None = None

    def progress(done: int, total: int | None) -> None:
        nonlocal advance
        advance = advance or bar.enter_context(runtime.progress("dub", total))
        advance(1)

    return progress
