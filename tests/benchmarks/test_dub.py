"""The benchmark of dubbing: what it measures is the model in use, and it says all that it promises."""

import argparse
import json
from pathlib import Path

import pytest

from benchmarks import dub as benchmark
from components.core.base import params
from components.core.media import video
from components.editor.params import Common
from components.export.graph import Graph, example
from flows.params import compose
from scripts import results


@pytest.mark.parametrize("scale", ["smoke", "studio"])
def test_the_random_editor_is_of_the_shape_in_the_params_file(tmp_path: Path, scale: str) -> None:
    config = tmp_path / "params.yaml"
    config.write_text(compose([f"scale={scale}"]))
    editor, common = benchmark.random_editor(config), params.load(Common, "editor.common", config)
    assert editor.model.config.architecture == common.architecture
    assert set(editor.bands) == {"lip", "texture"}
    shown = example(Graph(editor), 1, 4)[2]
    size_px = params.read(config)["crop"]["size_px"]
    assert shown.shape == (1, common.references, 4, 3, size_px // 2, size_px * 2 // 3)


@pytest.mark.media
def test_a_clip_fills_a_720p_frame_and_goes_on(media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "MOST_FRAMES", 8)
    path = benchmark.clip_720p(media / "clip08_grid_lwbsza.mpg", tmp_path / "source.mp4", 1.5)
    info, frames = video.probe(path), list(video.frames(path))
    assert (info.width_px, info.height_px, float(info.fps), info.vfr) == (1280, 720, 25.0, False)
    assert info.frames == len(frames) == 42  # three times forwards and backwards, 14 frames each
    assert abs(frames[0].rgb.astype(int) - frames[14].rgb).max() == 0
    assert [frame.time_s for frame in frames] == pytest.approx([index / 25 for index in range(42)], abs=1e-3)


@pytest.mark.media
def test_everything_is_measured_and_written(
    media: Path, tmp_path: Path, tinting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "PASSES", 1)
    monkeypatch.setattr(benchmark, "WARM_UPS", 0)
    clip = media / "clip08_grid_lwbsza.mpg"
    given = argparse.Namespace(clip=clip, model=tinting, minutes=[0.01, 0.02], steps=2)
    found = benchmark.measure(given)
    json.dumps(found, allow_nan=False)
    assert [run["frames"] for run in found["runs"]] == [15, 30]
    for run in found["runs"]:
        assert set(run["seconds"]) == {"decode", "track", "crop", "audio", "edit", "paste", "encode", "sign"}
        assert all(value > 0 for value in run["seconds"].values())
        assert (run["steps"], run["card_id"]) == (2, "test-card")
        assert 2**20 < run["peak_bytes"] < 2**40
        assert run["cpu_s"] > 0
    assert found["edit_ms"] > 0
    assert found["wav2lip_ms"] > 0
    page = tmp_path / "results.md"
    page.write_text("before\n<!-- speed:begin -->\nold\n<!-- speed:end -->\nafter\n")
    results.insert(page, benchmark.table(found), "speed")
    text = page.read_text()
    assert "old" not in text
    parts = ("| edit | ", "share of the sum", "| **end to end** | ", "peak memory, MiB", "Wav2Lip", "2 steps")
    for part in ("before", *parts, "after"):
        assert part in text
