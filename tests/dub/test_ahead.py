"""Iterators in threads: order, bounds, errors and the end of every thread."""

import threading
import time

import pytest

from components.dub.ahead import Stages


def names():
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("dub")}


def test_items_pass_in_order_through_several_threads():
    with Stages() as stages:
        first = stages.ahead(iter(range(100)), 3)
        second = stages.ahead((item * 2 for item in first), 3)
        assert list(second) == list(range(0, 200, 2))
    assert not names()


def test_it_runs_in_another_thread_and_no_further_ahead_than_it_may():
    made = []

    def items():
        for index in range(50):
            made.append(threading.current_thread())
            yield index

    with Stages() as stages:
        source = stages.ahead(items(), 4)
        assert next(source) == 0
        time.sleep(0.05)
        assert len(made) <= 1 + 4 + 1  # taken, waiting, and one in hand
    assert threading.main_thread() not in made


def test_what_a_stage_raises_is_raised_at_the_end_of_the_chain():
    def broken():
        yield 1
        raise KeyError("deep")

    with Stages() as stages:
        chain = stages.ahead((item for item in stages.ahead(broken(), 2)), 2)
        assert next(chain) == 1
        with pytest.raises(KeyError, match="deep"):
            next(chain)


def test_leaving_early_ends_threads_that_wait_to_give_and_to_take():
    closed = []

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.append(True)

    def slow(items):
        yield from (item for item in items if item)  # waits for ever for an item that is not 0

    def interrupted():
        with Stages() as stages:
            stages.ahead(slow(stages.ahead(endless(), 2)), 2)
            time.sleep(0.02)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not names()
    assert closed
