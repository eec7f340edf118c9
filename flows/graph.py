"""The graph of stages, read from DVC. The only file that imports dvc."""

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from components.core.base.errors import UserError


@dataclass(frozen=True)
class Stage:
    """One node of the graph.

    Attributes:
        name: what DVC calls it: "crop", or "data.dvc" for data that a .dvc file tracks.
        after: the stages whose outs it reads.
    """

    name: str
    after: tuple[str, ...]


def read(folder: Path, target: str | None = None) -> list[Stage]:
    """Every stage of the project, each after those that it reads from; with a target, it and its ancestors only.

    Raises:
        UserError: the folder is no DVC project, dvc.yaml is broken, or the target is not in it.
    """
    reads = _reads(folder)
    if target is not None and target not in reads:
        raise UserError(f"no stage {target}", expected="one of " + ", ".join(sorted(reads)))
    wanted = set(reads) if target is None else _ancestors(target, reads)
    return [Stage(name, reads[name]) for name in TopologicalSorter(reads).static_order() if name in wanted]


def _reads(folder: Path) -> dict[str, tuple[str, ...]]:
    """For every stage, in the order of dvc.yaml, the stages that it reads from."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(folder)) as repo:
            graph = repo.index.graph
    except DvcException as error:
        raise UserError(f"cannot read the pipeline of {folder.resolve()}", got=str(error)) from error
    return {_name(stage): tuple(sorted(map(_name, graph[stage]))) for stage in graph}


def _name(stage: Any) -> str:
    """Its name in dvc.yaml or the path of its .dvc file, whatever the working directory."""
    return str(getattr(stage, "name", None) or stage.path_in_repo)


def _ancestors(name: str, reads: Mapping[str, tuple[str, ...]]) -> set[str]:
    return {name}.union(*(_ancestors(other, reads) for other in reads[name]))
