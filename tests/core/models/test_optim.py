"""Muon against PyTorch's own, and against what it is for: orthogonal updates of AdamW's size."""

import copy

import pytest
import torch
from torch import nn

from components.core.models import hardware
from components.core.models.optim import Muon, MuonAdamW, orthogonal


def layers() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(*(nn.Linear(*shape, bias=False) for shape in ((16, 48), (48, 16), (16, 16), (16, 16))))


def test_it_steps_as_pytorchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "bf16", lambda: True)
    ours, theirs = layers(), layers()
    mine = Muon(list(ours.parameters()), 1e-2, 0.1)
    peer = torch.optim.Muon(theirs.parameters(), 1e-2, 0.1, adjust_lr_fn="match_rms_adamw")
    for step in range(5):
        for network, optimizer in ((ours, mine), (theirs, peer)):
            x = torch.randn(8, 16, generator=torch.Generator().manual_seed(step))
            optimizer.zero_grad()
            (network(x) - x.roll(1, -1)).square().sum().backward()
            optimizer.step()
    for a, b, start in zip(ours.parameters(), theirs.parameters(), layers().parameters(), strict=True):
        assert (a - b).norm() < 0.02 * (b - start).norm()


@pytest.mark.parametrize("bf16", [True, False])
@pytest.mark.parametrize("shape", [(3, 12, 40), (2, 40, 12), (1, 12, 12)])
def test_what_is_made_orthogonal_has_singular_values_near_one(
    shape: tuple[int, int, int], bf16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "bf16", lambda: bf16)
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    made = orthogonal(matrices).float()
    assert made.shape == matrices.shape
    values = torch.linalg.svdvals(made)
    assert values.min() > 0.4
    assert values.max() < 1.6
    for one, alone in zip(made, matrices, strict=True):
        torch.testing.assert_close(one, orthogonal(alone[None])[0].float(), atol=0.02, rtol=0.02)


def test_state_survives_a_checkpoint() -> None:
    network = layers()
    optimizer = MuonAdamW(network, 1e-2, 0.0)

    def step(network: nn.Module, optimizer: MuonAdamW) -> None:
        optimizer.zero_grad()
        network(torch.ones(4, 16)).square().sum().backward()
        optimizer.step()

    step(network, optimizer)
    other = copy.deepcopy(network)
    resumed = MuonAdamW(other, 1e-2, 0.0)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    step(network, optimizer)
    step(other, resumed)
    for a, b in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
