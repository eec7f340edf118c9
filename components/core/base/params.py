"""Typed access to params.yaml: one frozen dataclass per section, every key checked."""

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from components.core.base.errors import UserError

T = TypeVar("T")


def load(cls: type[T], section: str, path: Path = Path("params.yaml")) -> T:
    """The section of params.yaml as a validated dataclass.

    Args:
        cls: a frozen dataclass; nested dataclasses and tuples are filled from mappings and lists.
        section: the top-level key, or dotted for a nested one ("editor.lip").
        path: the file to read.

    Raises:
        UserError: a key is unknown or missing, or a value has the wrong type or range; it names the key, the
            file and, for an unknown key, the nearest known one.
    """
    node: Any = read(path)
    for depth, key in enumerate(section.split(".")):
        if not isinstance(node, Mapping) or key not in node:
            known = list(node) if isinstance(node, Mapping) else []
            raise _missing(".".join(section.split(".")[: depth + 1]), path, known)
        node = node[key]
    return build(cls, node, section, path)


def scalar(key: str, kind: type[T], path: Path = Path("params.yaml")) -> T:
    """One top-level value of params.yaml, such as the seed."""
    values = read(path)
    if key not in values:
        raise _missing(key, path, list(values))
    return typing.cast(T, _convert(kind, values[key], key, path))


def read(path: Path) -> dict[str, Any]:
    """The whole file as plain values."""
    try:
        values = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise UserError(f"{path} does not exist", fix="Run `make params` in the project's folder.") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML", got=str(error)) from None
    if not isinstance(values, dict):
        raise UserError(f"{path} holds no sections", got=type(values).__name__, expected="a mapping")
    return values


def leaves(node: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """("editor.lip.rank", 8) for every value of nested mappings; an empty mapping is a value."""
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from leaves(value, f"{name}.{key}" if name else str(key))
    else:
        yield name, node


def build(cls: type[T], values: Any, name: str, path: Path) -> T:
    """The dataclass filled from a mapping; see `load`."""
    if not isinstance(values, Mapping):
        raise UserError(f"{name} in {path}", got=repr(values), expected=f"a mapping of {cls.__name__}'s keys")
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for key in values:
        if key not in fields:
            raise UserError(f"unknown key {name}.{key} in {path}", expected=_nearest(key, list(fields)))
    for key in fields:
        if key not in values:
            raise _missing(f"{name}.{key}", path, list(values))
    converted = {key: _convert(hints[key], values[key], f"{name}.{key}", path) for key in fields}
    try:
        return cls(**converted)
    except ValueError as error:
        raise UserError(f"{name} in {path} is inconsistent", got=str(error)) from None


def _convert(kind: Any, value: Any, name: str, path: Path) -> Any:
    """The value as `kind`: a dataclass, an optional, a Literal, a tuple, a dict of strings or a scalar."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return build(typing.cast(type, kind), value, name, path)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in args:
            return None
        return _convert(next(a for a in args if a is not type(None)), value, name, path)
    if origin is typing.Literal and value not in args:
        raise _mistyped(name, path, value, "one of " + ", ".join(map(str, args)))
    if origin is typing.Literal:
        return value
    if origin is tuple and isinstance(value, (list, tuple)):
        return _convert_items(args, value, name, path)
    if origin is dict and isinstance(value, Mapping):
        return {key: _convert(args[1], item, f"{name}.{key}", path) for key, item in value.items()}
    return _convert_scalar(kind, value, name, path)


def _convert_items(kinds: tuple[Any, ...], values: Sequence[Any], name: str, path: Path) -> tuple[Any, ...]:
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(values)
    if len(kinds) != len(values):
        raise _mistyped(name, path, values, f"{len(kinds)} values")
    return tuple(_convert(kinds[i], value, f"{name}[{i}]", path) for i, value in enumerate(values))


def _convert_scalar(kind: Any, value: Any, name: str, path: Path) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    if kind in (int, float, str, bool) and type(value) is kind:
        return value
    raise _mistyped(name, path, value, getattr(kind, "__name__", str(kind)))


def _mistyped(name: str, path: Path, value: Any, expected: str) -> UserError:
    return UserError(f"{name} in {path}", got=repr(value), expected=expected)


def _missing(name: str, path: Path, known: list[str]) -> UserError:
    return UserError(f"missing key {name} in {path}", expected=_nearest(name.rsplit(".", 1)[-1], known))


def _nearest(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    return f"{close[0]} (the nearest match)" if close else "one of " + ", ".join(known)
