"""The generator stage on small synthetic crops."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from components.core.base import seeds
from components.core.base.errors import UserError
from components.core.base.params import load
from components.core.diffusion.flow import Timesteps
from components.core.media.references import GAP_FRAMES
from components.core.models.fit import Fit, Run
from components.core.models.frontend import encode_clip
from components.core.models.learning import Drawing, Objective
from components.core.models.windows import Clips
from components.crop.params import Params as CropParams
from components.generator.core import run, segment
from components.generator.params import Params
from flows.params import compose
from tests.core.models.test_dubber import SHAPE, frontend
from tests.talking import talking_crop

PARAMS = Params(
    architecture=SHAPE,
    references=2,
    fit=Fit(30, 3e-3, 2, 0.0, 0.5, 1.0, 100),
    drawing=Drawing(2, 0.5, 0.0, 0.1, 0.5),
    objective=Objective(Timesteps(3.0, "logit_normal", 0.5), 1.0, 1.0, 1.0),
    check_clips=1,
    check_steps=1,
)


def test_it_learns_and_is_measured_on_held_out_clips(tmp_path: Path) -> None:
    crops = [talking_crop(name, frames=30) for name in ("a", "b")]
    params = replace(PARAMS, fit=replace(PARAMS.fit, steps=120))
    trained = run(crops, [talking_crop("c")], frontend(), params, Run("generator", 0, tmp_path, "x", "32-true"))
    loss = trained.curve["loss"]
    assert loss.tail(20).mean() < 0.8 * loss.head(20).mean()
    assert 10 < trained.metrics["held_out_mouth_psnr_db"] < 60


def test_references_are_from_elsewhere_in_the_clip() -> None:
    crops = [talking_crop(name, frames=40) for name in ("a", "b")]
    clips = Clips.of(crops, [encode_clip(frontend(), torch.from_numpy(crop.mel)).numpy() for crop in crops], 2)
    for step in range(20):
        made = segment(clips, PARAMS, seeds.rng(0, step))
        assert made.references.shape == (2, 6, 24, 32, 3)
        crop = clips.crop_of(int(made.frames[0]))
        near = clips.nearest[made.frames]
        assert (clips.starts[crop] <= near).all()
        assert (near < clips.starts[crop + 1]).all()
        assert (abs(near - made.frames[:, None]) >= GAP_FRAMES).all()


def test_crops_that_are_all_too_short_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no crop of 6 frames among 1"):
        run([talking_crop(frames=5)], [], frontend(), PARAMS, Run("generator", 0, tmp_path, "x", "32-true"))


@pytest.mark.slow
def test_the_scale_for_gpus_trains_on_a_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    path = tmp_path / "params.yaml"
    path.write_text(compose(["scale=gpu", "generator.drawing.batch=1", "generator.architecture.chunk_frames=6"]))
    params, size_px = load(Params, "generator", path), load(CropParams, "crop", path).size_px
    short = replace(params, fit=replace(params.fit, steps=2, warmup_steps=1))
    crop = talking_crop(frames=30, size_px=size_px)
    trained = run([crop], [], frontend(), short, Run("generator", 0, tmp_path, "x", "32-true"))
    assert size_px >= 128
    assert trained.metrics["parameters"] > 50e6
    assert trained.curve["step"].tolist() == [1, 2]


def test_no_references_are_refused() -> None:
    with pytest.raises(ValueError, match="references 0 must be positive"):
        Params(**{**PARAMS.__dict__, "references": 0})
