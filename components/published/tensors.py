"""Published weights on disk: their tensors under their authors' names, and the layers that all the networks share."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from components.core.base.errors import UserError
from components.core.models import hardware


@dataclass(frozen=True)
class Tensors:
    """A state dict; widths and depths of the networks are read off it, so that small files test what large ones run.

    Attributes:
        path: of the file, for messages.
        values: by name, float32 on the accelerator where there is one.
    """

    path: Path
    values: Mapping[str, Tensor]

    def __getitem__(self, name: str) -> Tensor:
        try:
            return self.values[name]
        except KeyError:
            raise UserError(
                f"{self.path} has another layout",
                got=f"no tensor {name}",
                expected="the published file, unchanged (components/published/README.md)",
            ) from None

    def __contains__(self, name: str) -> bool:
        return name in self.values

    @property
    def device(self) -> torch.device:
        """Where the values are."""
        return next(iter(self.values.values())).device

    def conv(
        self, x: Tensor, name: str, stride: int | tuple[int, ...] = 1, padding: int | tuple[int, ...] = 0
    ) -> Tensor:
        """A convolution over as many dimensions as the kernel has."""
        kernel, bias = self[f"{name}.weight"], self.values.get(f"{name}.bias")
        convolve = F.conv3d if kernel.ndim == 5 else F.conv2d
        return convolve(x, kernel, bias, stride, padding)

    def linear(self, x: Tensor, name: str) -> Tensor:
        """A fully connected layer."""
        return F.linear(x, self[f"{name}.weight"], self[f"{name}.bias"])

    def norm(self, x: Tensor, name: str, eps: float = 1e-5) -> Tensor:
        """Batch normalisation by the running statistics."""
        mean, variance = self[f"{name}.running_mean"], self[f"{name}.running_var"]
        return F.batch_norm(x, mean, variance, self[f"{name}.weight"], self[f"{name}.bias"], eps=eps)


def read(path: Path) -> Tensors:
    """The tensors of a file that torch.save wrote; nothing in it is executed.

    Raises:
        UserError: it is not a state dict.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise UserError(f"{path} can't be read", got=str(error), expected="tensors by torch.save") from None
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()) or not found:
        raise UserError(f"{path} can't be used", got=type(found).__name__, expected="a mapping of names to tensors")
    return Tensors(path, {name: value.float().to(hardware.device()) for name, value in found.items()})
