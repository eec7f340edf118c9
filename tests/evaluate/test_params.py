"""Values that contradict each other are refused, with the value in the message."""

from dataclasses import replace

import pytest

from components.evaluate.params import Params


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_pairs": 0}, "got 0"),
        ({"max_frames": 3}, "got 3"),
        ({"bootstrap_samples": 1}, "got 1"),
        ({"sample_pairs": -1}, "got -1"),
        ({"silence_dbfs": 3.0}, "got 3.0"),
        ({"yaw_edges_deg": (20.0, 10.0)}, "must rise"),
        ({"silence_edges_pct": (10.0, 10.0)}, "must rise"),
    ],
)
def test_params_are_checked(values: Params, change: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        replace(values, **change)


def test_sampling_and_success_are_checked(values: Params):
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        replace(values.editor, steps=0)
    with pytest.raises(ValueError, match="guidance_audio must not be negative, got -1"):
        replace(values.editor, guidance_audio=-1)
    with pytest.raises(ValueError, match="min_opening_r must be in"):
        replace(values.success, min_opening_r=2.0)
    with pytest.raises(ValueError, match="max_jitter_ratio must be at least 1"):
        replace(values.success, max_jitter_ratio=0.5)
