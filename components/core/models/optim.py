"""Muon on block matrices, AdamW on the rest, behind one optimizer, which is what Lightning's automatic loop wants."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Muon, Optimizer


class MuonAdamW(Optimizer):
    """Two optimizers stepped as one.

    Hidden matrices (two-dimensional weights of blocks) take Muon's orthogonalised update, everything else AdamW's.
    Muon's update is rescaled to AdamW's root mean square (`match_rms_adamw`), so both share one rate and one schedule.
    """

    def __init__(self, model: nn.Module, lr: float, weight_decay: float) -> None:
        matrices: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                (matrices if is_hidden_matrix(name, parameter) else others).append(parameter)
        self.parts: list[Optimizer] = []
        if matrices:
            self.parts.append(Muon(matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"))
        if others:
            self.parts.append(AdamW(others, lr=lr, weight_decay=weight_decay, betas=(0.9, 0.99)))
        super().__init__([{"params": [*matrices, *others]}], {"lr": lr})
        # The schedule and the checkpoint see the parts' own groups.
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts:
            part.step()
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        for part in self.parts:
            part.zero_grad(set_to_none)

    def state_dict(self) -> dict[str, Any]:
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self.param_groups = [group for part in self.parts for group in part.param_groups]


def is_hidden_matrix(name: str, parameter: Tensor) -> bool:
    """Whether Muon fits: a matrix inside a block that maps features to features.

    Embeddings, heads, LoRA factors, vectors and the audio's way into a block stay with AdamW: few directions of the
    audio matter, and an orthogonalised update moves all of them alike.
    """
    return parameter.ndim == 2 and "blocks." in name and "lora" not in name and ".audio" not in name


def warmup_then_linear(step: int, steps: int, warmup_steps: int) -> float:
    """The learning rate's factor: up linearly over the warm-up, then down linearly to a tenth."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    done = (step - warmup_steps) / max(1, steps - warmup_steps)
    return 1.0 - 0.9 * min(1.0, done)


def trainable(parameters: Iterable[nn.Parameter]) -> int:
    """How many numbers are being trained."""
    return sum(p.numel() for p in parameters if p.requires_grad)
