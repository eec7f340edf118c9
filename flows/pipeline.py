"""The whole pipeline as a Prefect flow: the graph of dvc.yaml, one task per stage.

python -m flows.pipeline                                brings every stage up to date, with or without a server
python -m flows.pipeline --target crop                  only a stage and what it needs
python -m flows.pipeline --scale smoke                  composes params.yaml at a scale first
python -m flows.pipeline --serve "0 3 * * 0"            retrains every Sunday at three; needs `make server`
"""

import argparse
import os
from pathlib import Path
from typing import Any

from components.core.base import files, runtime
from components.core.base.errors import UserError, shell
from flows import server

runtime.offline()  # Prefect reads its settings when it is imported; it sets up logging itself
server.find()

from prefect import flow  # noqa: E402
from prefect.artifacts import create_markdown_artifact, create_table_artifact  # noqa: E402
from prefect.client.schemas.schedules import CronSchedule  # noqa: E402
from prefect.futures import PrefectFuture, wait  # noqa: E402
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner  # noqa: E402

from flows import graph, params, summary  # noqa: E402
from flows.stage import StageError, reproduce  # noqa: E402


def side_by_side(stages: int) -> TaskRunner[Any]:
    """Runs so many stages at once; one is the default, since each may use every core."""
    return ThreadPoolTaskRunner(max_workers=stages)


@flow(name="dubstrap", task_runner=side_by_side(1))
def pipeline(target: str | None = None, overrides: list[str] | None = None) -> None:
    """Brings the stages up to date in the order of the graph and publishes what they measured.

    Args:
        target: the last stage to run; all of them where absent.
        overrides: of Hydra, composed into params.yaml first; without them params.yaml has to be what configs/ composes.
    """
    folder = Path.cwd()
    configure(overrides or [])
    run(folder, target)
    publish(folder)


def configure(overrides: list[str]) -> None:
    """Composes params.yaml where overrides ask for it, else checks it."""
    if overrides:
        files.write_text(params.PARAMS, params.compose(overrides))
    else:
        params.check()


def run(folder: Path, target: str | None) -> None:
    """Submits one task per stage, each waiting for those it reads from; raises the first failure at the end."""
    done: dict[str, PrefectFuture[None]] = {}
    for stage in graph.read(folder, target):
        done[stage.name] = reproduce.submit(
            stage.name, folder, return_state=False, wait_for=[done[name] for name in stage.after]
        )
    wait(list(done.values()))
    for future in done.values():
        future.result()


def publish(folder: Path) -> None:
    """The benchmark's table and links to the reports, as artifacts of this run."""
    if (folder / "metrics" / "evaluate.json").exists():
        create_table_artifact(summary.table(folder / "metrics"), key="benchmark", description="Means, 95 % intervals")
    links = [f"- [{title}]({path.as_uri()})" for title, path in summary.links(folder).items()]
    note = "Where to look. Copy the address: browsers open no file that a page links to"
    create_markdown_artifact("\n".join(links) or "Nothing to open yet.", key="reports", description=note)


def serve(cron: str, target: str | None, overrides: list[str]) -> None:
    """Stays, and runs the flow on the schedule: a deployment; one run at a time.

    Raises:
        UserError: there is no server to keep the schedule, or what is to be run would fail each time.
    """
    if server.VARIABLE not in os.environ:
        raise UserError("no Prefect server to keep the schedule", fix="Start one with `make server`, then try again.")
    try:
        CronSchedule(cron=cron)
    except ValueError:
        raise UserError("--serve", got=repr(cron), expected="five fields of cron, such as '0 3 * * 0'") from None
    params.compose(overrides)
    pipeline.serve("retrain", cron=cron, parameters={"target": target, "overrides": overrides}, limit=1)


@shell
def main() -> None:
    """Reads the arguments; runs the flow once, or serves it on a schedule."""
    parser = argparse.ArgumentParser(
        "python -m flows.pipeline", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", metavar="STAGE", help="stop after this stage")
    parser.add_argument("--scale", help="smoke, studio, gpu or paper: composes params.yaml at this scale")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="override params, as in Hydra")
    parser.add_argument("--concurrency", type=int, default=1, help="how many stages may run side by side (1)")
    parser.add_argument("--serve", metavar="CRON", help="stay, and run on this schedule")
    arguments = parser.parse_args()
    overrides = [f"scale={arguments.scale}"] * bool(arguments.scale) + arguments.set
    if arguments.concurrency < 1:
        raise UserError("--concurrency", got=str(arguments.concurrency), expected="at least 1")
    graph.read(Path.cwd(), arguments.target)  # what a user got wrong is said before a server starts
    if arguments.serve:
        serve(arguments.serve, arguments.target, overrides)
        return
    configure(overrides)
    try:
        pipeline.with_options(task_runner=side_by_side(arguments.concurrency))(arguments.target, overrides)
    except StageError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
