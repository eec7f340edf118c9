"""Recitals: as long as asked for, in step with their lips, and of the training's sounds only."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from components.core.base import seeds
from components.studio import recitals
from components.studio.text import GRAMMARS
from components.studio.visemes import CHANNELS
from tests.studio.test_core import TINY

PARAMS = replace(TINY, languages=("es", "cmn"))


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "recitals"
    recitals.write(folder, PARAMS, 0, workers=1)
    return folder


def test_each_language_has_sound_and_lips_of_one_length(spoken):
    lines = {"es": 2, "cmn": 1}
    assert sorted(path.name for path in spoken.iterdir()) == ["cmn.flac", "cmn.npz", "es.flac", "es.npz"]
    for language, count in lines.items():
        samples, rate_hz = soundfile.read(spoken / f"{language}.flac")
        arrays = np.load(spoken / f"{language}.npz")
        assert (rate_hz, samples.shape) == (16000, (count * 160000,))
        assert tuple(arrays["channels"]) == CHANNELS
        assert arrays["tracks"].shape == (count * 250, 7)
        assert arrays["tracks"].dtype == np.float16


def test_the_jaw_is_down_where_it_is_loud(spoken):
    samples, _ = soundfile.read(spoken / "es.flac")
    loud = np.log(np.sqrt(np.square(samples.reshape(-1, 640)).mean(1)) + 1e-3)
    jaw = np.load(spoken / "es.npz")["tracks"][:, CHANNELS.index("jaw")].astype(float)
    fit = [np.corrcoef(loud, np.roll(jaw, lag))[0, 1] for lag in range(-12, 13)]
    assert max(fit) > 0.4
    assert abs(int(np.argmax(fit)) - 12) <= 1


def test_more_minutes_keep_the_lines_that_were_there(spoken, tmp_path):
    recitals.write(tmp_path / "more", replace(PARAMS, recital_minutes=1.0), 0, workers=2)
    for language, count in {"es": 2, "cmn": 1}.items():
        before, _ = soundfile.read(spoken / f"{language}.flac", dtype="int16")
        after, _ = soundfile.read(tmp_path / "more" / f"{language}.flac", dtype="int16")
        np.testing.assert_array_equal(after[: count * 160000], before)
        assert len(after) > len(before)


@pytest.mark.parametrize("language", GRAMMARS)
def test_half_of_the_sentences_are_new_words_of_the_training_s_syllables(language):
    grammar = GRAMMARS[language]
    rng = seeds.rng(0, "test", language)
    said = [grammar.sentence("recital", rng) for _ in range(400)]
    openings = grammar.openings[: len(grammar.openings) * 2 // 3]
    known = [sentence.startswith(openings) for sentence in said]
    assert 0.4 < np.mean(known) < 0.65
    phrases = (grammar.openings, grammar.actions, grammar.things, grammar.endings)
    letters = set("".join(phrase for words in phrases for phrase in words[: len(words) * 2 // 3]).lower())
    assert set("".join(said).lower()) <= letters | {" "}
    assert len(set(said)) > 300
