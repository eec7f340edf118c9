"""Low-rank adapters that a timestep switches on: one linear layer, several named experts.

An expert's gate is part of the input, so one set of weights (and one ONNX graph) holds every phase's expert.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

Gates = dict[str, Float[Tensor, "b"]]


@dataclass(frozen=True)
class Band:
    """The closed band of timesteps in which an expert is on, inside [0, 1]."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 1:
            raise ValueError(f"band low {self.low} and high {self.high} must satisfy 0 <= low <= high <= 1")

    def gate(self, time: Float[Tensor, "b"]) -> Float[Tensor, "b"]:
        """1 where the timestep lies in the band, else 0."""
        return ((time >= self.low) & (time <= self.high)).to(time.dtype)


class AdaptedLinear(nn.Linear):
    """A linear layer plus, for each named expert, gate * up(down(x)) * scale."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__(in_features, out_features, bias)
        self.lora_down = nn.ParameterDict()
        self.lora_up = nn.ParameterDict()

    def add_expert(self, name: str, rank: int) -> None:
        """A new expert that changes nothing until it is trained: `up` starts at zero."""
        down = torch.empty(rank, self.in_features, device=self.weight.device)
        nn.init.kaiming_uniform_(down, a=math.sqrt(5))
        self.lora_down[name] = nn.Parameter(down)
        self.lora_up[name] = nn.Parameter(torch.zeros(self.out_features, rank, device=self.weight.device))

    def forward(self, x: Float[Tensor, "b ... d"], gates: Gates | None = None) -> Float[Tensor, "b ... e"]:
        y = super().forward(x)
        for name, gate in (gates or {}).items():
            low = nn.functional.linear(x, self.lora_down[name])
            gate = gate.reshape(-1, *[1] * (x.ndim - 1)).to(low.dtype)
            y = y + nn.functional.linear(low * gate, self.lora_up[name])
        return y


def add_expert(model: nn.Module, name: str, rank: int) -> None:
    """Gives every adapted layer of the model this expert."""
    for module in model.modules():
        if isinstance(module, AdaptedLinear):
            module.add_expert(name, rank)


def expert_parameters(model: nn.Module, name: str) -> dict[str, nn.Parameter]:
    """The expert's own parameters by their full names."""
    return {key: p for key, p in model.named_parameters() if "lora_" in key and key.endswith(f".{name}")}
