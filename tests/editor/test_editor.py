"""The editor's data and its three phases on small synthetic pairs."""

import io
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from components.core.base import seeds
from components.core.base.errors import UserError
from components.core.diffusion.flow import Timesteps
from components.core.media import FPS, shards, video
from components.core.media.geometry import Window
from components.core.models.fit import Fit, Run
from components.core.models.learning import Drawing, Objective, Prediction
from components.core.models.lips import LipsConfig, LipsExpert
from components.core.models.lora import Band
from components.editor import core
from components.editor.data import Data, Light, load
from components.editor.params import Common, Lip, Structure, Texture
from components.editor.phases import Guides, hole_loss, put
from tests.core.models.test_dubber import SHAPE, frontend, network
from tests.pairs.test_pairs import judge
from tests.talking import talking_crop

COMMON = Common(
    SHAPE,
    references=2,
    exact_share=0.0,
    paste_share=0.5,
    paste_gap_frames=(6, 12),
    cover_share=0.5,
    relight_share=0.0,
)
FIT = Fit(20, 3e-3, 2, 0.0, 0.5, 1.0, 100)
DRAWING = Drawing(2, 0.5, 0.0, 0.5, 0.5)
HIGH, MIDDLE, LOW = (Objective(Timesteps(shift, "logit_normal", 0.0), 1.0, 1.0, 1.0) for shift in (5.0, 1.5, 0.2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pairs folder whose companions are the crops with their mouths shifted in time."""
    path = tmp_path_factory.mktemp("pairs")
    with shards.ShardWriter(path, "pairs", 8) as writer:
        for name in ("a", "b"):
            frames = np.roll(talking_crop(name, frames=24).frames, 9, 0)
            buffer = io.BytesIO()
            video.write(buffer, frames, FPS, crf=6, pixel_format="yuv444p")
            writer.add(f"{name}--0", {"mp4": buffer.getvalue()})
    return path


@pytest.fixture
def accepted() -> pd.DataFrame:
    light = {"relight_gain": 1.0, "relight_gamma": 1.0, "relight_slope": 0.0}
    rows = [{"pair_id": f"{name}--0", "crop_id": name, **light} for name in ("a", "b")]
    rows[1]["relight_gain"] = 1.2
    return pd.DataFrame(rows)


@pytest.fixture
def data(folder: Path, accepted: pd.DataFrame) -> Data:
    crops = [talking_crop(name, frames=24) for name in ("a", "b", "short")]
    crops[2] = replace(crops[2], frames=crops[2].frames[:4])
    return load(crops, frontend(), accepted, folder, COMMON)


def guides() -> Guides:
    torch.manual_seed(0)
    lips = LipsExpert(LipsConfig(32, 32, 4, 8)).requires_grad_(False).eval()
    return Guides(judge().sync, judge().identity, lips)


def run_of(folder: Path, stage: str) -> Run:
    return Run(stage, 0, folder, "x", "32-true")


def test_target_and_input_are_one_moment_in_one_light(data: Data) -> None:
    plain = replace(COMMON, paste_share=0.0)
    seen = set()
    for step in range(30):
        segment = data.segment(plain, seeds.rng(0, step))
        crop = data.clips.crop_of(int(segment.frames[0]))
        lit = (Light(1.0, 1.0, 0.0), Light(1.2, 1.0, 0.0))[crop].apply(data.clips.rgb[segment.frames], data.window)
        np.testing.assert_array_equal(segment.target, lit)
        above_mouth = (slice(None), slice(0, 4))
        assert np.abs(segment.references[0][above_mouth].astype(int) - segment.target[above_mouth]).mean() < 3
        seen.add(crop)
    assert seen == {0, 1}


def test_either_film_of_a_performance_is_the_others_companion(folder: Path, accepted: pd.DataFrame) -> None:
    crops = [talking_crop("a", frames=24), talking_crop("a--again", frames=16)]
    crops[1] = replace(crops[1], frames=crops[0].frames[5:21][:16])
    exact = replace(COMMON, exact_share=1.0, cover_share=0.0)
    data = load(crops, frontend(), accepted, folder, exact)
    assert [(pair.crop, len(pair.companion)) for pair in data.exact] == [(0, 16), (1, 16)]
    targets = set()
    for step in range(20):
        segment = data.segment(exact, seeds.rng(0, "exact", step))
        target, other = (data.window.take(crops[side].frames) for side in ((0, 1), (1, 0))[segment.frames[0] >= 24])
        first = int(segment.frames[0]) % 24
        np.testing.assert_array_equal(segment.target, target[first : first + 6])
        np.testing.assert_array_equal(segment.references[0], other[first : first + 6])
        shown = {image.tobytes() for image in other}  # the other references are the companion's own frames
        assert all(image.tobytes() in shown for image in segment.references[2])
        targets.add(int(segment.frames[0]) >= 24)
    assert targets == {False, True}
    assert load(crops, frontend(), accepted, folder, COMMON).exact == []


def test_paste_takes_the_mouth_from_elsewhere_and_leaves_the_border(data: Data) -> None:
    frames = np.arange(6) + 3
    pasted = data.pasted(frames, (6, 12), seeds.rng(0, "paste"))
    real = data.clips.rgb[frames]
    np.testing.assert_array_equal(pasted[:, [0, -1]], real[:, [0, -1]])
    moved = [
        np.abs(pasted[:, 8:16, 8:24].astype(int) - data.clips.rgb[frames + d, 8:16, 8:24]).mean() for d in range(-3, 16)
    ]
    assert abs(int(np.argmin(moved)) - 3) >= 6


def test_speech_stays_inside_its_crop(data: Data) -> None:
    rows = data.speech(np.arange(18, 24))
    assert rows.shape == (4 * 6 + 8, 80)
    np.testing.assert_array_equal(rows[:-4], data.mel[4 * 18 - 4 : 4 * 24])
    np.testing.assert_array_equal(rows[-4:], np.repeat(data.mel[4 * 24 - 1][None], 4, 0))


def test_light_brightens_and_slopes() -> None:
    window, grey = Window.of(48), np.full((1, 4, 48, 3), 100, np.uint8)
    assert (Light(1.2, 1.0, 0.0).apply(grey, window) == 120).all()
    assert Light(1.0, 1.0, 0.0, (1.1, 1.0, 0.9)).apply(grey, window)[0, 0, 0].tolist() == [110, 100, 90]
    sloped = Light(1.0, 1.0, 0.5).apply(grey, window)[0, 0, :, 0]
    assert sloped[[0, -1]].tolist() == [50, 150]
    np.testing.assert_allclose(np.diff(sloped.astype(int)), 100 / 47, atol=1)


def test_light_is_what_its_formula_says_at_every_pixel() -> None:
    window = Window.of(48)
    rgb = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    light = Light(1.1, 0.9, 0.3, (1.05, 1.0, 0.95))
    shade = 1.1 * np.array([1.05, 1.0, 0.95]) * (1 + 0.3 * np.linspace(-1, 1, 48))[:, None]
    lit = 255 * np.clip(shade * (rgb / 255) ** 0.9, 0, 1)
    np.testing.assert_allclose(light.apply(rgb, window), lit, atol=0.501)


def test_light_is_the_same_on_a_crop_and_on_its_window() -> None:
    window = Window.of(48)
    crops = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    light = Light(1.1, 0.9, 0.3, (1.05, 1.0, 0.95))
    np.testing.assert_array_equal(window.take(light.apply(crops, window)), light.apply(window.take(crops), window))


def test_structure_learns_and_lora_phases_change_nothing_but_themselves(data: Data, tmp_path: Path) -> None:
    spec = Structure(replace(FIT, steps=300), DRAWING, HIGH, False, 0.05, 0.05)
    run = run_of(tmp_path / "structure", "editor-structure")
    config, phase = core.structure(data, None, guides(), COMMON, spec, run)
    losses = phase.curve["loss"]
    assert config.role == "editor"
    assert set(phase.curve.columns) == {"step", "loss", "flow", "lips", "hole"}
    assert losses.tail(20).mean() < 0.8 * losses.head(20).mean()

    model = network(references=3)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    lip = Lip(FIT, DRAWING, MIDDLE, 2, Band(0.4, 0.8), 0.05, 0.05, 0.05, 0.5)
    run = run_of(tmp_path / "lip", "editor-lip")
    made = core.lip(data, model, guides(), COMMON, lip, run)
    assert set(made.curve.columns) == {"step", "loss", "flow", "sync", "lips", "hole"}
    assert all(".lip" in name for name in made.tensors)
    assert any(value.abs().max() > 0 for name, value in made.tensors.items() if "lora_up" in name)
    for name, value in before.items():
        torch.testing.assert_close(model.state_dict()[name], value, rtol=0, atol=0)


def test_the_hole_is_told_where_lips_are_and_where_the_mask_ends_and_nothing_else(data: Data) -> None:
    batch = data.batch(COMMON, replace(DRAWING, motion_share=0.0), np.random.default_rng(0)).to("cpu")
    near = torch.nn.functional.max_pool2d(batch.lips.flatten(0, 1), 9, 1, 4).view_as(batch.lips) * batch.hole
    free = batch.hole * (1 - near)
    assert min(near.sum(), free.sum(), (1 - batch.hole).sum()) > 0
    ones = torch.ones(*batch.clean.shape[:2], 1, 1, 1)

    def loss(hole: torch.Tensor | None, fresh: torch.Tensor = ones) -> float:
        return float(hole_loss(batch, Prediction(batch.clean, ones[..., 0, 0, 0], fresh, hole)))

    right = 20 * (2 * near - 1)
    assert loss(right) == loss(torch.where(free > 0, 7.0, right)) == pytest.approx(0, abs=1e-6)
    assert loss(-right) == pytest.approx(20)
    assert loss(0 * right) == pytest.approx(np.log(2))
    assert loss(-right, 0 * ones) == loss(None) == 0


def test_texture_s_losses_act_on_silent_samples_only(data: Data, tmp_path: Path) -> None:
    texture = Texture(FIT, replace(DRAWING, drop_audio=0.0), LOW, 2, Band(0.0, 0.3), 0.05, 0.05, 0.05, 0.05, 0.5)
    model = network(references=3)
    heard = core.texture(data, model, guides(), COMMON, texture, run_of(tmp_path / "a", "editor-texture"))
    assert (heard.curve["identity"] == 0).all()
    assert (heard.curve["lips"] > 0).all()
    silent = core.texture(
        data,
        network(references=3),
        guides(),
        COMMON,
        replace(texture, drawing=DRAWING),
        run_of(tmp_path / "b", "editor-texture"),
    )
    assert (silent.curve["identity"] > 0).any()
    assert (silent.curve["perceptual"] > 0).any()


def test_a_window_is_put_where_it_was_taken() -> None:
    crops = torch.zeros(1, 2, 3, 48, 48)
    filled = put(torch.ones(1, 2, 3, 24, 32), crops)
    assert filled[0, 0, 0].nonzero().min(0).values.tolist() == [20, 8]
    assert filled.sum() == 2 * 3 * 24 * 32


def test_no_accepted_pair_is_an_error_that_says_where_to_look(folder: Path, accepted: pd.DataFrame) -> None:
    long = replace(COMMON, architecture=replace(SHAPE, chunk_frames=99))
    with pytest.raises(UserError, match=r"2 accepted pairs, none of 99 frames.*validate_pairs\.json"):
        load([talking_crop("a", frames=24)], frontend(), accepted, folder, long)


@pytest.mark.slow
def test_a_phase_that_was_killed_ends_like_an_unbroken_one(tmp_path: Path) -> None:
    """kill -9 in the middle of the structure phase, then the same command again."""
    whole, cut = tmp_path / "whole.json", tmp_path / "cut.json"
    assert phase_process(whole).returncode == 0
    killed = phase_process(cut, "--kill-at", "13")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not cut.exists()
    again = phase_process(cut)
    assert "resumes at step 10" in again.stderr
    assert json.loads(cut.read_text()) == json.loads(whole.read_text())


def phase_process(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.editor.phase_process", str(out), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_hand_from_another_clip_is_before_both_sides_alike(data: Data) -> None:
    covering = replace(COMMON, paste_share=0.0, cover_share=1.0)
    assert len(data.covers) == 0
    plain = data.segment(covering, seeds.rng(0, "cover"))
    hand = np.zeros_like(data.crops[1].occluder)
    hand[:, 24:32, 16:24] = True
    crops = [data.crops[0], replace(data.crops[1], occluder=hand)]
    covered = replace(data, crops=crops).segment(covering, seeds.rng(0, "cover"), whole=True)
    changed = (covered.target != plain.target).any(-1)
    region = data.window.take(hand)[0]
    assert plain.whole is None
    assert changed.any()
    assert not changed[:, ~region].any()
    np.testing.assert_array_equal(covered.target[:, region], covered.references[0][:, region])
    assert covered.whole is not None
    np.testing.assert_array_equal(data.window.take(covered.whole), covered.target)
    np.testing.assert_array_equal(covered.references[1:], plain.references[1:])
    packed = replace(data, crops=crops).batch(covering, replace(DRAWING, flip=0.0), seeds.rng(0, "cover"))
    under = torch.from_numpy(region)
    assert not packed.masks["hole"][..., under].any()
    assert not packed.masks["lips"][..., under].any()
    assert packed.masks["hole"][..., ~under].any()


def test_a_drawn_light_falls_on_both_sides_alike(data: Data) -> None:
    lit = replace(COMMON, paste_share=0.0, cover_share=0.0, relight_share=1.0)
    first, second = (data.segment(lit, seeds.rng(0, "light", step)) for step in range(2))
    above_mouth = (slice(None), slice(0, 4))
    for segment in (first, second):
        crop = data.clips.crop_of(int(segment.frames[0]))
        plain = data.clips.rgb[segment.frames]
        assert np.abs(segment.references[0][above_mouth].astype(int) - segment.target[above_mouth]).mean() < 3
        assert np.abs(segment.target.astype(int) - plain).mean() > 1, crop
    colours = [segment.target[0, 0, 0].tolist() for segment in (first, second)]
    assert colours[0] != colours[1]
