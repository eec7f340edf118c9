"""What an ablation changes, and that nothing else is."""

from pathlib import Path

import pytest

from components.core.base import params
from scripts import ablations

EDITOR = params.read(Path(__file__).resolve().parents[2] / "params.yaml")["editor"]
PLAN = ablations.Plan(Path("a"), Path("b"), 100, 4, 0, ("variants", "phases"))


@pytest.mark.parametrize("name", [name for name in ablations.VARIANTS if name != "recipe"])
def test_every_variant_is_valid_and_differs_from_the_recipe(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    recipe, variant = (ablations.settings(change, 99) for change in ({}, ablations.VARIANTS[name]))
    assert variant != recipe
    assert variant[1].fit == recipe[1].fit
    assert variant[1].fit.steps == 99


def test_a_change_is_of_a_copy_and_of_a_value_that_is_there():
    changed = ablations.changed(EDITOR, {"common.paste_share": 0.9})
    assert changed["common"]["paste_share"] == 0.9
    assert EDITOR["common"]["paste_share"] != 0.9
    with pytest.raises(KeyError, match="paste_shares"):
        ablations.changed(EDITOR, {"common.paste_shares": 0.9})


def test_dear_layouts_train_for_as_long_not_for_as_many_steps():
    assert ablations.equal_steps(PLAN, ablations.VARIANTS["recipe"]) == 100
    assert ablations.equal_steps(PLAN, ablations.VARIANTS["references on the frame axis"]) == 44


def test_the_tables_hold_every_line():
    value = {"mean": 0.5, "lo": 0.4, "hi": 0.6}
    found = {kind: {f"{kind} line": {"read_opening_r": value}} for kind in ablations.TABLES}
    text = ablations.text(PLAN, found)
    assert "`--tables steps`" in ablations.text(PLAN, {**found, "steps": {}})
    for kind in found:
        assert f"| {kind} line | - | 0.5 (0.4 .. 0.6) |" in text


def test_a_stopped_run_goes_on_and_rounds_begin_again():
    assert ablations.lacking("steps", {"1": {}, "3": {}}) == ["2", "4", "8", "16"]
    assert ablations.lacking("rounds", {"2": {}}) == ["2", "3"]
    assert ablations.lacking("rounds", {"2": {}, "3": {}}) == []
