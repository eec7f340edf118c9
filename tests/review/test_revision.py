"""A revision's files come back as they were, without touching the workspace."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from components.core.base.errors import UserError
from components.review import __main__ as command
from components.review import revision

STAGE = """stages:
  ingest:
    cmd: mkdir -p artifacts/clips && cp rejects.parquet artifacts/clips
    deps: [rejects.parquet]
    outs: [artifacts/clips]
  evaluate:
    cmd: mkdir -p artifacts/evaluate metrics && cp source artifacts/evaluate/clips && echo '{}' > metrics/evaluate.json
    deps: [source]
    outs: [artifacts/evaluate, metrics/evaluate.json: {cache: false}]
"""
PARAMS = "validate: {runs: {columns: [lip_opening_r], method: wasserstein, threshold: 0.3, max_share: 0.5}}"


def call(folder: Path, *command: str) -> str:
    identity = {f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **identity}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DVC project with two runs, tagged one and two, and before them a commit without any, tagged none."""
    folder = tmp_path_factory.mktemp("repository")
    dvc = (sys.executable, "-m", "dvc")
    call(folder, "git", "init", "--quiet")
    call(folder, *dvc, "init", "--quiet")
    (folder / ".gitignore").write_text("/artifacts\n")
    (folder / "dvc.yaml").write_text(STAGE)
    (folder / "params.yaml").write_text(PARAMS)
    rejects = [{"source": "footage/dark.mp4", "reason": "no_face", "detail": ""}]
    pd.DataFrame(rejects).to_parquet(folder / "rejects.parquet")
    for name in ("none", "one", "two"):
        (folder / "source").write_text(name)
        if name != "none":
            call(folder, *dvc, "repro", "--quiet")
        call(folder, "git", "add", ".")
        call(folder, "git", "commit", "--quiet", "-m", name)
        call(folder, "git", "tag", name)
    call(folder, "git", "update-ref", "refs/exps/ab/cdef/odd-exp", call(folder, "git", "rev-parse", "one").strip())
    return folder


def test_files_of_a_revision_come_back(repository: Path):
    status = call(repository, "git", "status", "--porcelain")
    for name in ("one", "two", "odd-exp"):
        with revision.checkout(repository, name) as folder:
            assert (folder / "artifacts/evaluate/clips").read_text() == ("two" if name == "two" else "one")
            assert (folder / "metrics/evaluate.json").exists()
        assert not folder.exists()
    with revision.checkout(repository, "none") as folder:
        assert not (folder / "artifacts").exists()
    assert (repository / "artifacts/evaluate/clips").read_text() == "two"
    assert call(repository, "git", "status", "--porcelain") == status
    assert len(call(repository, "git", "worktree", "list").splitlines()) == 1


def test_a_revision_that_is_not_there_is_said(repository: Path):
    with pytest.raises(UserError, match=r"no revision nine.*dvc exp show"), revision.checkout(repository, "nine"):
        pass
    with pytest.raises(UserError, match="no revision --all"):
        revision.resolve(repository, "--all")


def test_what_the_cache_has_not_is_absent(repository: Path, tmp_path: Path):
    clone = tmp_path / "clone"
    call(tmp_path, "git", "clone", "--quiet", str(repository), str(clone))
    with revision.checkout(clone, "one") as folder:
        assert not (folder / "artifacts/evaluate/clips").exists()
        assert (folder / "metrics/evaluate.json").exists()


def review(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> str:
    """What the page of `dubstrap review ARGUMENTS` says."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["review", *arguments, "--out", "artifacts/page"])
    command.main()
    return (folder / "artifacts/page/index.html").read_text()


def test_the_command_shows_revisions(repository: Path, monkeypatch: pytest.MonkeyPatch):
    page = review(monkeypatch, repository, "--rev", "one")
    assert "<h1>Review of one</h1>" in page
    assert "one has none, or DVC's cache has lost them" in page  # nobody exported anything in it
    page = review(monkeypatch, repository, "--compare", "one", "workspace")
    assert "<b>A</b> = one" in page
    assert "<b>B</b> = the workspace" in page
    assert "footage/dark.mp4</th><td>ingest</td><td>no_face</td><td></td><td>A and B</td>" in page


def test_the_command_says_what_a_revision_lacks(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as end:
        review(monkeypatch, repository, "--rev", "none")
    assert end.value.code == 2
    assert "none holds no run" in capsys.readouterr().err


def test_outside_of_git_the_workspace_has_no_commit(tmp_path: Path):
    assert revision.of_workspace(tmp_path) == "workspace"
