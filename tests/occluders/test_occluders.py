"""The occluders stage on small synthetic crops."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.core.base import seeds
from components.core.base.errors import UserError
from components.core.media.crops import Crop
from components.core.media.geometry import Window
from components.core.models.fit import Fit, Run
from components.core.models.occluder import OccluderConfig, OccluderExpert
from components.occluders import data, things
from components.occluders.core import measure, run
from components.occluders.data import Faces
from components.occluders.params import Augment, Params
from tests.talking import talking_crop

AUGMENT = Augment(
    shift=0.02, zoom=0.02, turn_deg=2.0, light=0.05, colour=0.05, mixed=0.05, noise=2.0, blur=0.1, shadow=0.05,
    marks=0.05, backdrop=0.05, pasted=0.7,
)  # fmt: skip
STILL = Augment(**dict.fromkeys(AUGMENT.__dict__, 0.0))
PARAMS = Params(
    model=OccluderConfig(24, 32, 8),
    fit=Fit(200, 6e-3, 5, 0.0, 0.9, 1.0, 100),
    augment=AUGMENT,
    batch=12,
    hidden=0.5,
    dice_weight=0.5,
)


def barred(crop: Crop) -> Crop:
    """The crop with a blue bar before the left of the mouth in every second frame, and its mask, a pixel larger."""
    frames, occluder = crop.frames.copy(), crop.occluder.copy()
    frames[::2, 26:, 16:22] = (30, 60, 200)
    occluder[::2, 25:, 15:23] = True
    return replace(crop, frames=frames, occluder=occluder)


def this(folder: Path) -> Run:
    return Run("occluders", 0, folder, "x")


def test_it_learns_and_finds_a_bar_before_a_stranger(tmp_path: Path) -> None:
    trained = run([talking_crop(name) for name in "abc"], [barred(talking_crop("d"))], PARAMS, this(tmp_path))
    loss = trained.curve["loss"]
    assert loss.tail(5).mean() < 0.7 * loss.head(5).mean()
    assert trained.metrics["frames"] == 16
    assert trained.metrics["hidden_frames"] == 8
    assert trained.metrics["recall"] > 0.8
    assert trained.metrics["iou"] > 0.6
    assert trained.metrics["false_share"] < 0.02


def test_a_killed_training_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    crops, brief = [talking_crop("a")], replace(PARAMS, fit=replace(PARAMS.fit, steps=6, checkpoint_every_steps=3))
    first, second = (run(crops, [], brief, this(tmp_path / name)) for name in "ab")
    assert first.metrics == second.metrics
    windows = Window.of(48).take(crops[0].frames)
    np.testing.assert_array_equal(first.model.probability(windows), second.model.probability(windows))


def test_so_many_samples_are_hidden_as_was_asked_for_where_there_are_any() -> None:
    rng, mixed = seeds.rng(0, "draw"), Faces([barred(talking_crop())])
    for hidden in (0.0, 1.0):
        drawn = [mixed.draw(hidden, STILL, rng)[1].any() for _ in range(20)]
        assert drawn == [bool(hidden)] * 20
    assert not any(Faces([talking_crop()]).draw(1.0, STILL, rng)[1].any() for _ in range(20))
    with pytest.raises(UserError, match="nothing to learn from"):
        Faces([])


def test_what_is_not_varied_is_the_window_or_its_mirror_image() -> None:
    crop = barred(talking_crop())
    window = Window.of(48)
    rgb, front = Faces([crop]).draw(1.0, STILL, seeds.rng(0, "still"))
    shown = [(window.take(crop.frames)[i], window.take(crop.occluder)[i]) for i in range(0, 16, 2)]
    shown += [(picture[:, ::-1], mask[:, ::-1]) for picture, mask in shown]
    assert any((rgb == picture).all() and (front == mask).all() for picture, mask in shown)


def test_things_come_from_the_border_and_cover_what_they_say() -> None:
    rng, grey = seeds.rng(0, "things"), np.full((24, 32, 3), 128, np.float32)
    covered = 0
    for _ in range(100):
        thing = things.draw((24, 32), grey, rng)
        rgb, front = data.put(grey, np.zeros((24, 32), bool), thing)
        np.testing.assert_array_equal(rgb[thing.cover == 0], 128)
        assert front[thing.cover > data.COVERED].all()
        if front.any():
            covered += 1
            assert front[-1].any() or front[:, [0, -1]].any()
    assert covered > 80


def test_false_alarms_are_counted_in_frames_that_show_the_face() -> None:
    class Right(OccluderExpert):
        """Finds something in the right quarter of everything."""

        def probability(self, windows):
            found = np.zeros(windows.shape[:3], np.float32)
            found[:, :, -8:] = 1
            return found

    metrics = measure(Right(PARAMS.model), [barred(talking_crop())])
    assert metrics == {
        "frames": 16.0, "hidden_frames": 8.0, "iou": 0.0, "recall": 0.0, "false_share": 0.25, "false_frames": 1.0
    }  # fmt: skip
    assert measure(Right(PARAMS.model), []) == {}
    assert "iou" not in measure(Right(PARAMS.model), [talking_crop()])


def test_the_digest_knows_the_masks() -> None:
    crop = talking_crop()
    assert data.digest([crop]) == data.digest([talking_crop()])
    assert data.digest([crop]) != data.digest([replace(crop, occluder=~crop.occluder)])


@pytest.mark.parametrize("change", [{"batch": 0}, {"hidden": 1.5}, {"dice_weight": -1.0}])
def test_params_that_can_not_be_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        replace(PARAMS, **change)


@pytest.mark.parametrize("change", [{"pasted": 2.0}, {"shift": 0.5}, {"noise": -1.0}, {"light": 1.0}])
def test_augmentation_that_can_not_be_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        replace(AUGMENT, **change)
