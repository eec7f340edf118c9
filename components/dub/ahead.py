"""Stages that overlap: iterators that run ahead of their readers, each in a thread of its own."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, Full, Queue
from threading import Event
from types import TracebackType
from typing import Any, TypeVar

import cv2

T = TypeVar("T")

MOST = 8
"""Threads at once."""
POLL_S = 0.1
_END = object()


class _StoppedError(Exception):
    """The reader does not want any more."""


class Stages:
    """Threads that end, at the latest, with the context: by then none of them runs any more.

    Meanwhile OpenCV stays in the thread that calls it, since threads of its own would take the other stages' cores.
    """

    def __init__(self) -> None:
        self._stopped = Event()
        self._opencv_threads = cv2.getNumThreads()
        self._pool = ThreadPoolExecutor(MOST, thread_name_prefix="dub")

    def __enter__(self) -> "Stages":
        cv2.setNumThreads(1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._pool.shutdown()
        cv2.setNumThreads(self._opencv_threads)

    def ahead(self, items: Iterator[T], size: int) -> Iterator[T]:
        """The items, of which up to `size` are made before they are asked for; what making them raises is raised."""
        queue: Queue[Any] = Queue(size)
        return self._take(queue, self._pool.submit(self._fill, items, queue))

    def _fill(self, items: Iterator[T], queue: "Queue[Any]") -> None:
        try:
            for item in items:
                self._put(queue, item)
        finally:
            if not self._stopped.is_set():
                self._put(queue, _END)

    def _put(self, queue: "Queue[Any]", item: Any) -> None:
        while not self._stopped.is_set():
            try:
                return queue.put(item, timeout=POLL_S)
            except Full:
                continue
        raise _StoppedError

    def _take(self, queue: "Queue[Any]", made: "Future[None]") -> Iterator[T]:
        while True:
            try:
                item = queue.get(timeout=POLL_S)
            except Empty:
                if self._stopped.is_set():
                    raise _StoppedError from None
                continue
            if item is _END:
                return made.result()
            yield item
