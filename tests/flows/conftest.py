"""A pipeline of four small stages in a folder of its own, and Prefect's state beside it."""

import os
import shutil
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


FILES = {
    "dvc.yaml": PIPELINE,
    "flaky.py": FLAKY,
    "data/a": "a",
    "configs/config.yaml": CONFIG,
    "configs/join/default.yaml": "rank: 16\n",
    "configs/scale/studio.yaml": "# @package _global_\nscale: studio\n",
    "configs/scale/smoke.yaml": "# @package _global_\nscale: smoke\njoin:\n  rank: 2\n",
    "params.yaml": "about: composed\nseed: 0\njoin:\n  rank: 16\nscale: studio\n",
}


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


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy pipeline, composed and with its data added."""
    folder = tmp_path_factory.mktemp("template") / "project"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    run_dvc(folder, "init", "--no-scm", "--quiet")
    run_dvc(folder, "config", "core.check_update", "false")
    run_dvc(folder, "add", "--quiet", "data")
    return folder


@pytest.fixture
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the toy pipeline as working directory."""
    folder = tmp_path / "project"
    shutil.copytree(template, folder)
    monkeypatch.chdir(folder)
    return folder
