"""Muon on block matrices, AdamW on the rest, behind one optimizer, which is what Lightning's automatic loop wants."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from components.core.models import hardware

MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration whose slope at zero is steepest (Jordan et al., Muon, 2024)."""
ITERATIONS = 5


class MuonAdamW(Optimizer):
    """Two optimizers stepped as one.

    Hidden matrices (two-dimensional weights of blocks) take Muon's orthogonalised update, everything else AdamW's.
    Muon's update is rescaled to AdamW's root mean square, so both share one rate and one schedule.
    """

    def __init__(self, model: nn.Module, lr: float, weight_decay: float) -> None:
        matrices: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                (matrices if is_hidden_matrix(name, parameter) else others).append(parameter)
        self.parts: list[Optimizer] = []
        if matrices:
            self.parts.append(Muon(matrices, lr, weight_decay))
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


class Muon(Optimizer):
    """Momentum made orthogonal (Jordan et al. 2024), rescaled to AdamW's root mean square (Liu et al. 2025, Eq. 4).

    The same update as `torch.optim.Muon`'s, but matrices of one shape are orthogonalised together, in the precision in
    which the machine multiplies fastest: where bf16 is emulated the other takes twenty times as long
    (benchmarks/optimizer.py).
    """

    def __init__(self, matrices: list[nn.Parameter], lr: float, weight_decay: float) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[parameter.shape].append(parameter)
            for shape, parameters in alike.items():
                gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
                momenta = [self._momentum(parameter) for parameter in parameters]
                torch._foreach_lerp_(momenta, gradients, 1 - MOMENTUM)
                ahead = torch._foreach_lerp(gradients, momenta, MOMENTUM)  # Nesterov's
                updates = orthogonal(torch.stack(ahead)).to(parameters[0].dtype)
                torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(parameters, list(updates), alpha=-0.2 * max(shape) ** 0.5 * group["lr"])

    def _momentum(self, parameter: Tensor) -> Tensor:
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        found: Tensor = state["momentum"]
        return found


def orthogonal(matrices: Float[Tensor, "m r c"]) -> Float[Tensor, "m r c"]:
    """The nearest matrices with orthonormal rows or columns, roughly: singular values between 0.5 and 1.5."""
    a, b, c = NEWTON_SCHULZ
    x = matrices.to(torch.bfloat16 if hardware.bf16() else torch.float32)
    if tall := x.shape[1] > x.shape[2]:
        x = x.mT
    x = x / torch.linalg.matrix_norm(x, keepdim=True).clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


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
