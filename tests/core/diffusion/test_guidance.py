"""Guidance: the equation, the branches that it needs, and its limits."""

import numpy as np
import pytest
import torch

from components.core.diffusion.guidance import Branch, Guidance, branches, guided


@pytest.mark.parametrize("array", [np.array, torch.tensor])
def test_guided_is_the_equation(array):
    null, ref, full = array([0.1, 1.0]), array([0.5, -1.0]), array([0.7, 2.0])
    expected = null + 1.5 * (ref - null) + 2.0 * (full - ref)
    result = guided(null, ref, full, 1.5, 2.0)
    assert type(result) is type(null)
    assert abs(result - expected).max() < 1e-6


@pytest.mark.parametrize(
    ("reference", "audio", "needed"),
    [
        (1, 1, (Branch.FULL,)),
        (1, 2, (Branch.REFERENCE, Branch.FULL)),
        (1.5, 1.5, (Branch.NULL, Branch.FULL)),
        (2, 1, (Branch.NULL, Branch.REFERENCE, Branch.FULL)),
        (0, 0, (Branch.NULL,)),
        (1, 0, (Branch.REFERENCE,)),
    ],
)
def test_only_branches_that_count_are_needed(reference, audio, needed):
    scales = Guidance(reference, audio)
    assert branches(scales) == needed
    predictions = {Branch.NULL: np.array(1.0), Branch.REFERENCE: np.array(3.0), Branch.FULL: np.array(-2.0)}
    whole = guided(*predictions.values(), reference, audio)
    part = guided(*(predictions[b] if b in needed else None for b in Branch), reference, audio)
    assert part == whole == 1 + reference * (3 - 1) + audio * (-2 - 3)


def test_weights_add_up_to_one():
    assert sum(Guidance(1.7, 3.1).weights().values()) == pytest.approx(1)


def test_the_branches_say_what_the_model_is_given():
    assert [(b.keep_companion, b.keep_audio) for b in Branch] == [(False, False), (True, False), (True, True)]


def test_scales_are_the_same_at_every_time():
    scales = Guidance(1.2, 2.0)
    assert scales.at(0.0) == scales.at(1.0) == scales
    with pytest.raises(ValueError, match="expected 0 to 1"):
        scales.at(1.5)


@pytest.mark.parametrize(("reference", "audio"), [(-1, 1), (1, -0.1), (1, 21), (float("nan"), 1)])
def test_scales_out_of_range_are_refused(reference, audio):
    with pytest.raises(ValueError, match="expected 0 to 20"):
        Guidance(reference, audio)
