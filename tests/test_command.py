"""The command line `dubstrap`."""

import re
import subprocess
import sys
from pathlib import Path

from components.__main__ import commands


def dubstrap(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs it in a process of its own."""
    command = [str(Path(sys.executable).parent / "dubstrap"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_component_is_a_command_with_a_line_of_help() -> None:
    assert {"dub", "studio", "rights", "crop", "export"} <= set(commands())
    assert all(len(line) > 20 for line in commands().values())
    shown = dubstrap("--help").stdout
    assert all(name in shown for name in commands())


def test_a_command_reads_its_own_help_and_arguments() -> None:
    done = dubstrap("dub", "--help")
    assert done.returncode == 0
    assert "usage: dubstrap dub" in done.stdout
    assert "--length" in done.stdout


def test_a_wrong_command_is_exit_2_without_a_traceback() -> None:
    done = dubstrap("dubb", "a.mp4")
    assert done.returncode == 2
    assert "No such command" in done.stderr
    assert "Traceback" not in done.stderr


def test_listing_the_commands_imports_none_of_them() -> None:
    code = "import sys, components.__main__; print(*(name for name in sys.modules if name.startswith('components.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = {name for name in done.stdout.split() if not name.startswith("components.core")}
    assert ours == {"components.__main__"}


def test_make_alone_lists_every_target() -> None:
    root = Path(__file__).resolve().parents[1]
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE))
    done = subprocess.run(["make", "-C", root], capture_output=True, text=True, check=True)
    assert set(re.findall(r"^  make (\w+) +\S", done.stdout, re.MULTILINE)) == targets
    assert {"repro", "test", "data"} <= targets
    assert "make --no-print-directory test" in (root / ".ci/run").read_text()
