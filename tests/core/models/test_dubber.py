"""Generator and editor: conditions, sampling in chunks, experts, blending."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from components.core.diffusion.flow import Timesteps
from components.core.media.geometry import Window
from components.core.models import weights
from components.core.models.dubber import Architecture, Conditions, Dubber, DubberConfig, Made, compose
from components.core.models.frontend import FrontEnd, FrontEndConfig, encode_clip
from components.core.models.learning import Drawing, DubberLearner, Objective, Prediction, Segment, assemble
from components.core.models.lora import Band, add_expert, expert_parameters
from components.core.models.synthesis import Editor, ExpertConfig, Inpainter, Sampling, load_editor
from components.core.models.windows import Clips, digest, image, pixels
from tests.talking import talking_crop

SHAPE = Architecture(
    patch=8, dim=32, depth=2, heads=2, mlp_ratio=2.0, audio="modulation", audio_tokens=2, layout="channels",
    prediction="clean", chunk_frames=6, motion_frames=2, schedule_shift=0.6,
)  # fmt: skip
DRAWING = Drawing(batch=2, motion_share=0.5, drop_reference=0.0, drop_audio=0.0, flip=0.0)


def frontend() -> FrontEnd:
    torch.manual_seed(3)
    front = FrontEnd(FrontEndConfig(width=8, dilations=(1, 2)))
    weights.freeze(front)
    return front


def network(role: str = "editor", references: int = 2, **changes: object) -> Dubber:
    """A small network, stirred so that every condition counts."""
    torch.manual_seed(0)
    architecture = replace(SHAPE, **changes)  # type: ignore[arg-type]
    model = Dubber(DubberConfig(role, architecture, 48, 24, 32, references, 8 + 6))  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.03 * torch.randn_like(parameter)
    return model.eval()


def given(references: int = 2, inpaint: bool = False, batch: int = 2) -> Conditions:
    draw = torch.Generator().manual_seed(5)
    return Conditions(
        references=torch.rand(batch, references, 6, 3, 24, 32, generator=draw) * 2 - 1,
        audio=torch.randn(batch, 6, 14, generator=draw),
        inpaint=torch.rand(batch, 6, 4, 24, 32, generator=draw).round() if inpaint else None,
        keep_reference=torch.ones(batch),
        keep_audio=torch.ones(batch),
    )


@pytest.mark.parametrize("layout", ["channels", "frames"])
@pytest.mark.parametrize(("role", "references"), [("editor", 1), ("generator", 1), ("generator", 3)])
def test_every_condition_reaches_the_prediction(layout: str, role: str, references: int) -> None:
    model, shown = network(role, references, layout=layout), given(references, role == "generator")
    noisy, time = torch.randn(2, 6, 3, 24, 32), torch.full((2, 6), 0.7)
    plain = model(noisy, time, shown)
    assert plain.shape == noisy.shape
    for other in (
        replace(shown, audio=shown.audio + 1),
        replace(shown, keep_audio=torch.zeros(2)),
        replace(shown, keep_reference=torch.zeros(2)),
    ):
        assert (model(noisy, time, other) - plain).abs().mean() > 1e-4


def test_dropped_conditions_say_nothing() -> None:
    model, shown = network(), replace(given(), keep_reference=torch.zeros(2), keep_audio=torch.zeros(2))
    other = replace(shown, references=-shown.references, audio=-shown.audio)
    noisy, time = torch.randn(2, 6, 3, 24, 32), torch.full((2, 6), 0.7)
    torch.testing.assert_close(model(noisy, time, shown), model(noisy, time, other))


@pytest.mark.parametrize("references", [1, 3])
def test_an_untrained_editor_copies_and_an_untrained_generator_fills_in_its_first_reference(references: int) -> None:
    shown = given(references)
    model = Dubber(DubberConfig("editor", SHAPE, 48, 24, 32, references, 14))
    noisy, time = torch.randn(2, 6, 3, 24, 32), torch.full((2, 6), 0.7)
    torch.testing.assert_close(model(noisy, time, shown), shown.references[:, 0], rtol=0, atol=0.04)
    hole = given(references, inpaint=True)
    filled = Dubber(DubberConfig("generator", SHAPE, 48, 24, 32, references, 14))(noisy, time, hole)
    mask = hole.inpaint[:, :, 3:]  # type: ignore[index]
    torch.testing.assert_close(filled * mask, hole.references[:, 0] * mask)
    torch.testing.assert_close(filled * (1 - mask), hole.inpaint[:, :, :3] * (1 - mask))  # type: ignore[index]


def test_a_share_of_one_takes_a_reference_as_it_is() -> None:
    references, inpaint = given(3).references, torch.ones(2, 6, 4, 24, 32)
    output = torch.zeros(2, 6, 5, 24, 32)
    output[:, :, 4] = 1  # the second share is of the third reference
    torch.testing.assert_close(compose(references, output, inpaint), references[:, 2])
    output[:, :, 0] = 0.25  # painted red
    made = compose(references, output, inpaint)
    torch.testing.assert_close(made[:, :, 0], references[:, 2, :, 0] + 0.25)
    torch.testing.assert_close(made[:, :, 1:], references[:, 2, :, 1:])


def test_nothing_of_the_companion_is_left_where_the_editor_finds_the_hole() -> None:
    references = given(3).references
    output = torch.zeros(2, 6, 5, 24, 32)
    output[:, :, 3] = 1  # the first share is of the third reference: the second is what it moves away from
    output[:, :, 4, :, :16], output[:, :, 4, :, 16:] = 100, -100
    made = compose(references, output, None)
    torch.testing.assert_close(made[..., :16], references[:, 2, ..., :16])
    torch.testing.assert_close(made[..., 16:], references[:, 0, ..., 16:])


def test_flicker_costs_more_than_a_steady_error() -> None:
    clips = Clips.of([talking_crop(frames=12)], [np.zeros((12, 14), np.float32)], 1)
    segment = Segment(np.arange(6), clips.rgb[:6], clips.rgb[None, :6])
    batch = assemble(clips, [segment], 0, replace(DRAWING, motion_share=0.0), np.random.default_rng(0)).to("cpu")
    sign = torch.tensor([1.0, -1.0] * 3)[None, :, None, None, None]
    fresh = torch.ones(1, 6, 1, 1, 1)
    loss = {}
    for weight in (0.0, 1.0):
        learner = DubberLearner(network(), Objective(Timesteps(1.0, "uniform", 0.0), 0.0, 0.0, weight))
        for name, error in (("steady", 0.1), ("flicker", 0.1 * sign)):
            loss[name, weight] = learner.flow_loss(
                batch, Prediction(batch.clean + error, torch.ones(1, 6), fresh)
            ).item()
    assert loss["steady", 0.0] == pytest.approx(0.01)
    assert loss["flicker", 0.0] == pytest.approx(0.01)
    assert loss["steady", 1.0] == pytest.approx(0.01)
    assert loss["flicker", 1.0] == pytest.approx(0.01 + 0.04)


def test_velocity_and_clean_are_the_same_flow() -> None:
    model, shown = network(prediction="velocity"), given()
    noisy, time = torch.randn(2, 6, 3, 24, 32), torch.full((2, 6), 0.5)
    clean = model(noisy, time, shown)
    velocity = model.dit(torch.cat([*shown.references.unbind(1), noisy], 2), time, shown.audio)
    torch.testing.assert_close(clean, noisy - 0.5 * velocity)


def test_a_generator_is_told_nothing_about_what_its_mask_hides() -> None:
    crop = talking_crop()
    inpainter = Inpainter(network("generator"), frontend(), {})
    changed = replace(crop, frames=np.where(crop.mask[..., None], 255 - crop.frames, crop.frames))
    a, b = (inpainter.job(c, crop.mel).inpaint for c in (crop, changed))
    torch.testing.assert_close(a, b)


@pytest.mark.parametrize("frames", [3, 6, 7, 16])
def test_dubbing_keeps_length_and_everything_outside_the_window(frames: int) -> None:
    crop = talking_crop(frames=frames)
    made = Editor(network(), frontend(), {}).dub(crop, crop.mel, Sampling(2, 1.0, 1.5, seed=0))
    window = Window.of(48)
    assert made.shape == crop.frames.shape
    assert (window.take(made) != window.take(crop.frames)).any()
    outside = made.copy()
    window.take(outside)[:] = window.take(crop.frames)
    assert (outside == crop.frames).all()


def test_clips_dubbed_together_come_out_as_alone() -> None:
    crops = [talking_crop("a", frames=16), talking_crop("b", frames=7)]
    editor, options = Editor(network(), frontend(), {}), Sampling(2, 1.0, 1.0, seed=0)
    together = list(editor.dub_all([(crop, crop.mel) for crop in crops], options))
    for crop, made in zip(crops, together, strict=True):
        alone = editor.dub(crop, crop.mel, options)
        assert np.abs(made.astype(int) - alone).max() <= 2  # bf16 kernels differ by batch size


def test_an_expert_acts_in_its_band_only() -> None:
    crop, plain = talking_crop(), network()
    adapted = network()
    add_expert(adapted, "lip", 2)
    with torch.no_grad():
        for parameter in expert_parameters(adapted, "lip").values():
            parameter.normal_(std=0.3)
    options = Sampling(1, 1.0, 1.0, seed=0)  # one step: t = 1
    made = [Editor(m, frontend(), bands).dub(crop, crop.mel, options) for m, bands in
            ((plain, {}), (adapted, {"lip": Band(0.4, 0.8)}), (adapted, {"lip": Band(0.4, 1.0)}))]  # fmt: skip
    assert (made[0] == made[1]).all()
    assert (made[0] != made[2]).any()


def test_weights_and_experts_come_back_from_disk(tmp_path: Path) -> None:
    model, crop = network(), talking_crop()
    weights.save(tmp_path / "editor/structure/weights.safetensors", model, model.config)
    front = frontend()
    weights.save(tmp_path / "frontend.safetensors", front, front.config)
    add_expert(model, "lip", 2)
    for parameter in expert_parameters(model, "lip").values():
        torch.nn.init.normal_(parameter, std=0.3)
    config = ExpertConfig(2, Band(0.4, 1.0))
    weights.save(tmp_path / "editor/lip/weights.safetensors", dict(expert_parameters(model, "lip")), config)
    loaded = load_editor(tmp_path / "editor", tmp_path, ("lip",))
    options = Sampling(2, 1.0, 1.0, seed=0)
    expected = Editor(model, front, {"lip": config.band}).dub(crop, crop.mel, options)
    assert (loaded.dub(crop, crop.mel, options) == expected).all()


@pytest.mark.parametrize("role", ["editor", "generator"])
def test_training_lowers_the_loss(role: str) -> None:
    crop = talking_crop(frames=24)
    clips = Clips.of([crop], [encode_clip(frontend(), torch.from_numpy(crop.mel)).numpy()], 2)
    torch.manual_seed(0)
    model = Dubber(DubberConfig(role, SHAPE, 48, 24, 32, 2, 14))  # type: ignore[arg-type]
    if role == "editor":
        torch.nn.init.zeros_(model.hole)  # an editor whose hole is shut stays a copy for long
    learner = DubberLearner(model, Objective(Timesteps(1.5, "logit_normal", 0.0), 1.0, 1.0, 0.0))
    optimizer = torch.optim.AdamW(learner.parameters(), 3e-3)
    losses = []
    for step in range(100):
        rng = np.random.default_rng(step)
        frames = [clips.pick(6, rng) for _ in range(2)]
        others = [clips.references(f) for f in frames]
        segments = [Segment(f, clips.rgb[f], o) for f, o in zip(frames, others, strict=True)]
        loss = learner.losses(
            assemble(clips, segments, 2, DRAWING, rng).to("cpu"), torch.Generator().manual_seed(step)
        )["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:5])


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_an_expert_mends_what_the_network_made_of_noise(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = Clips.of([talking_crop(frames=12)], [np.zeros((12, 14), np.float32)], 1)
    segment = Segment(np.arange(6), clips.rgb[:6], clips.rgb[None, :6])
    batch = assemble(clips, [segment] * 2, 2, replace(DRAWING, motion_share=1.0), np.random.default_rng(0)).to("cpu")
    model, calls = network(), []

    def grey(noisy: torch.Tensor, time: torch.Tensor, given: Conditions, gates: dict[str, torch.Tensor]):
        calls.append((noisy, time, gates["lip"]))
        return Made(torch.full_like(noisy, 0.25), None)

    monkeypatch.setattr(model, "make", grey)
    low = Objective(Timesteps(0.001, "uniform", 0.0), 1.0, 1.0, 0.0)  # hardly any noise: the input shows what is in it
    prediction = DubberLearner(model, low, "lip", share).predict(batch, torch.Generator().manual_seed(0))
    noisy, time, gate = calls[-1]
    assert len(calls) == 1 + share
    assert (gate == 1).all()
    seen = torch.full_like(batch.clean, 0.25) if share else batch.clean
    torch.testing.assert_close(noisy[:, 2:], seen[:, 2:], atol=0.05, rtol=0)
    torch.testing.assert_close(noisy[:, :2], batch.clean[:, :2])  # motion frames are given as they are
    assert (time[:, :2] == 0).all()
    torch.testing.assert_close(prediction.time, time)
    if share:
        noise, first, off = calls[0]
        assert (first[:, 2:] == 1).all()
        assert (off == 0).all()
        torch.testing.assert_close(noise[:, :2], batch.clean[:, :2])


def test_a_batch_is_mirrored_as_a_whole() -> None:
    crop = talking_crop(frames=12)
    clips = Clips.of([crop], [np.zeros((12, 14), np.float32)], 1)
    frames = np.arange(6)
    segment = Segment(frames, clips.rgb[frames], clips.rgb[None, frames], crop.frames[frames])
    plain, mirrored = (
        assemble(clips, [segment], 2, replace(DRAWING, flip=flip), np.random.default_rng(0)).to("cpu")
        for flip in (0.0, 1.0)
    )
    for name in ("clean", "references", "hole", "lips"):
        torch.testing.assert_close(getattr(mirrored, name), getattr(plain, name).flip(-1))
    torch.testing.assert_close(mirrored.extra["crop"], plain.extra["crop"].flip(-1))
    assert (image(pixels(clips.rgb)) == clips.rgb).all()


def test_a_digest_tells_crops_apart_by_what_they_hold() -> None:
    crop = talking_crop()
    other = replace(crop, frames=crop.frames + 1)
    assert digest([crop]) == digest([talking_crop()]) != digest([other])


def test_a_generator_s_visible_pixels_stay_as_they_are() -> None:
    model, shown = network("generator"), given(inpaint=True)
    clean = model(torch.randn(2, 6, 3, 24, 32), torch.full((2, 6), 0.7), shown)
    seen = 1 - shown.inpaint[:, :, 3:]  # type: ignore[index]
    torch.testing.assert_close(clean * seen, shown.inpaint[:, :, :3] * seen)  # type: ignore[index]
