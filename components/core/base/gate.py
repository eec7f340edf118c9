"""The regression gate: which benchmark metrics of a run are worse than the approved run's by more than its interval."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GATED_ROW = "editor"
UP, DOWN = float("inf"), float("-inf")
RIGHT = {
    "mouth_psnr_db": UP,
    "mouth_ssim": UP,
    "lmd_px": DOWN,
    "lip_opening_r": UP,
    "lip_width_r": UP,
    "read_opening_r": UP,
    "read_width_r": UP,
    "old_lip_r": 0.0,
    "sync_confidence": UP,
    "sync_distance": DOWN,
    "identity_cosine": UP,
    "identity_truth_cosine": UP,
    "outside_psnr_db": UP,
    "occluder_psnr_db": UP,
    "sharpness_ratio": 1.0,
    "jitter_ratio": 1.0,
    "silence_motion_ratio": 1.0,
    "seam_db": 0.0,
    "success_rate": UP,
}
"""The right value of each metric that is gated: UP, DOWN, or the value itself. Speed depends on the machine."""


@dataclass(frozen=True)
class Regression:
    """One metric that got worse, with both values in words."""

    metric: str
    was: str
    now: str


def regressions(evaluation: Mapping[str, Any], approved: Mapping[str, Any]) -> list[Regression]:
    """What the gated row of an evaluate.json lost against that of the approved run's; empty: the gate is passed.

    A mean counts as worse where it is farther from right than every value of the approved mean's interval. A metric
    that the approved run had and this one lacks is worse too.
    """
    ours, theirs = (values.get("rows", {}).get(GATED_ROW, {}) for values in (evaluation, approved))
    found = []
    for metric, then in theirs.items():
        was, now = _words(then), _words(ours.get(metric))
        if metric in RIGHT and (metric not in ours or is_worse(metric, ours[metric], then)):
            found.append(Regression(metric, was, now))
    return found


def is_worse(metric: str, value: Mapping[str, float], than: Mapping[str, float]) -> bool:
    """Whether the mean lies farther from right than the whole interval of the other; False where nothing is right."""
    if metric not in RIGHT:
        return False
    return distance(metric, value["mean"]) > max(distance(metric, than[bound]) for bound in ("lo", "hi"))


def distance(metric: str, mean: float) -> float:
    """How far from right a mean is, in the metric's unit; for UP and DOWN on a scale without a zero."""
    right = RIGHT[metric]
    return -mean if right == UP else mean if right == DOWN else abs(mean - right)


def _words(value: Mapping[str, float] | None) -> str:
    return "not measured" if value is None else f"{value['mean']:.3g} ({value['lo']:.3g} to {value['hi']:.3g})"
