"""A pipeline of four small stages in a folder of its own, and Prefect's state beside it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CONFIG = """\
defaults:
- _self_
- join: default
- scale: studio
about: composed
seed: 0
"""

PIPELINE = """\
stages:
  join:
    cmd: python -c "open('join', 'w').write(open('left').read() + open('right').read())"
    deps: [left, right]
    params: [join]
    outs: [join]
  left:
    cmd: python -c "open('left', 'w').write(open('data/a').read() * 2)"
    deps: [data]
    outs: [left]
  right:
    cmd: python flaky.py
    deps: [data, flaky.py]
    outs: [right]
"""

# Fails once with the exit code in `code`, if there is such a file, and works when it is run again.
FLAKY = """\
import pathlib, sys
code = pathlib.Path("code")
if code.exists():
    print("about to fail")
    value = int(code.read_text())
    code.unlink()
    sys.exit(value)
pathlib.Path("right").write_text("r")
"""


def run_dvc(folder: Path, *arguments: str) -> str:
    """Runs DVC there and returns what it printed."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="session")
def dvc() -> Callable[..., str]:
    """`dvc(folder, *arguments)` runs DVC there and returns what it printed."""
    return run_dvc


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toy pipeline, composed and with its data added, as working directory."""
    files = {
        "dvc.yaml": PIPELINE,
        "flaky.py": FLAKY,
        "data/a": "a",
        "configs/config.yaml": CONFIG,
        "configs/join/default.yaml": "rank: 16\n",
        "configs/scale/studio.yaml": "# @package _global_\nscale: studio\n",
        "configs/scale/smoke.yaml": "# @package _global_\nscale: smoke\njoin:\n  rank: 2\n",
        "params.yaml": "about: composed\nseed: 0\njoin:\n  rank: 16\nscale: studio\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    run_dvc(tmp_path, "init", "--no-scm", "--quiet")
    run_dvc(tmp_path, "config", "core.check_update", "false")
    run_dvc(tmp_path, "add", "--quiet", "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path
