"""The training loop: it learns, resumes to the same end after a kill, and stops on NaN."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from components.core.base.errors import UserError
from components.core.models import hardware
from components.core.models.fit import Fit, Learner, Losses, Run, fit

SPEC = Fit(steps=24, lr=1e-2, warmup_steps=2, weight_decay=0.0, ema_decay=0.5, clip_norm=1.0, checkpoint_every_steps=5)


class Regression(Learner[Tensor]):
    """Learns y = sum(x) from noisy inputs."""

    def __init__(self, poison_at: float = float("inf"), kill_at: int = -1) -> None:
        torch.manual_seed(0)
        super().__init__(nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 1)))
        self.poison_at, self.kill_at, self.seen = poison_at, kill_at, 0

    def losses(self, batch: Tensor, draw: torch.Generator) -> Losses:
        self.seen += 1
        if self.seen == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        noise = 0.1 * torch.randn(batch.shape, generator=draw)
        error = (self.model(batch + noise).squeeze(-1) - batch.sum(-1)).square().mean()
        return {"loss": error, "poison": error.log() if self.seen < self.poison_at else error.neg().sqrt()}


def batch_at(step: int) -> Tensor:
    return torch.randn(16, 4, generator=torch.Generator().manual_seed(step))


def train(folder: Path, **options: float) -> tuple[list[Tensor], list[float]]:
    learner = Regression(**options)  # type: ignore[arg-type]
    curve = fit(learner, batch_at, SPEC, Run("regression", 7, folder, "same", "32-true"))
    return [p.detach().clone() for p in learner.parameters()], curve["loss"].tolist()


def test_the_loss_falls_and_the_folder_is_left_clean(tmp_path: Path) -> None:
    _, losses = train(tmp_path)
    assert len(losses) == SPEC.steps
    assert losses[-1] < 0.5 * losses[0]
    assert list(tmp_path.iterdir()) == []


def test_several_loaders_draw_the_same_batches_in_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, losses = train(tmp_path / "alone")
    monkeypatch.setattr(hardware, "loaders", lambda: 3)
    together, same = train(tmp_path / "together")
    assert losses == same
    for a, b in zip(alone, together, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def train_until_killed(folder: Path) -> None:
    code = f"from tests.core.models.test_fit import *; train(Path({str(folder)!r}), kill_at=14)"
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert (folder / "resume.ckpt").is_file()


def test_a_killed_run_ends_like_an_unbroken_one(tmp_path: Path) -> None:
    whole, whole_losses = train(tmp_path / "whole")
    train_until_killed(tmp_path / "cut")
    weights, losses = train(tmp_path / "cut")
    assert losses == whole_losses
    for a, b in zip(weights, whole, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_a_checkpoint_of_other_params_is_not_resumed(tmp_path: Path) -> None:
    train_until_killed(tmp_path)
    learner = Regression()
    fit(learner, batch_at, SPEC, Run("regression", 7, tmp_path, "other", "32-true"))
    assert learner.seen == SPEC.steps


def test_nan_stops_with_the_step_the_term_and_the_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'poison' is not finite at step 11.*resume\.ckpt"):
        train(tmp_path, poison_at=12)
