"""The graph is DVC's."""

from pathlib import Path

import pytest

from components.core.base.errors import UserError
from flows import graph


def test_every_stage_comes_after_those_it_reads_from(project: Path) -> None:
    stages = graph.read(project)
    assert {stage.name: set(stage.after) for stage in stages} == {
        "data.dvc": set(),
        "left": {"data.dvc"},
        "right": {"data.dvc"},
        "join": {"left", "right"},
    }
    seen: set[str] = set()
    for stage in stages:
        assert set(stage.after) <= seen
        seen.add(stage.name)


def test_a_target_brings_only_its_ancestors(project: Path) -> None:
    assert [stage.name for stage in graph.read(project, "left")] == ["data.dvc", "left"]


def test_names_do_not_depend_on_the_working_directory(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = graph.read(project)
    monkeypatch.chdir(tmp_path)
    assert graph.read(project) == here


def test_an_unknown_target_names_the_stages(project: Path) -> None:
    with pytest.raises(UserError, match=r"no stage jion; expected one of .*join"):
        graph.read(project, "jion")


def test_a_folder_without_a_project_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the pipeline"):
        graph.read(tmp_path)


def test_a_broken_pipeline_is_a_user_error(project: Path) -> None:
    (project / "dvc.yaml").write_text("stages: {join: {deps: [nothing]}}\n")
    with pytest.raises(UserError, match=r"dvc\.yaml"):
        graph.read(project)
