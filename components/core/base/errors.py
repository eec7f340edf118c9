"""The one error that a user is meant to read."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec

P = ParamSpec("P")


class UserError(Exception):
    """Something outside the program is wrong, and the user can fix it.

    Args:
        what: what could not be done, naming the file or key.
        got: what was found there.
        expected: what would have been right.
        fix: what to do now, as a command where there is one.
    """

    def __init__(self, what: str, got: str = "", expected: str = "", fix: str = "") -> None:
        self.what, self.got, self.expected, self.fix = what, got, expected, fix
        super().__init__(what, got, expected, fix)

    def __str__(self) -> str:
        parts = [self.what]
        parts += [f"{name} {text}" for name, text in (("got", self.got), ("expected", self.expected)) if text]
        return " ".join(("; ".join(parts) + (f". {self.fix}" if self.fix else "")).split())


def fail(error: UserError) -> NoReturn:
    """Prints the error as one line on stderr and leaves with exit code 2."""
    print(f"error: {error}", file=sys.stderr)
    raise SystemExit(2)


def shell(main: Callable[P, None]) -> Callable[P, None]:
    """Decorates an entry point: a UserError becomes one line and exit code 2, never a traceback."""

    @wraps(main)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            main(*args, **kwargs)
        except UserError as error:
            fail(error)

    return wrapped
