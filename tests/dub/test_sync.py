"""The sync expert beside the editor: its card, what it refuses, and what it says."""

import numpy as np
import pytest

from components.core.base.errors import UserError
from components.core.media.geometry import Window
from components.dub import beside
from components.dub.sync import SyncExpert
from tests.dub.builders import save_sync, sync_card

FRAMES = 12


@pytest.fixture
def path(tmp_path):
    return save_sync(tmp_path / "dubstrap_sync.onnx")


def test_it_is_found_beside_its_editor_and_only_there(path):
    assert SyncExpert.beside(path.with_name("dubstrap.onnx")).path == path
    assert SyncExpert.beside(path.with_name("other.onnx")) is None


def test_stretches_are_compared_window_by_window(path):
    expert = SyncExpert(path)
    window = expert.card.window
    levels = np.linspace(0, 255, FRAMES).astype(np.uint8)
    windows = np.stack([np.full((window.height, window.width, 3), level, np.uint8) for level in levels])
    rows = np.full((4 * FRAMES + 2 * expert.card.mel_margin, 80), 1.0, np.float32)
    cosines = expert.cosines(windows, rows)
    assert cosines.shape == (FRAMES - 4, FRAMES - 4)
    middle = levels[2:-2] / 255
    np.testing.assert_allclose(cosines, np.cos(np.pi * (1 - middle))[:, None].repeat(FRAMES - 4, 1), atol=1e-5)
    with pytest.raises(ValueError, match=f"{len(rows) - 1} mel rows for {FRAMES} frames"):
        expert.cosines(windows, rows[1:])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": 2}, "format 2, this dubstrap reads format 1"),
        ({"size_px": 90}, "multiple of 12"),
        ({"window": [0, 1, 2, 3]}, "window"),
        ({"frames": 0}, "frames 0"),
        ({"mel_margin": -1}, "mel_margin -1"),
        ({"frames": None}, "lacks"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path, changes, says):
    path = save_sync(tmp_path / "dubstrap_sync.onnx", sync_card() | changes)
    with pytest.raises(UserError, match=rf"dubstrap_sync\.onnx does not fit this version.*{says}"):
        SyncExpert(path)


def test_what_is_no_sync_expert_is_refused(tmp_path, copying):
    with pytest.raises(UserError, match="is no dubstrap sync expert"):
        SyncExpert(copying)
    path = beside.place(tmp_path / "dubstrap.onnx", "sync")
    path.write_bytes(b"no model")
    with pytest.raises(UserError, match=r"dubstrap_sync\.onnx is not an ONNX model"):
        SyncExpert.beside(tmp_path / "dubstrap.onnx")


@pytest.mark.parametrize(
    ("card", "says"), [({"frames": 4}, "failed; got an output of shape"), ({"size_px": 48}, "fit")]
)
def test_one_that_says_something_else_than_its_card_is_refused(tmp_path, card, says):
    window = Window.of(card.get("size_px", 96))
    edges = [window.top, window.bottom, window.left, window.right]
    path = save_sync(tmp_path / "dubstrap_sync.onnx", sync_card() | card | {"window": edges})
    with pytest.raises(UserError, match=rf"dubstrap_sync\.onnx .*{says}"):
        SyncExpert(path).cosines(np.zeros((FRAMES, 48, 64, 3), np.uint8), np.zeros((4 * FRAMES + 4, 80), np.float32))
