"""Every key of params.yaml is checked, and what is wrong is named."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from components.core.base import params
from components.core.base.errors import UserError


@dataclass(frozen=True)
class Optimizer:
    """A nested section."""

    lr: float
    betas: tuple[float, float]


@dataclass(frozen=True)
class Example:
    """One field of each kind."""

    steps: int
    name: str
    verbose: bool
    kind: Literal["a", "b"]
    limit: float | None
    sizes: tuple[int, ...]
    weights: dict[str, float]
    optimizer: Optimizer

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps {self.steps} is below 1")


GOOD = """\
seed: 7
example:
  steps: 3
  name: x
  verbose: true
  kind: a
  limit: null
  sizes: [1, 2, 3]
  weights: {lip: 1}
  optimizer: {lr: 1, betas: [0.9, 0.99]}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A good params.yaml."""
    file = tmp_path / "params.yaml"
    file.write_text(GOOD)
    return file


def test_every_kind_of_field_is_filled(path: Path) -> None:
    optimizer = Optimizer(lr=1.0, betas=(0.9, 0.99))
    example = params.load(Example, "example", path)
    assert example == Example(3, "x", True, "a", None, (1, 2, 3), {"lip": 1.0}, optimizer)
    assert isinstance(example.weights["lip"], float)


def test_a_dotted_section_and_a_scalar(path: Path) -> None:
    assert params.load(Optimizer, "example.optimizer", path).betas == (0.9, 0.99)
    assert params.scalar("seed", int, path) == 7


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  steps:", "  stepz:", r"unknown key example\.stepz in .*params\.yaml; expected steps \(the nearest match\)"),
        ("  name: x\n", "", r"missing key example\.name in .*params\.yaml"),
        ("lr: 1", "lrr: 1", r"unknown key example\.optimizer\.lrr .* lr \(the nearest match\)"),
        ("steps: 3", "steps: 3.5", r"example\.steps in .*; got 3\.5; expected int"),
        ("steps: 3", "steps: true", r"example\.steps in .*; got True; expected int"),
        ("steps: 3", "steps: 0", r"example in .* is inconsistent; got steps 0 is below 1"),
        ("verbose: true", "verbose: 1", r"example\.verbose in .*; got 1; expected bool"),
        ("kind: a", "kind: c", r"example\.kind in .*; got 'c'; expected one of a, b"),
        ("limit: null", "limit: low", r"example\.limit in .*; got 'low'; expected float"),
        ("[1, 2, 3]", "[1, x]", r"example\.sizes\[1\] in .*; got 'x'; expected int"),
        ("[1, 2, 3]", "4", r"example\.sizes in .*; got 4; expected tuple"),
        ("[0.9, 0.99]", "[0.9]", r"example\.optimizer\.betas in .*; expected 2 values"),
        ("{lip: 1}", "{lip: much}", r"example\.weights\.lip in .*; got 'much'; expected float"),
        (
            "{lr: 1, betas: [0.9, 0.99]}",
            "3",
            r"example\.optimizer in .*; got 3; expected a mapping of Optimizer's keys",
        ),
        ("example:", "exmple:", r"missing key example in .*; expected exmple \(the nearest match\)"),
        ("example:", "[", r"is not YAML"),
        (GOOD, "text", r"holds no sections; got str; expected a mapping"),
    ],
)
def test_what_is_wrong_is_named_on_one_line(path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(UserError, match=message) as error:
        params.load(Example, "example", path)
    assert "\n" not in str(error.value)


def test_an_empty_tuple_of_any_length_is_allowed(path: Path) -> None:
    path.write_text(GOOD.replace("[1, 2, 3]", "[]"))
    assert params.load(Example, "example", path).sizes == ()


def test_a_missing_file_says_what_writes_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="make params"):
        params.load(Example, "example", tmp_path / "params.yaml")


def test_a_missing_scalar_names_the_nearest(path: Path) -> None:
    with pytest.raises(UserError, match=r"missing key sed in .*; expected seed"):
        params.scalar("sed", int, path)
