"""What counts as worse: beyond the approved interval, on the wrong side."""

import pytest

from components.core.base import gate


def evaluation(**means: float) -> dict[str, object]:
    return {"rows": {"editor": {name: {"mean": m, "lo": m - 0.1, "hi": m + 0.1, "n": 9} for name, m in means.items()}}}


@pytest.mark.parametrize(
    ("metric", "was", "now", "worse"),
    [
        ("lip_opening_r", 0.5, 0.41, False),
        ("lip_opening_r", 0.5, 0.39, True),
        ("lip_opening_r", 0.5, 0.9, False),
        ("lmd_px", 2.0, 2.11, True),
        ("lmd_px", 2.0, 1.0, False),
        ("sharpness_ratio", 0.9, 1.15, False),
        ("sharpness_ratio", 0.9, 0.7, True),
        ("sharpness_ratio", 0.9, 1.3, True),  # too sharp is as far from right as too soft
        ("seam_db", -0.5, -0.7, True),
        ("seconds_per_second", 1.0, 9.0, False),  # a matter of the machine
        ("of_the_future", 1.0, 9.0, False),
    ],
)
def test_worse_is_farther_from_right_than_the_interval(metric: str, was: float, now: float, worse: bool):
    found = gate.regressions(evaluation(**{metric: now}), evaluation(**{metric: was}))
    assert [r.metric for r in found] == [metric] * worse
    if worse:
        assert found[0].was.startswith(f"{was:.3g} (")


def test_a_metric_that_went_missing_is_worse_and_a_new_one_is_not():
    found = gate.regressions(evaluation(mouth_ssim=0.9), evaluation(lip_width_r=0.5))
    assert [(r.metric, r.now) for r in found] == [("lip_width_r", "not measured")]
    assert gate.regressions(evaluation(mouth_ssim=0.9), {}) == []
