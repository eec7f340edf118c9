"""The project's files as they were at a revision: code and figures from git, artifacts as links into DVC's cache."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from components.core.base.errors import UserError

STAGES = ("ingest", "validate-clips", "crop", "validate-crops", "pairs", "validate-pairs", "evaluate", "export")
"""The stages whose outs a review shows."""
NO_GIT = "workspace"
SHORT = 12


@contextmanager
def checkout(project: Path, rev: str) -> Iterator[Path]:
    """A temporary folder that holds the revision; what DVC's cache has not is absent there.

    Args:
        project: the folder of the project, a git repository.
        rev: anything that git or `dvc exp show` names: a commit, a branch, a tag, an experiment.
    """
    commit = resolve(project, rev)
    cache = _call(project, sys.executable, "-m", "dvc", "cache", "dir").strip()
    with tempfile.TemporaryDirectory(prefix="dubstrap-review-") as parent:
        folder = Path(parent) / "run"
        _call(project, "git", "worktree", "add", "--quiet", "--detach", str(folder), commit)
        try:
            _link_artifacts(folder, cache)
            yield folder
        finally:
            _call(project, "git", "worktree", "remove", "--force", str(folder))


def resolve(project: Path, rev: str) -> str:
    """The commit that a revision's name stands for.

    Raises:
        UserError: git knows no such revision, nor DVC such an experiment.
    """
    found = _git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
    if found:
        return found
    lines = (_git(project, "for-each-ref", "--format=%(objectname) %(refname)", "refs/exps") or "").splitlines()
    experiments = {line.rpartition("/")[2]: line.partition(" ")[0] for line in lines}
    if rev in experiments:
        return experiments[rev]
    raise UserError(
        f"no revision {rev} in {project.resolve()}",
        expected="a commit, branch or tag of git, or an experiment that `dvc exp show` names",
    )


def of_workspace(project: Path) -> str:
    """The short commit that the workspace stands on, NO_GIT outside of git."""
    return (_git(project, "rev-parse", "--verify", "--quiet", "HEAD") or NO_GIT)[:SHORT]


def _link_artifacts(folder: Path, cache: str) -> None:
    """Fills artifacts/ with links; a revision without dvc.lock has none."""
    lock = folder / "dvc.lock"
    if not lock.is_file():
        return
    known = (yaml.safe_load(lock.read_text()) or {}).get("stages", {})
    stages = [name for name in STAGES if name in known]
    (folder / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {cache}\n    type = symlink\n")
    _call(folder, sys.executable, "-m", "dvc", "checkout", "--quiet", "--allow-missing", *stages)


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, stripped; None where it fails or finds nothing."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _call(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = " ".join(command[2:] if command[0] == sys.executable else command)
        raise UserError(f"`{words}` failed in {folder.resolve()}", got=done.stderr.strip()[-300:])
    return done.stdout
