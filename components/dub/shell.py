"""What the command does with its arguments: one dub, or a table of them."""

from argparse import Namespace
from collections.abc import Callable
from contextlib import ExitStack

from components.core.base import files, runtime
from components.core.base.errors import UserError
from components.dub import arguments
from components.dub.options import Progress


def one(given: Namespace) -> None:
    """Dubs one video, and writes its report."""
    from components.dub import dub

    if given.report and given.report.resolve() in {path.resolve() for path in (given.video, given.speech, given.out)}:
        raise UserError(f"the report {given.report} is an input or the output", fix="Choose another --report.")
    with ExitStack() as bar:
        report = dub(given.video, given.speech, given.out, arguments.options(given), _shown(bar))
    if given.report:
        files.write_json(given.report, report.to_json())


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
