"""The command line `dubstrap`: one command for each package under components/ that runs."""

import ast
import importlib
import sys
from pathlib import Path

import typer

from components.core.base.errors import shell

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
# A package reads its own arguments, --help included; nothing of it is imported before it is asked for.
PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True}


@app.callback(no_args_is_help=True)
def root() -> None:
    """Mask-free visual dubbing that you can train yourself."""


def commands() -> dict[str, str]:
    """Every package that runs, with the first line of its docstring."""
    entries = sorted(Path(__file__).parent.glob("*/__main__.py"))
    return {entry.parent.name: _summary(entry) for entry in entries}


def _summary(entry: Path) -> str:
    return (ast.get_docstring(ast.parse(entry.read_text())) or "").partition("\n")[0]


def _dispatch(context: typer.Context) -> None:
    sys.argv = [f"dubstrap {context.info_name}", *context.args]
    importlib.import_module(f"components.{context.info_name}.__main__").main()


for _name, _help in commands().items():
    app.command(_name, help=_help, context_settings=PASSED_ON, add_help_option=False)(_dispatch)


@shell
def main() -> None:
    """Runs the command that the first argument names."""
    app()


if __name__ == "__main__":
    main()
