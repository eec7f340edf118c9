"""Sheets show the truth over the editor and nothing of the verdict; groups beside the benchmark are left out."""

import sys

import cv2
import numpy as np
import pandas as pd
import pytest

from components.core.media import shards
from components.evaluate import players
from components.evaluate.aside import OWN
from components.evaluate.benchmark import Pair
from scripts import eyes
from tests.evaluate.conftest import crop, speech


def test_sheets_hold_the_benchmark_and_verdicts_are_kept_apart(tmp_path, monkeypatch: pytest.MonkeyPatch):
    films = []
    for index, slices in enumerate((("language=en",), ("language=es",), (OWN,))):
        source = crop(f"c{index}", index, speech(index))
        pair = Pair(f"c{index}--p", source, source, source, source, None, slices)
        rows = {"copy": source.frames, "truth": source.frames, "editor": np.full_like(source.frames, 200)}
        films.append(players.make(pair, rows, dict.fromkeys(rows, np.zeros(len(source.frames)))))
    players.write(tmp_path, films)
    lines = [{"pair_id": f"c{i}--p", "row": row, "success_rate": i} for i in range(2) for row in ("truth", "editor")]
    pd.DataFrame(lines).to_parquet(tmp_path / "clips.parquet")
    monkeypatch.setattr(sys, "argv", ["eyes", "--evaluate", str(tmp_path), "--out", str(tmp_path / "out")])
    eyes.main()
    assert pd.read_csv(tmp_path / "out/verdicts.csv").values.tolist() == [["c0--p", 0], ["c1--p", 1]]
    picture = cv2.imread(str(tmp_path / "out/sheet-00.png"))
    truth, editor = eyes.moments(dict(shards.iterate(tmp_path))["c0--p"]).reshape(2, eyes.HEIGHT_PX, -1, 3)
    assert picture.shape == (2 * (18 + 2 * eyes.HEIGHT_PX), truth.shape[1], 3)
    assert abs(float(editor.mean()) - 200) < 5 < truth.std()
