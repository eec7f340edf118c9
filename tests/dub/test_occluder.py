"""The occluder expert beside the editor: its card, what it refuses, and what a dub leaves as it is."""

import shutil

import numpy as np
import pytest

from components.core.base.errors import UserError
from components.core.media import geometry, occlusion
from components.dub import DubOptions, beside, dub
from components.dub.model import Editor
from components.dub.occluder import OccluderExpert
from tests.dub.builders import card, occluder_card, save_editor, save_occluder


@pytest.fixture
def path(tmp_path):
    return save_occluder(tmp_path / "dubstrap_occluder.onnx")


def test_it_is_found_beside_its_editor_and_only_there(path, copying):
    editor = Editor(save_editor(path.with_name("dubstrap.onnx"), 0.0, card()))
    assert OccluderExpert.beside(editor).path == path
    assert OccluderExpert.beside(Editor(copying)) is None


def test_it_says_how_likely_something_is_in_front(path):
    found = OccluderExpert(path).probability(np.zeros((3, 48, 64, 3), np.uint8))
    assert found.shape == (3, 48, 64)
    assert (found[:, :, :32] > occlusion.SURE).all()
    assert (found[:, :, 32:] < occlusion.LEAST).all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": 2}, "format 2, this dubstrap reads format 1"),
        ({"size_px": 90}, "multiple of 12"),
        ({"window": [0, 1, 2, 3]}, "window"),
        ({"size_px": None}, "lacks"),
        ({"size_px": 48, "window": [20, 44, 8, 40]}, "inputs of"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path, changes, says):
    path = save_occluder(tmp_path / "dubstrap_occluder.onnx", occluder_card() | changes)
    with pytest.raises(UserError, match=rf"dubstrap_occluder\.onnx does not fit this version.*{says}"):
        OccluderExpert(path)


def test_what_is_no_occluder_expert_is_refused(tmp_path, copying):
    with pytest.raises(UserError, match="is no dubstrap occluder expert"):
        OccluderExpert(copying)
    path = beside.place(tmp_path / "dubstrap.onnx", "occluder")
    path.write_bytes(b"no model")
    with pytest.raises(UserError, match=r"dubstrap_occluder\.onnx is not an ONNX model"):
        OccluderExpert(path)


def test_windows_of_another_size_are_refused(path):
    with pytest.raises(UserError, match=r"dubstrap_occluder\.onnx failed"):
        OccluderExpert(path).probability(np.zeros((1, 24, 32, 3), np.uint8))


def test_a_dub_leaves_what_is_hidden_and_says_that_it_looked(tmp_path, talking, tinting, speech, monkeypatch):
    model, masks = tmp_path / "dubstrap.onnx", []
    shutil.copy(tinting, model)
    save_occluder(beside.place(model, "occluder"))
    patch = geometry.patch

    def remember(frame, window, transform, mask, source):
        masks.append(mask)
        return patch(frame, window, transform, mask, source)

    monkeypatch.setattr(geometry, "patch", remember)
    report = dub(talking, speech(1.6), tmp_path / "out.mp4", DubOptions(model=model, consent=True))
    assert report.occluders
    assert report.to_json()["occluders"] is True
    assert len(masks) == 40
    for mask in masks:
        assert not mask[:, :33].any()
        assert mask[20, 50] == 1
    without = dub(talking, speech(1.6), tmp_path / "bare.mp4", DubOptions(model=tinting, consent=True))
    assert not without.occluders
