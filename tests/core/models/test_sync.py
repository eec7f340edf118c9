from pathlib import Path

import numpy as np
import pytest
import torch

from components.core.models import weights
from components.core.models.sync import (
    ClipEmbeddings,
    SyncConfig,
    SyncExpert,
    embed_clip,
    load_sync,
    scores,
    sync_loss,
    sync_scores,
)

CONFIG = SyncConfig(height_px=16, width_px=24, channels=4, width=8, embedding=6)


@pytest.fixture
def expert() -> SyncExpert:
    torch.manual_seed(0)
    return SyncExpert(CONFIG).eval()


def unit(rng: np.random.Generator, count: int, size: int = 8) -> np.ndarray:
    vectors = rng.standard_normal((count, size)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_towers_give_unit_embeddings(expert: SyncExpert) -> None:
    seen, heard = expert.visual(torch.rand(3, 5, 3, 12, 16)), expert.audio(torch.rand(3, 24, 80))
    assert seen.shape == heard.shape == (3, 6)
    torch.testing.assert_close(seen.norm(dim=-1), torch.ones(3))
    torch.testing.assert_close(heard.norm(dim=-1), torch.ones(3))


def test_a_stretch_is_its_windows_one_by_one(expert: SyncExpert) -> None:
    lower, mel = torch.rand(1, 8, 3, 16, 24), torch.rand(1, 4 * 8 + 4, 80)
    for index in range(4):
        window = expert.visual(lower[:, index : index + 5])
        torch.testing.assert_close(expert.visual_track(lower)[:, index], window, atol=1e-6, rtol=0)
        sound = expert.audio(mel[:, 4 * index : 4 * index + 24])
        torch.testing.assert_close(expert.audio_track(mel)[:, index], sound, atol=1e-6, rtol=0)


@pytest.mark.parametrize("late", [-4, 0, 7])
def test_offset_is_found_exactly(late: int) -> None:
    rng = np.random.default_rng(0)
    stream = unit(rng, 80)
    # What is seen at i is heard at i + late.
    found = scores(ClipEmbeddings(seen=stream[20:60], heard=stream[20 - late : 60 - late]), max_offset=15)
    assert found.offset_frames == late
    assert found.distance == pytest.approx(0, abs=1e-3)
    assert found.confidence > 1
    assert (found.similarity > 0.99) == (late == 0)


def test_scores_by_hand() -> None:
    seen = np.eye(4, dtype=np.float32)
    found = scores(ClipEmbeddings(seen, seen), max_offset=1)
    assert (found.confidence, found.distance, found.offset_frames) == (pytest.approx(2**0.5), 0, 0)


def test_sync_loss_is_one_minus_the_mean_cosine_and_reaches_the_picture(expert: SyncExpert) -> None:
    weights.freeze(expert)
    lower, mel = torch.rand(2, 9, 3, 16, 24, requires_grad=True), torch.rand(2, 4 * 9 + 4, 80)
    loss = sync_loss(expert, lower, mel)
    cosine = (expert.visual_track(lower) * expert.audio_track(mel)).sum(-1)
    torch.testing.assert_close(loss, 1 - cosine.mean())
    wide = torch.nn.functional.pad(mel, (0, 0, 30, 30), value=3.0)
    torch.testing.assert_close(sync_loss(expert, lower, wide), loss)
    loss.backward()
    assert lower.grad is not None
    assert lower.grad.abs().sum() > 0


def test_clip_embeddings_are_of_the_window_and_leave_the_outermost_frames_out(expert: SyncExpert) -> None:
    rng = np.random.default_rng(1)
    frames, mel = rng.integers(0, 256, (10, 24, 24, 3), np.uint8), rng.random((40, 80), np.float32)
    clip = embed_clip(expert, frames, mel)
    window = torch.from_numpy(frames[1:6, 10:22, 4:20]).permute(0, 3, 1, 2)[None] / 127.5 - 1
    assert clip.seen.shape == (4, 6)
    np.testing.assert_allclose(clip.seen[0], expert.visual(window)[0].detach(), atol=1e-5)
    np.testing.assert_allclose(clip.heard[0], expert.audio(torch.from_numpy(mel[None, 2:26]))[0].detach(), atol=1e-5)
    found = sync_scores(expert, frames, mel)
    assert abs(found.offset_frames) <= 2


@pytest.mark.parametrize(("frames", "rows"), [(6, 24), (10, 39)])
def test_clips_that_do_not_fit_are_refused(expert: SyncExpert, frames: int, rows: int) -> None:
    with pytest.raises(ValueError, match=f"{rows} mel rows and {frames} frames"):
        sync_scores(expert, np.zeros((frames, 24, 24, 3), np.uint8), np.zeros((rows, 80), np.float32))


def test_a_loss_without_context_is_refused(expert: SyncExpert) -> None:
    with pytest.raises(ValueError, match="20 mel rows for 5 frames"):
        sync_loss(expert, torch.zeros(1, 5, 3, 16, 24), torch.zeros(1, 20, 80))


def test_the_file_gives_the_expert_back(expert: SyncExpert, tmp_path: Path) -> None:
    weights.save(tmp_path / "sync.safetensors", expert, CONFIG)
    mel = torch.rand(1, 24, 80)
    torch.testing.assert_close(load_sync(tmp_path / "sync.safetensors").audio(mel), expert.audio(mel))


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="height_px 20 and width_px 24"):
        SyncConfig(height_px=20, width_px=24, channels=4, width=8, embedding=6)
