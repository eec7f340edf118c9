"""A dub that is interrupted from outside: nothing of it runs on, nothing half done stays, and --resume goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from components.core.media import video

Speech = Callable[[float], Path]
STOP_AT = 20
STOPPED = """
import os, signal, time
from components.dub import model, output
add, edit, edits = output.Writer.add, model.Editor.edit, []
def stop(self, picture):
    add(self, picture)
    if self.frames == int(os.environ.get("STOP_AT", -1)):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30)  # only the signal ends this
def count(self, *given):
    edits.append(1)
    return edit(self, *given)
output.Writer.add, model.Editor.edit = stop, count
from components.dub.__main__ import main
try:
    main()
finally:
    print("edits", len(edits))
"""


def run(arguments: list[str], stop: bool) -> tuple[int, str, int]:
    """Exit code, what was said, and how many chunks were edited; fails where a process of it is left."""
    environment = {**os.environ, **({"STOP_AT": str(STOP_AT)} if stop else {})}
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED, *arguments],
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said, errors = process.communicate(timeout=300)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # nobody of its session is left
    return process.returncode, errors, int(said.split()[-1])


def test_ctrl_c_leaves_no_process_and_no_file(tmp_path: Path, talking: Path, tinting: Path, speech: Speech) -> None:
    command = [*map(str, (talking, speech(1.6), "-o", tmp_path / "out.mp4", "--model", tinting)), "--i-have-consent"]
    code, said, edits = run(command, stop=True)
    assert code == 130, said
    assert "Traceback" not in said
    assert edits > 0
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_with_resume_leaves_the_journal_and_the_same_command_goes_on(
    tmp_path: Path, talking: Path, tinting: Path, speech: Speech
) -> None:
    out = tmp_path / "out.mp4"
    command = [*map(str, (talking, speech(1.6), "-o", out, "--model", tinting)), "--i-have-consent", "--resume"]
    code, said, first = run(command, stop=True)
    assert code == 130, said
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4.resume"]
    code, said, second = run(command, stop=False)
    assert code == 0, said
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert video.probe(out).frames == 40
    whole = -(-(40 - 2) // 6)  # chunks of 8 frames of which 2 carry on
    assert 0 < second < whole
    assert first + second <= whole + 1  # at most the chunk in hand is made twice
