"""The pictures of a run that went as far as evaluate, and of one that did not."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch

from components.core.media import crops
from components.core.models import weights
from components.core.models.lora import Band, add_expert
from components.core.models.occluder import OccluderConfig, OccluderExpert
from components.core.models.synthesis import ExpertConfig
from scripts import timesteps, tutorial
from tests.core.models.test_dubber import frontend, network
from tests.occluders.test_occluders import barred
from tests.review import world
from tests.talking import talking_crop


def call(monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    arguments = ["--artifacts", str(folder / "artifacts"), "--page", str(folder / "docs/page.md")]
    monkeypatch.setattr(sys, "argv", ["tutorial", *arguments, "--images", str(folder / "docs/images")])
    tutorial.main()
    return (folder / "docs/page.md").read_text()


def test_there_is_a_picture_of_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    world.write(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/page.md").write_text(f"before\n{tutorial.BEGIN}\nold\n{tutorial.END}\nafter\n")
    page = call(monkeypatch, tmp_path)
    assert page.startswith("before")
    assert page.endswith("after\n")
    assert "old" not in page
    assert {path.stem for path in (tmp_path / "docs/images").iterdir()} == {"crops", "pairs", "judged", "phases"}
    assert "images/pairs.jpg" in page
    assert "clips.jpg" not in page  # this run's clips are gone
    row_px = tutorial.TILE_PX + tutorial.LABEL_PX
    assert cv2.imread(str(tmp_path / "docs/images/pairs.jpg")).shape == (3 * 3 * row_px, 7 * tutorial.TILE_PX, 3)
    assert cv2.imread(str(tmp_path / "docs/images/phases.jpg")).shape[0] == 2 * 6 * row_px
    # Two accepted pairs and two reasons of quarantine.
    assert cv2.imread(str(tmp_path / "docs/images/judged.jpg")).shape == (4 * 2 * row_px, 7 * tutorial.TILE_PX, 3)
    assert "| card.json |" in page  # the run's export


def test_what_is_before_a_mouth_stands_over_what_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    torch.manual_seed(0)
    config = OccluderConfig(24, 32, 4)
    weights.save(tmp_path / "occluders/occluder.safetensors", OccluderExpert(config), config)
    bare, hidden = talking_crop("bare"), barred(talking_crop("barred"))
    monkeypatch.setattr(crops, "load", lambda folder, split, role: [bare, hidden])
    truth, found = tutorial.occluders(tmp_path)
    height_px = tutorial.LABEL_PX + tutorial.TILE_PX * 24 // 32
    assert truth.shape == found.shape == (height_px, tutorial.COLUMNS * tutorial.TILE_PX, 3)
    assert (truth != found).any()


def test_a_moment_at_several_timesteps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    weights.save(tmp_path / "experts/frontend.safetensors", frontend(), frontend().config)
    model = network("editor")
    weights.save(tmp_path / "editor/structure/weights.safetensors", model, model.config)
    base = set(model.state_dict())
    for phase, band in (("lip", Band(0.4, 0.8)), ("texture", Band(0.0, 0.3))):
        add_expert(model, phase, 2)
        lora = {k: 0.3 * torch.ones_like(v) for k, v in model.state_dict().items() if k not in base and phase in k}
        weights.save(tmp_path / f"editor/{phase}/weights.safetensors", lora, ExpertConfig(2, band))
    clip = talking_crop()
    by_role = {"footage": [clip], "truth": [replace(clip, crop_id=f"{clip.crop_id}--p0")]}
    monkeypatch.setattr(crops, "load", lambda folder, split, role: by_role[role])
    noise, structure, lip, texture, changed = timesteps.rows(tmp_path)
    assert [row.frames.shape for row in (noise, changed)] == [(7, 48, 48, 3)] * 2
    assert noise.captions[0] == "t = 1"
    assert texture.captions[1:3] == ["lip", "lip"]
    assert texture.captions[-1] == "texture"
    last = int(np.argmax(clip.measures[5:, 0])) + 5
    error = np.abs(noise.frames.astype(int) - clip.frames[last]).mean(axis=(1, 2, 3))
    assert (np.diff(error) < 0).all()  # less noise to the right
    same = [(a.frames == b.frames).all(axis=(1, 2, 3)) for a, b in ((structure, lip), (lip, texture))]
    assert same[0].tolist() == [True, False, False, False, True, True, True]  # the lip expert's band
    assert same[1].tolist() == [True, True, True, True, False, False, False]
    assert changed.frames.max() > 0
    assert (changed.frames[:, :10] == 0).all()  # nothing outside the window


def test_pairs_in_quarantine_name_the_filter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    world.write(tmp_path)
    labels: list[str] = []
    monkeypatch.setattr(tutorial, "strip", lambda label, frames: labels.append(label))
    tutorial.judged(tmp_path / "artifacts")
    assert labels[::2] == [
        "accepted: speaker0-clip0--0, real",
        "accepted: speaker1-clip0--0, real",
        "quarantined for no_flicker: speaker2-clip0--0, real",
        "quarantined for review: speaker2-clip1--0, real",
    ]
    assert labels[1] == "companion: flicker_ratio 1.00"


def test_what_is_heard_is_drawn_beside_what_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    weights.save(tmp_path / "experts/frontend.safetensors", frontend(), frontend().config)
    clips = [talking_crop(f"{who}-{take}", who) for who in ("anna", "bob") for take in (1, 2)]
    monkeypatch.setattr(crops, "load", lambda folder, split, role: clips if split == "benchmark" else [])
    drawn: dict[str, Sequence[np.ndarray]] = {}
    monkeypatch.setattr(tutorial, "chart", drawn.__setitem__)
    tutorial.heard(tmp_path)
    assert [label.partition(":")[0] for label in drawn] == ["anna-1", "bob-1"]  # each person once
    for clip, (label, (seen, told)) in zip(clips[::2], drawn.items(), strict=True):
        np.testing.assert_allclose(np.diff(seen), np.diff(clip.measures[:, 0]), atol=1e-6)
        assert told.shape == seen.shape
        assert label.endswith(f"{np.corrcoef(seen, told)[0, 1]:.2f}")


def test_a_chart_shows_curves_in_one_scale():
    shown = tutorial.chart("x", (np.linspace(0, 1, 50), np.zeros(30)))[tutorial.LABEL_PX :]
    blue = (shown[..., 2].astype(int) - shown[..., 0] > 100).nonzero()
    black = (shown.sum(-1) < 100).nonzero()
    assert blue[0].min() > 0.9 * tutorial.TILE_PX  # a line at the bottom, from end to end
    assert np.ptp(blue[1]) > 6.9 * tutorial.TILE_PX
    assert black[0][black[1].argmax()] < 0.1 * tutorial.TILE_PX  # up to the right


def test_the_export_is_listed_with_what_goes_in_and_out(tmp_path: Path):
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["b", 3]) for name in ("noisy", "clean")]
    node = onnx.helper.make_node("Identity", ["noisy"], ["clean"])
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([node], "g", ends[:1], ends[1:])), tmp_path / "a.onnx")
    (tmp_path / "card.json").write_text("x" * 120_000)
    listed = tutorial.exported(tmp_path).splitlines()
    assert listed[-2].endswith("| noisy (b 3) | clean (b 3) |")
    assert listed[-1] == "| card.json | 0.12 | - | - |"


def test_a_page_without_a_place_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    world.write(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/page.md").write_text("nothing")
    with pytest.raises(SystemExit):
        call(monkeypatch, tmp_path)
    assert "no place for the pictures" in capsys.readouterr().err
