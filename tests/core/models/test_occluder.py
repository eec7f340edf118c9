"""The occluder expert: any size, the weights it is loaded from, and the editor that spares what it finds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from components.core.base.errors import UserError
from components.core.media.geometry import Window, soft_mask
from components.core.models import weights
from components.core.models.occluder import OccluderConfig, OccluderExpert, load_occluder
from components.core.models.synthesis import Editor
from tests.core.models.test_dubber import frontend, network
from tests.talking import talking_crop

CONFIG = OccluderConfig(height_px=24, width_px=32, channels=4)


class LeftHalf(OccluderExpert):
    """Finds something in the left half of everything."""

    def probability(self, windows):
        found = np.zeros(windows.shape[:3], np.float32)
        found[:, :, : found.shape[2] // 2] = 1
        return found


@pytest.mark.parametrize("shape", [(24, 32), (48, 64), (12, 20)])
def test_any_size_is_seen(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    expert = OccluderExpert(CONFIG).eval()
    windows = np.random.default_rng(0).integers(0, 256, (3, *shape, 3), np.uint8)
    probability = expert.probability(windows)
    assert probability.shape == (3, *shape)
    assert ((probability > 0) & (probability < 1)).all()
    assert expert.occlusion(windows).shape == (3, *shape)


def test_a_mirror_image_is_seen_as_the_mirror_image_of_what_is_seen() -> None:
    torch.manual_seed(0)
    expert = OccluderExpert(CONFIG).eval()
    windows = np.random.default_rng(0).integers(0, 256, (2, 24, 32, 3), np.uint8)
    mirrored = expert.probability(windows[:, :, ::-1])
    np.testing.assert_allclose(mirrored[:, :, ::-1], expert.probability(windows), atol=1e-6)
    with torch.no_grad():
        once = expert(torch.from_numpy(windows).permute(0, 3, 1, 2) / 127.5 - 1).sigmoid().numpy()
    assert not np.allclose(once, expert.probability(windows), atol=1e-4)


def test_weights_come_back_the_same_and_others_are_refused(tmp_path: Path) -> None:
    torch.manual_seed(0)
    expert, path = OccluderExpert(CONFIG).eval(), tmp_path / "occluder.safetensors"
    with pytest.raises(UserError, match="does not exist"):
        load_occluder(path)
    weights.save(path, expert, CONFIG)
    windows = talking_crop().frames[:, 20:44, 8:40]
    np.testing.assert_array_equal(load_occluder(path).probability(windows), expert.probability(windows))
    weights.save(path, expert, replace(CONFIG, channels=8))
    with pytest.raises(UserError, match="does not fit OccluderExpert"):
        load_occluder(path)
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match="can't be read"):
        load_occluder(path)


@pytest.mark.parametrize("change", [{"height_px": 20}, {"width_px": 0}, {"channels": 6}])
def test_sizes_that_can_not_be_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        replace(CONFIG, **change)


def test_an_editor_spares_what_is_in_front() -> None:
    crop = talking_crop()
    window = Window.of(48)
    bare, sparing = (Editor(network(), frontend(), {}, expert) for expert in (None, LeftHalf(CONFIG)))
    np.testing.assert_array_equal(bare.alpha(crop), soft_mask(48)[None])
    alpha = sparing.alpha(crop)
    assert alpha.shape == (len(crop.frames), window.height, window.width)
    assert not alpha[:, :, : window.width // 2 + 1].any()
    np.testing.assert_allclose(
        alpha[:, :, window.width // 2 + 3 :], soft_mask(48)[None, :, window.width // 2 + 3 :].repeat(16, 0)
    )
    painted = np.full((len(crop.frames), window.height, window.width, 3), 255, np.uint8)
    made = window.take(sparing.blend(crop, painted))
    np.testing.assert_array_equal(made[:, :, :17], window.take(crop.frames)[:, :, :17])
    assert (made[:, 12, 22] > 250).all()
