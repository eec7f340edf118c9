"""Every way to run the editor gives the same prediction."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import session
from components.dub.model import Editor


def test_every_way_is_measured(tinting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.dub.PASSES", 1)
    monkeypatch.setattr("benchmarks.dub.WARM_UPS", 0)
    rows = session.measure(tinting)
    assert [name for name, *_ in rows] == list(session.WAYS)
    assert rows[0][2] == "1.00"


def test_every_way_makes_the_same(tinting: Path) -> None:
    card, made = Editor(tinting).card, []
    for way in session.WAYS.values():
        opened, feed = session.session(tinting, way, card.chunk_frames), session.example(card, way.chunks)
        made.append(opened.run(None, feed)[0][0])
    expected = made[0]
    for way, other in zip(session.WAYS.values(), made, strict=True):
        if way.chunks == 1:  # else the inputs are others
            np.testing.assert_allclose(other, expected, atol=1e-5)
