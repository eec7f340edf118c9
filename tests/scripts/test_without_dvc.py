"""Without DVC and Great Expectations the same stages run, and the same pairs are turned away."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.validate import core, expectations
from components.validate.params import PairsParams
from scripts import without_dvc
from tests.validate.conftest import pairs, pairs_params  # noqa: F401 (fixtures)


def test_the_suites_limits_turn_away_what_great_expectations_would(
    pairs: pd.DataFrame,  # noqa: F811
    pairs_params: PairsParams,  # noqa: F811
    tmp_path: Path,
) -> None:
    table = pairs.assign(
        identity_cosine=[0.1, np.nan, *[0.95] * 28],
        lip_change_px=[2.0, 0.0, 0.0, *[2.0] * 27],
        sharpness_ratio=[*[1.0] * 28, 0.05, 9.0],
    )
    suite = expectations.read(expectations.SUITES / "pairs.yaml", pairs_params)
    official = core.sort(table, core.check_pairs(table, pairs_params, tmp_path), ())
    plain = core.sort(table, [without_dvc.outcome(table, one) for one in suite if one.filter], ())
    pd.testing.assert_frame_equal(plain.quarantined, official.quarantined)
    pd.testing.assert_frame_equal(plain.accepted, official.accepted)
    assert plain.rejected == official.rejected
    assert 4 <= len(plain.quarantined) < len(table)


def test_stages_run_in_order_by_their_own_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "touch.py").write_text("import pathlib, sys\npathlib.Path(sys.argv[1]).touch()\n")
    stages = "\n".join(f"  {name}:\n    cmd: python -m touch {name}" for name in ("a", "b", "validate-crops", "c"))
    (tmp_path / "dvc.yaml").write_text(f"stages:\n{stages}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(without_dvc, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["without_dvc", "b", "c"])
    without_dvc.main()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c", "dvc.yaml", "metrics", "touch.py"]
    assert [text.split(":")[0] for text in capsys.readouterr().out.splitlines()] == ["b", "validate-crops", "c"]
