"""Recitals: speech with exact lips and no picture."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from components.core.base import seeds
from components.core.base.errors import UserError
from components.core.media import RATE_HZ
from components.core.media.crops import Crop
from components.core.models.fit import Run
from components.experts import frontend, recitals
from components.experts.data import Material, Recital
from components.experts.params import ExpertsParams
from components.experts.recitals import Recitals


def test_mel_and_tracks_are_of_the_same_moment() -> None:
    frame = np.arange(200, dtype=np.float32)
    said = Recital(np.repeat(np.repeat(frame, 4)[:, None], 80, 1), frame[:, None])
    stretches = Recitals([said], frames=10, context=12)
    mel, tracks = stretches.draw(50, seeds.rng(0, "draw"))
    assert mel.shape == (50, 64, 80)
    first = mel[:, 12, 0].numpy()
    assert len(set(first)) > 20
    expected = (first[:, None] + np.arange(10) - frame.mean()) / frame.std()
    np.testing.assert_allclose(tracks[..., 0].numpy(), expected, rtol=1e-4)


def test_files_are_read_in_order_and_none_are_no_error(tmp_path: Path) -> None:
    assert recitals.load(tmp_path) == []
    folder = tmp_path / "recitals"
    folder.mkdir()
    for name, frames in (("de", 30), ("cmn", 20)):
        soundfile.write(folder / f"{name}.flac", np.zeros(frames * RATE_HZ // 25), RATE_HZ)
        np.savez(folder / f"{name}.npz", tracks=np.ones((frames, 7), np.float16))
    assert [(len(said.mel), said.tracks.shape) for said in recitals.load(tmp_path)] == [(80, (20, 7)), (120, (30, 7))]
    (folder / "de.npz").unlink()
    with pytest.raises(UserError, match=r"de\.flac has no tracks"):
        recitals.load(tmp_path)


def test_the_front_end_learns_the_tracks_of_recitals_beside_its_measures(
    people: Callable[[str, int], list[Crop]], tiny: ExpertsParams, tmp_path: Path
) -> None:
    said = [Recital(crop.mel, crop.measures[:, :2]) for crop in people("bcdefgh", 2)]
    material = Material(people("a", 1), said)
    model, curve = frontend.train(material, tiny.frontend, Run("frontend", 0, tmp_path, "test", "32-true"))
    assert curve["tracks"].iloc[-5:].mean() < 0.5 * curve["tracks"].iloc[:3].mean()
    assert not any("tracks" in name for name in model.state_dict())
    assert frontend.evaluate(model.eval(), people("yz", 1))["opening_r"] > 0.9
