"""Intervals with known answers."""

import numpy as np
import pytest

from components.core.statistics.interval import Interval, Resampling, interval

HOW = Resampling(2000, 0)


def test_an_interval_has_the_width_of_the_normal_one():
    values = np.random.default_rng(0).normal(3, 2, 400)
    found = interval(values, HOW)
    assert found
    assert found.mean == pytest.approx(values.mean())
    assert found.hi - found.lo == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert found.n == 400


def test_an_interval_leaves_out_what_was_not_measured():
    assert interval([np.nan, 2.0, np.inf, 2.0], HOW) == Interval(2, 2, 2, 2)
    assert interval([np.nan], HOW) is None
    assert interval([], HOW) is None


def test_intervals_are_the_same_for_the_same_seed():
    values = np.random.default_rng(0).normal(size=30)
    assert interval(values, HOW) == interval(values, HOW)
    assert interval(values, HOW) != interval(values, Resampling(2000, 1))
