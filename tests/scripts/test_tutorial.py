"""The pictures of a run that went as far as evaluate, and of one that did not."""

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from components.core.media import crops
from components.core.models import weights
from components.core.models.lora import Band, add_expert
from components.core.models.synthesis import ExpertConfig
from scripts import timesteps, tutorial
from tests.core.models.test_dubber import frontend, network
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
    assert {path.stem for path in (tmp_path / "docs/images").iterdir()} == {"crops", "pairs", "phases"}
    assert "images/pairs.jpg" in page
    assert "clips.jpg" not in page  # this run's clips are gone
    row_px = tutorial.TILE_PX + tutorial.LABEL_PX
    assert cv2.imread(str(tmp_path / "docs/images/pairs.jpg")).shape == (3 * 3 * row_px, 7 * tutorial.TILE_PX, 3)
    assert cv2.imread(str(tmp_path / "docs/images/phases.jpg")).shape[0] == 2 * 6 * row_px


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


def test_a_page_without_a_place_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    world.write(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/page.md").write_text("nothing")
    with pytest.raises(SystemExit):
        call(monkeypatch, tmp_path)
    assert "no place for the pictures" in capsys.readouterr().err
