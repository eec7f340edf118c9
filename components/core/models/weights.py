"""Weights on disk: one safetensors file that carries the config it was built from."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from components.core.base import files, params
from components.core.base.errors import UserError

C = TypeVar("C")


def save(path: Path, tensors: nn.Module | Mapping[str, Tensor], config: Any) -> None:
    """Writes weights and config whole or not at all.

    Args:
        path: the .safetensors file.
        tensors: a module, or its (partial) state dict.
        config: the frozen dataclass that rebuilds the module.
    """
    state = tensors.state_dict() if isinstance(tensors, nn.Module) else tensors
    metadata = {"config": json.dumps(dataclasses.asdict(config), sort_keys=True)}
    with files.replacing(path) as temporary:
        save_file({k: v.detach().contiguous().cpu() for k, v in state.items()}, temporary, metadata)


def load(path: Path, config: type[C]) -> tuple[C, dict[str, Tensor]]:
    """The config and the tensors of a file that `save` wrote.

    Raises:
        UserError: the file is absent, not safetensors, or of another kind of model.
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist", expected="weights", fix="Run `dvc repro` to make them.")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
    except SafetensorError as error:
        raise UserError(f"{path} can't be read", got=str(error), expected="a safetensors file") from None
    if "config" not in metadata:
        raise UserError(f"{path} carries no config", expected="weights that dubstrap wrote")
    return params.build(config, json.loads(metadata["config"]), config.__name__, path), tensors


def freeze(module: nn.Module) -> nn.Module:
    """The module in evaluation mode with no gradients for its weights (gradients still flow through it)."""
    return module.eval().requires_grad_(False)


def fill(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Loads every tensor, or says which names or shapes disagree."""
    try:
        module.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise UserError(f"{path} does not fit {type(module).__name__}", got=str(error)) from None
