"""How a real clip is cut, and that references never show what is to be made."""

from pathlib import Path

import numpy as np

from components.core.base import files
from components.core.media import references
from components.core.models.windows import own_references
from components.review import sections
from components.review.run import Run
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
    heard = {
        "a": {"heard_r": 0.5, "loudness_r": 0.25, "offset_frames": 1.0},
        "b": {"heard_r": 0.25, "loudness_r": float("nan"), "offset_frames": 0.0},
    }
    found = {
        "hearing": heard,
        "hearing, mean": real_footage.intervals(real_footage.columns(heard)),
        "cycle, studio, speech": real_footage.intervals({"editor_psnr_db": [30.0, 30.0]}),
        "dub, studio, landmarks": real_footage.intervals({"editor_new_r": [0.5], "editor_old_r": [float("nan")]}),
        "dub, studio, speech": real_footage.intervals({"editor_new_r": [0.25], "editor_old_r": [0.125, 0.375]}),
    }
    text = real_footage.text(found)
    for line in (
        "| a | 0.50 | 0.25 | 1.00 |",
        "| b | 0.25 | - | 0.00 |",
        "| mean | 0.38 (0.25 .. 0.50) | 0.25 (0.25 .. 0.25) |",
        "| studio, speech | 30.00 (30.00 .. 30.00) |",
        "| studio, landmarks | 0.50 (0.50 .. 0.50) | - |",
        "| studio, speech | 0.25 (0.25 .. 0.25) | 0.25 (0.12 .. 0.38) |",
    ):
        assert line in text


def test_means_carry_their_intervals():
    found = real_footage.intervals({"r": [0.0, 1.0, float("nan")], "nothing": [float("nan")]})
    assert set(found) == {"r"}
    assert found["r"] == {"mean": 0.5, "lo": 0.0, "hi": 1.0, "n": 2}


def test_the_page_shows_means_with_their_intervals_beside_single_clips(tmp_path: Path):
    heard = {"a": {"heard_r": 0.5}, "b": {"heard_r": 0.25}}
    tuned = real_footage.intervals({"editor_new_r": [0.5, 1.0]})
    found = {
        "hearing": heard,
        "hearing, mean": real_footage.intervals(real_footage.columns(heard)),
        "dub, tuned": tuned,
    }
    files.write_json(tmp_path / "metrics/real.json", found)
    tables = sections.real(Run(tmp_path, "x", "abc"), None)
    assert {table.head[0]: [line for line, _ in table.lines] for table in tables} == {
        "hearing": ["a", "b", "mean"],
        "dub": ["tuned"],
    }
    cells = {line: [(cell.text, cell.interval) for cell in cells] for table in tables for line, cells in table.lines}
    assert cells["a"] == [("0.5", "")]
    assert cells["mean"] == [("0.375", "(0.25 to 0.5)")]
    assert cells["tuned"] == [("0.75", "(0.5 to 1)")]
