from math import cos, pi, sin
from pathlib import Path

import numpy as np
import pytest
import torch

from components.core.models import weights
from components.core.models.identity import IdentityConfig, IdentityExpert, angular_margin, load_identity

CONFIG = IdentityConfig(size_px=32, channels=4, embedding=8)


@pytest.fixture
def expert() -> IdentityExpert:
    torch.manual_seed(0)
    return IdentityExpert(CONFIG).eval()


def test_embeddings_are_unit_at_any_size_and_differentiable(expert: IdentityExpert) -> None:
    images = torch.rand(2, 3, 48, 48, requires_grad=True)
    embedding = expert(images)
    torch.testing.assert_close(embedding.norm(dim=-1), torch.ones(2))
    embedding[:, 0].sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_frames_and_images_agree(expert: IdentityExpert) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    images = torch.from_numpy(frames).permute(0, 3, 1, 2) / 127.5 - 1
    np.testing.assert_allclose(expert.embed(frames), expert(images).detach(), atol=1e-5)


@pytest.mark.parametrize("theta", [0.2, 1.0, 2.0])
def test_margin_is_an_angle_on_the_right_speaker_alone(theta: float) -> None:
    cosine = torch.tensor([[cos(theta), 0.3, -0.4]])
    logits = angular_margin(cosine, torch.tensor([0]), margin_rad=0.5, scale=10.0)
    torch.testing.assert_close(logits, torch.tensor([[10 * cos(theta + 0.5), 3.0, -4.0]]), atol=1e-4, rtol=0)


def test_margin_never_turns_up_again() -> None:
    theta = torch.linspace(0.01, pi - 0.01, 200)
    logits = angular_margin(theta.cos()[:, None], torch.zeros(200, dtype=torch.long), 0.5, 1.0)[:, 0]
    assert (logits.diff() < 0).all()
    assert logits[-1].item() == pytest.approx(cos(pi - 0.01) - 0.5 * sin(0.5), abs=1e-4)


def test_no_margin_is_the_plain_cosine() -> None:
    cosine = torch.tensor([[0.2, 0.9]])
    torch.testing.assert_close(angular_margin(cosine, torch.tensor([1]), 0.0, 2.0), 2 * cosine, atol=1e-4, rtol=0)


def test_the_file_gives_the_expert_back(expert: IdentityExpert, tmp_path: Path) -> None:
    weights.save(tmp_path / "identity.safetensors", expert, CONFIG)
    images = torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(load_identity(tmp_path / "identity.safetensors")(images), expert(images))


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="size_px 40"):
        IdentityConfig(size_px=40, channels=4, embedding=8)
