"""How a real clip is cut, and that references never show what is to be made."""

import numpy as np

from components.core.media import references
from components.core.models.windows import own_references
from scripts import real_footage
from tests.talking import talking_crop


def test_a_clip_is_cut_in_two_in_step_with_its_sound():
    crop = talking_crop(frames=100)
    (real,) = real_footage.split([crop, talking_crop(frames=40)])
    assert (len(real.training.frames), len(real.heldout.frames)) == (70, 30)
    for name, unit in (("mel", 4), ("samples", 640), ("measures", 1), ("landmarks", 1)):
        whole = np.concatenate([getattr(real.training, name), getattr(real.heldout, name)])
        np.testing.assert_array_equal(whole, getattr(crop, name))
        assert len(getattr(real.heldout, name)) == 30 * unit


def test_references_come_from_behind_alone():
    shown, bank = talking_crop("shown", frames=20), talking_crop("bank", frames=40)
    whole = real_footage.behind(shown, bank)
    np.testing.assert_array_equal(whole.part(0, 20).frames, shown.frames)
    found = own_references(whole, shown.measures, 4, 0)
    assert isinstance(found, references.References)
    assert found.nearest.min() >= 20


def test_the_tables_hold_every_clip_and_test():
    found = {
        "hearing": {"a": {"heard_r": 0.5, "loudness_r": 0.25, "offset_frames": 1.0}},
        "cycle, studio, speech": {"editor_psnr_db": 30.0},
        "dub, studio, landmarks": {"editor_new_r": 0.75, "editor_old_r": float("nan")},
    }
    text = real_footage.text(found)
    for line in ("| a | 0.50 | 0.25 | 1.00 |", "| mean | 0.50", "| studio, speech | 30.00 |", "| 0.75 | - |"):
        assert line in text
