"""The sampler against closed forms, with NumPy arrays and torch tensors, and the plan of chunks."""

import math
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from components.core.diffusion import sampler
from components.core.diffusion.sampler import Chunk

ARRAYS = [np.array, torch.tensor]


def test_timesteps_without_shift_are_uniform():
    assert sampler.timesteps(4, 1.0) == (1.0, 0.75, 0.5, 0.25, 0.0)


@given(st.integers(1, 50), st.floats(0.05, 20))
def test_timesteps_fall_from_one_to_zero(steps, shift):
    times = sampler.timesteps(steps, shift)
    assert len(times) == steps + 1
    assert times[0] == 1
    assert times[-1] == 0
    assert all(a > b for a, b in pairwise(times))


def test_shift_moves_the_middle_towards_noise():
    assert sampler.timesteps(2, 5.0)[1] == pytest.approx(5 / 6)
    assert sampler.timesteps(2, 0.2)[1] == pytest.approx(1 / 6)


@pytest.mark.parametrize(("steps", "shift"), [(0, 1.0), (-1, 1.0), (1, 0.0), (1, -2.0)])
def test_timesteps_refuse_what_makes_no_schedule(steps, shift):
    with pytest.raises(ValueError, match="expected"):
        sampler.timesteps(steps, shift)


@pytest.mark.parametrize("array", ARRAYS)
def test_step_stays_on_the_path(array):
    clean, noise = array([1.0, -2.0, 0.5]), array([0.3, 0.7, -1.1])
    t, s = 0.8, 0.3
    noisy = (1 - t) * clean + t * noise
    expected = (1 - s) * clean + s * noise
    assert abs(sampler.step(noisy, clean, t, s) - expected).max() < 1e-6


@pytest.mark.parametrize(("t", "s"), [(0.5, 0.5), (0.2, 0.4), (1.1, 0.5), (0.5, -0.1)])
def test_step_refuses_times_that_do_not_fall(t, s):
    with pytest.raises(ValueError, match="from t down to s"):
        sampler.step(np.zeros(2), np.zeros(2), t, s)


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_the_true_clean_sample_is_reached_from_any_noise(array, steps):
    clean, noise = array([0.2, -0.9, 0.4]), array([1.5, 0.1, -2.2])
    result = sampler.sample(lambda noisy, t: clean, noise, sampler.timesteps(steps, 5.0))
    assert type(result) is type(noise)
    assert abs(result - clean).max() < 1e-6


@pytest.mark.parametrize("shift", [0.2, 1.0, 5.0])
def test_gaussian_data_are_transported_to_the_closed_form(shift):
    """Data N(0, sigma^2): E[z_0 | z_t] is linear in z_t, and the flow carries noise eps to sigma eps exactly."""
    sigma = 0.5

    def posterior_mean(noisy, t):
        return (1 - t) * sigma**2 / ((1 - t) ** 2 * sigma**2 + t**2) * noisy

    noise = np.array([1.0, -2.0])
    errors = [
        np.abs(sampler.sample(posterior_mean, noise, sampler.timesteps(steps, shift)) - sigma * noise).max()
        for steps in (40, 80, 800)
    ]
    assert errors[2] < 0.01
    assert math.isclose(errors[0] / errors[1], 2, rel_tol=0.15)  # first order: twice the steps, half the error


def test_the_module_imports_no_array_library():
    code = "import sys, components.core.diffusion.sampler, components.core.diffusion.guidance\n"
    code += "assert not {'torch', 'numpy'} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_clip_of_one_chunk_or_less_is_one_chunk():
    assert sampler.chunks(8, 8, 2) == [Chunk(0, 8, 0)]
    assert sampler.chunks(3, 8, 2) == [Chunk(0, 8, 0)]


def test_the_last_chunk_is_shifted_back():
    assert sampler.chunks(15, 8, 2) == [Chunk(0, 8, 0), Chunk(6, 14, 2), Chunk(7, 15, 7)]
    assert sampler.chunks(14, 8, 2) == [Chunk(0, 8, 0), Chunk(6, 14, 2)]
    assert sampler.chunks(15, 8, 2)[-1].fresh == slice(14, 15)


@given(st.integers(1, 200), st.integers(1, 20), st.data())
def test_every_frame_is_fresh_once_after_enough_motion(frames, chunk_frames, data):
    motion = data.draw(st.integers(0, chunk_frames - 1))
    plan = sampler.chunks(frames, chunk_frames, motion)
    fresh = [frame for chunk in plan for frame in range(chunk.start + chunk.motion, min(chunk.stop, frames))]
    assert fresh == list(range(frames))
    assert all(chunk.stop - chunk.start == chunk_frames for chunk in plan)
    assert plan[0].motion == 0
    assert all(chunk.motion >= motion for chunk in plan[1:])


@pytest.mark.parametrize(("frames", "chunk", "motion"), [(0, 8, 2), (5, 0, 0), (5, 4, 4), (5, 4, -1)])
def test_impossible_plans_are_refused(frames, chunk, motion):
    with pytest.raises(ValueError, match="expected"):
        sampler.chunks(frames, chunk, motion)
