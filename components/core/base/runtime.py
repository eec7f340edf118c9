"""What every entry point sets first: quiet third parties, log format, progress bars, worker processes."""

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

A = TypeVar("A")
R = TypeVar("R")

# No tool we use may talk to the internet or report usage; this is the one place that says so.
OFFLINE = {
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "NO_ALBUMENTATIONS_UPDATE": "1",
}
QUIET = {"GLOG_minloglevel": "2", "TF_CPP_MIN_LOG_LEVEL": "3"}


def offline() -> None:
    """Turns off what tools would report and native libraries would print. Call before they are imported."""
    for key, value in {**OFFLINE, **QUIET}.items():
        os.environ.setdefault(key, value)


def start() -> None:
    """What every entry point calls before its heavy imports: `offline`, and the log format."""
    offline()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr; yields `advance(n)`. Where stderr is no terminal it logs a line at each tenth."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _milestones(label, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(label, total=total)
        yield lambda n: bar.update(task, advance=n)


def _milestones(label: str, total: int | None) -> Callable[[int], None]:
    done = 0

    def advance(n: int) -> None:
        nonlocal done
        before, done = done, done + n
        if total and done * 10 // total > before * 10 // total:
            logging.getLogger(__name__).info("%s: %d of %d", label, done, total)

    return advance


def map_processes(function: Callable[[A], R], items: Iterable[A], label: str, workers: int) -> list[R]:
    """`[function(item) for item in items]` over worker processes, results in the items' order.

    Processes are spawned, so that native thread pools (OpenCV, MediaPipe, torch) start clean in each.
    """
    todo = list(items)
    results: dict[int, R] = {}
    with progress(label, len(todo)) as advance:
        if workers <= 1 or len(todo) <= 1:
            for index, item in enumerate(todo):
                results[index] = function(item)
                advance(1)
        else:
            with ProcessPoolExecutor(min(workers, len(todo)), get_context("spawn"), initializer=start) as pool:
                futures = {pool.submit(function, item): index for index, item in enumerate(todo)}
                for future in as_completed(futures):
                    results[futures[future]] = future.result()
                    advance(1)
    return [results[index] for index in range(len(todo))]


def map_threads(function: Callable[[A], R], items: Iterable[A]) -> list[R]:
    """`[function(item) for item in items]` by every core, for functions whose time goes into native code."""
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(function, items))


def cores() -> int:
    """The CPU cores this process may use."""
    return len(os.sched_getaffinity(0))
