"""params.yaml is what configs/ composes."""

from pathlib import Path

import pytest
import yaml

from components.core.base.errors import UserError
from flows import params


def test_a_scale_overrides_the_groups(project: Path) -> None:
    assert yaml.safe_load(params.compose())["join"] == {"rank": 16}
    assert yaml.safe_load(params.compose(["scale=smoke"]))["join"] == {"rank": 2}
    assert yaml.safe_load(params.compose(["scale=smoke", "join.rank=4"]))["join"] == {"rank": 4}


def test_the_note_on_where_to_edit_comes_first(project: Path) -> None:
    assert params.compose().startswith("about: ")


@pytest.mark.parametrize("override", ["join.rnak=4", "scale=huge", "join.rank=[", "nothing"])
def test_a_wrong_override_is_a_user_error(project: Path, override: str) -> None:
    with pytest.raises(UserError, match=r"cannot compose params\.yaml"):
        params.compose([override])


def test_a_misspelt_override_names_the_nearest_key(project: Path) -> None:
    with pytest.raises(UserError, match=r"join\.rnak.*expected join\.rank \(the nearest match\)"):
        params.compose(["scale=smoke", "join.rnak=4"])


def test_a_section_that_no_stage_reads_is_named_with_its_file(project: Path) -> None:
    path = project / "configs/scale/smoke.yaml"
    path.write_text(path.read_text().replace("join:", "jion:"))
    with pytest.raises(UserError, match=r"unknown key jion in configs/scale/smoke\.yaml; expected join"):
        params.compose(["scale=smoke"])
    assert params.compose()


def test_a_composed_file_passes_at_its_own_scale(project: Path) -> None:
    params.check()
    (project / "params.yaml").write_text(params.compose(["scale=smoke"]))
    params.check()


def test_a_hand_edit_is_named_with_both_values(project: Path) -> None:
    path = project / "params.yaml"
    path.write_text(path.read_text().replace("rank: 16", "rank: 8\n  extra: 1"))
    with pytest.raises(UserError, match=r"join\.extra: 1, in configs nothing; join\.rank: 8, in configs 16") as error:
        params.check()
    assert "make params" in error.value.fix
