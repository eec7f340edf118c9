"""The references alone are measured right: those of a clip to itself are the clip."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from components.core.media import references
from components.core.models import frontend
from scripts.references import TRIALS, constants, measure
from tests.talking import talking_crop


def test_the_references_of_a_clip_to_itself_are_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    crop = talking_crop(frames=40)
    crop = replace(crop, pose=np.arange(40)[:, None] * np.ones((1, 3)))
    monkeypatch.setattr(frontend, "encode_clip", lambda model, mel: torch.from_numpy(crop.measures))
    with constants({"STEADY": 0.0}):
        found = asdict(measure(crop, crop, None))
    assert found["nearest_opening_r"] == pytest.approx(1)
    assert found["nearest_flicker"] == pytest.approx(1)
    assert found["nearest_psnr_db"] > 50 > found["average_psnr_db"] > 10


def test_a_trial_changes_constants_and_puts_them_back() -> None:
    before = {name: getattr(references, name) for values in TRIALS.values() for name in values}
    with constants({"STEADY": 1.5}):
        assert references.STEADY == 1.5
    assert all(getattr(references, name) is value for name, value in before.items())
