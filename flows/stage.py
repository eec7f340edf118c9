"""One stage as one Prefect task: DVC decides whether it runs, Prefect retries, logs and shows it."""

import os
import re
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.logging import get_run_logger
from prefect.tasks import Task, exponential_backoff

USER_ERROR = 2  # the exit code of components.core.base.errors.shell
SHOWN_LINES = 15


class StageError(Exception):
    """A stage failed.

    Args:
        stage: its name.
        exit_code: of the stage's own command where DVC reports it, else of DVC.
        lines: the last lines of its output.
    """

    def __init__(self, stage: str, exit_code: int, lines: tuple[str, ...]) -> None:
        self.stage, self.exit_code, self.lines = stage, exit_code, lines
        super().__init__(stage, exit_code, lines)

    def __str__(self) -> str:
        tail = "\n".join(f"  {line}" for line in self.lines)
        return (
            f"stage {self.stage} failed with exit code {self.exit_code}. Its last lines:\n{tail}\n"
            f"Run it alone with `dvc repro --single-item {self.stage}`; "
            f"`python -m flows.pipeline` goes on from it when it is mended."
        )


def worth_retrying(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """False for what a user has to mend first: the same input would fail the same way."""
    error = state.result(raise_on_failure=False)
    return not (isinstance(error, StageError) and error.exit_code == USER_ERROR)


@task(
    task_run_name="{stage}",
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=10),
    retry_jitter_factor=0.2,
    retry_condition_fn=worth_retrying,
    cache_policy=NO_CACHE,  # DVC is the only cache
)
def reproduce(stage: str, folder: Path) -> None:
    """Brings one stage up to date, its ancestors being so, and streams its output into the run's log.

    Raises:
        StageError: the stage's command failed.
    """
    log = get_run_logger()
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", stage]
    last: deque[str] = deque(maxlen=SHOWN_LINES)
    with subprocess.Popen(
        command, cwd=folder, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in filter(None, map(str.rstrip, process.stdout)):
            log.info(line)
            last.append(line)
    if process.returncode != 0:
        raise StageError(stage, exit_code("\n".join(last), process.returncode), tuple(last))


def _environment() -> dict[str, str]:
    """This process's, with the `python` of dvc.yaml's commands being the one that runs the flow."""
    return {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}


def exit_code(output: str, otherwise: int) -> int:
    """DVC leaves with 255 whatever the command's own code was, but names that code in its last line."""
    found = re.findall(r"exited with (-?\d+)", output)
    return int(found[-1]) if found else otherwise
