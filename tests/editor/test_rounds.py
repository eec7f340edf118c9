"""Rounds of the bootstrap: later ones see companions that an editor made, and a killed run goes on where it was."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.core.models.dubber import Dubber
from components.core.models.synthesis import Editor, Sampling
from components.editor import core, rounds
from components.editor.data import Data
from components.editor.params import Bootstrap, Structure
from tests.core.models.test_dubber import frontend, network
from tests.editor.test_editor import COMMON, DRAWING, FIT, HIGH, accepted, data, folder, guides, run_of

__all__ = ["accepted", "data", "folder"]  # fixtures
SETTINGS = (COMMON, Structure(replace(FIT, steps=4, checkpoint_every_steps=2), DRAWING, HIGH, False, 0.1, 0.1))


def test_the_same_pairs_get_companions_of_the_editor(data: Data) -> None:
    editor = Editor(network("editor"), frontend(), {})
    remade = rounds.remade(data, editor, 0)
    assert [pair.crop for pair in remade.pairs] == [pair.crop for pair in data.pairs]
    crop, driver = (data.crops[pair.crop] for pair in data.pairs)
    alone = rounds.remade(replace(data, pairs=data.pairs[:1]), editor, 0)  # no other clip to take speech from
    dubbed = editor.dub(crop, driver.mel if crop.speaker == driver.speaker else crop.mel, Sampling(1, 1.0, 1.0, 0))
    assert remade.pairs[0].companion.shape == data.pairs[0].companion.shape
    np.testing.assert_array_equal(remade.pairs[0].companion, data.window.take(dubbed))
    assert (remade.pairs[0].companion != alone.pairs[0].companion).any()


def test_later_rounds_see_what_the_editor_before_made_and_a_stopped_one_goes_on(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teachers, seen = (None, guides(), frontend()), list[np.ndarray]()
    trained = core.structure

    def watched(data: Data, generator: Dubber | None, *rest: object) -> object:
        seen.append(data.pairs[0].companion)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return trained(data, generator, *rest)

    monkeypatch.setattr(core, "structure", watched)
    run = run_of(tmp_path, "editor-structure")
    with pytest.raises(KeyboardInterrupt):
        rounds.structure(data, teachers, SETTINGS, 2, run)
    assert len(list(tmp_path.glob("round1-*.safetensors"))) == 1
    _, phase = rounds.structure(data, teachers, SETTINGS, 2, run)
    first, second, again = seen
    np.testing.assert_array_equal(first, data.pairs[0].companion)
    assert (second != first).any()
    np.testing.assert_array_equal(again, second)
    assert not list(tmp_path.glob("round*"))
    _, once = rounds.structure(data, teachers, SETTINGS, 1, run)
    assert any((phase.tensors[name] != once.tensors[name]).any() for name in phase.tensors)


def test_no_round_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Bootstrap(0)
