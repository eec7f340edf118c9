"""Speech and lips: what is said is reproducible, and the mouth does what the sounds need."""

import dataclasses
import itertools

import numpy as np
import pytest

from components.core.base import seeds
from components.studio.speech import RATE_HZ, Line, Phoneme, Voice, recite
from components.studio.text import GRAMMARS
from components.studio.visemes import CHANNELS, Manner, articulate, visemes

MANNER = Manner(1.0, 1.0, 0.05)
VOICE = Voice("f3", 55, 50, 160)


def line(language: str, name: str = "a", duration_s: float = 3.0) -> Line:
    return Line(name, language, VOICE, "train", duration_s, -62)


@pytest.fixture(scope="module")
def spoken():
    lines = [line(language, language, 4.0) for language in GRAMMARS]
    return dict(zip(GRAMMARS, recite(lines, 0), strict=True))


def test_every_language_speaks_with_timed_phonemes(spoken):
    for language, utterance in spoken.items():
        assert len(utterance.samples) == 4 * RATE_HZ, language
        named = [p for p in utterance.phonemes if p.symbol]
        assert len(named) > 10, language
        assert all(p.start_s < p.end_s for p in named)
        assert all(a.end_s <= b.start_s + 1e-6 for a, b in itertools.pairwise(named))


def test_sound_and_silence_are_where_the_phonemes_say(spoken):
    utterance = spoken["en-us"]
    loud = np.zeros(len(utterance.samples), bool)
    for p in utterance.phonemes:
        if p.symbol:
            loud[round(p.start_s * RATE_HZ) : round((p.end_s + 0.1) * RATE_HZ)] = True
    level = np.sqrt(np.mean(utterance.samples[loud] ** 2)), np.sqrt(np.mean(utterance.samples[~loud] ** 2))
    assert level[0] > 30 * level[1]
    assert 0 < level[1] < 0.002  # a quiet room, not digital silence


def test_there_are_pauses_inside_a_clip():
    utterance = recite([line("es", duration_s=8.0)], 0)[0]
    named = [p for p in utterance.phonemes if p.symbol]
    gaps = [b.start_s - a.end_s for a, b in itertools.pairwise(named)]
    assert 0.25 < max(gaps) < 1.2


def test_speech_is_reproducible_and_depends_on_the_seed():
    lines = [line("de"), line("cmn", "b")]
    first, again, other = recite(lines, 3), recite(lines, 3), recite(lines, 4)
    for a, b in zip(first, again, strict=True):
        assert a.samples.tobytes() == b.samples.tobytes()
        assert a.phonemes == b.phonemes
    assert first[0].text != other[0].text


@pytest.mark.parametrize("language", GRAMMARS)
def test_benchmark_sentences_share_no_phrase_with_training(language):
    grammar = GRAMMARS[language]
    for words in (grammar.openings, grammar.actions, grammar.things, grammar.endings):
        assert len(set(words)) == len(words)
    rng = seeds.rng(0, "test", language)
    train = {grammar.sentence("train", rng) for _ in range(300)}
    held_out = {grammar.sentence("benchmark", rng) for _ in range(300)}
    assert len(train) > 150
    assert not train & held_out


def channel(tracks: np.ndarray, name: str) -> np.ndarray:
    return tracks[:, CHANNELS.index(name)]


def test_the_mouth_rests_in_silence_and_opens_on_a():
    tracks = articulate([Phoneme("a", 0.48, 0.72)], 30, 25, MANNER)
    jaw = channel(tracks, "jaw")
    assert jaw[:6].max() < 0.02
    assert jaw[-6:].max() < 0.02
    assert jaw[12:18].max() > 0.8


def test_lips_close_on_m_between_open_vowels():
    said = [Phoneme("a", 0.2, 0.4), Phoneme("m", 0.4, 0.5), Phoneme("a", 0.5, 0.7)]
    press = channel(articulate(said, 25, 25, MANNER), "press")
    assert press.max() > 0.9
    assert press[:7].max() < 0.1


def test_coarticulation_rounds_the_consonant_before_u():
    before_u = articulate([Phoneme("k", 0.3, 0.4), Phoneme("u", 0.4, 0.6)], 20, 25, MANNER)
    before_i = articulate([Phoneme("k", 0.3, 0.4), Phoneme("i", 0.4, 0.6)], 20, 25, MANNER)
    assert channel(before_u, "round")[8] > 0.3
    assert channel(before_i, "round")[8] < 0.05


def test_gains_scale_the_speaker():
    said = [Phoneme("a", 0.2, 0.5)]
    calm, lively = (articulate(said, 20, 25, dataclasses.replace(MANNER, jaw_gain=g)) for g in (0.8, 1.1))
    np.testing.assert_allclose(calm[:, 0] / 0.8, lively[:, 0] / 1.1, atol=1e-9)


def test_diphthongs_move_and_unknown_symbols_still_speak():
    assert [v.round for v in visemes("aʊ")] == [0.0, 1.0]
    assert visemes("") != visemes("☃")
    assert visemes("☃")[0].jaw > 0


def test_every_symbol_that_espeak_uses_is_known(spoken):
    used = {p.symbol for utterance in spoken.values() for p in utterance.phonemes if p.symbol}
    assert len(used) > 60
    jaws = {visemes(symbol)[0] for symbol in used}
    assert len(jaws) > 12  # they are told apart, not all taken for a schwa
