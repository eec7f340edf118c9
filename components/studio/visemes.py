"""Phonemes to lips: each symbol has a target and a dominance; their blend is coarticulation (Cohen & Massaro 1993)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from components.studio import Floats
from components.studio.speech import Phoneme

# The frame at i / fps shows the middle of its exposure.
EXPOSURE_S = 0.02
CHANNELS = ("jaw", "spread", "round", "press", "bite", "tongue", "clench")


@dataclass(frozen=True)
class Viseme:
    """A lip posture, each value 0..1: how far the jaw is down, the corners out, the lips pushed forward, pressed
    together (m b p), the lower lip under the upper teeth (f v), the tongue tip at the teeth, the teeth closed (s)."""

    jaw: float = 0.0
    spread: float = 0.0
    round: float = 0.0
    press: float = 0.0
    bite: float = 0.0
    tongue: float = 0.0
    clench: float = 0.0
    dominance: float = 1.0


@dataclass(frozen=True)
class Manner:
    """A speaker's articulation: gains on the jaw and on lip shape, and the reach of coarticulation in seconds."""

    jaw_gain: float
    lip_gain: float
    reach_s: float


REST = Viseme(dominance=0.8)
_TABLE: dict[str, Viseme] = {
    "m b p": Viseme(jaw=0.02, press=1.0, dominance=5.0),
    "f v ʋ ɸ β": Viseme(jaw=0.1, bite=1.0, spread=0.1, dominance=3.5),
    "θ ð": Viseme(jaw=0.2, tongue=1.0, spread=0.1, dominance=1.6),
    "s z ts tsh dz": Viseme(jaw=0.12, spread=0.4, clench=1.0, dominance=2.0),
    "ʃ ʒ tʃ dʒ ɕ tɕ tɕh ʂ tʂ tʂh ʐ": Viseme(jaw=0.16, round=0.6, clench=1.0, dominance=2.0),
    "t d n th ɾ r l ɫ ɬ ɲ ʎ ʲ": Viseme(jaw=0.24, spread=0.15, tongue=0.7, dominance=0.9),
    "k ɡ g ŋ x χ h ɣ ç kh ʔ ɦ": Viseme(jaw=0.3, dominance=0.4),
    "ɹ ɻ ɚ ɝ ɜ": Viseme(jaw=0.26, round=0.45, dominance=1.2),
    "w ʍ ɥ": Viseme(jaw=0.12, round=1.0, dominance=2.4),
    "j": Viseme(jaw=0.14, spread=0.6, dominance=1.0),
    "u ʊ ɯ y ʉ": Viseme(jaw=0.2, round=1.0, dominance=1.8),
    "o ɔ ø œ ɤ": Viseme(jaw=0.5, round=0.75, dominance=1.7),
    "i ɪ ɨ": Viseme(jaw=0.22, spread=0.9, dominance=1.5),
    "e ɛ": Viseme(jaw=0.45, spread=0.6, dominance=1.6),
    "æ": Viseme(jaw=0.8, spread=0.6, dominance=1.8),
    "a ɑ ʌ ɐ ɒ": Viseme(jaw=1.0, spread=0.1, dominance=1.9),
    "ə": Viseme(jaw=0.35, dominance=0.7),
}
_SYMBOLS = {symbol: viseme for symbols, viseme in _TABLE.items() for symbol in symbols.split()}
_VOWELS = frozenset("aɑʌɐɒæeɛəiɪɨoɔøœɤuʊɯyʉɜɚɝ")


def visemes(symbol: str) -> list[Viseme]:
    """The posture, or for a diphthong the postures one after another, of an IPA symbol; at rest where it is empty."""
    plain = "".join(c for c in symbol if c not in "ːˑ̩̯̃̊˞-̞̈ᵝ1234567890.ˈˌ")
    if not plain:
        return [REST]
    if plain in _SYMBOLS:
        return [_SYMBOLS[plain]]
    parts = [_SYMBOLS[c] for c in plain if c in _SYMBOLS]
    vowels = [_SYMBOLS[c] for c in plain if c in _VOWELS]
    return vowels or parts[:1] or [_SYMBOLS["ə"]]


def articulate(phonemes: Sequence[Phoneme], frames: int, fps: float, manner: Manner) -> Floats:
    """The lips at each frame, (f, 7) in the order of CHANNELS, each about 0..1; at rest before, between and after."""
    starts, ends, postures = _timeline(phonemes, frames / fps)
    targets = np.array([[getattr(p, name) for name in CHANNELS] for p in postures])
    dominance = np.array([p.dominance for p in postures])
    times = np.arange(frames) / fps + EXPOSURE_S
    # Negative inside the segment, so that a posture is reached where its phoneme is, and fades outside it.
    distance = np.maximum(starts[None] - times[:, None], times[:, None] - ends[None]) + 0.012
    weight = dominance * np.exp(-np.clip(distance / manner.reach_s, -1.2, 30))
    # What the lips must do (close, bite) comes later and leaves sooner than what the jaw drifts to.
    sharp = dominance * np.exp(-np.clip(distance / (0.6 * manner.reach_s), -2.5, 30))
    blend = (weight @ targets) / weight.sum(1, keepdims=True)
    crisp = (sharp @ targets) / sharp.sum(1, keepdims=True)
    tracks = np.where(np.isin(CHANNELS, ("press", "bite")), crisp, blend)
    gain = np.array([manner.jaw_gain, manner.lip_gain, manner.lip_gain, 1, 1, 1, 1])
    return np.asarray(np.clip(tracks * gain, 0, 1.25))


def _timeline(phonemes: Sequence[Phoneme], duration_s: float) -> tuple[Floats, Floats, list[Viseme]]:
    """Postures with their times; every gap of more than 30 ms is a rest."""
    spans: list[tuple[float, float, Viseme]] = []
    at = -1.0
    for phoneme in (*phonemes, Phoneme("", duration_s + 1, duration_s + 2)):
        if phoneme.start_s - at > 0.03:
            spans.append((at, phoneme.start_s, REST))
        postures = visemes(phoneme.symbol)
        length = (phoneme.end_s - phoneme.start_s) / len(postures)
        for index, posture in enumerate(postures):
            start = phoneme.start_s + index * length
            spans.append((start, start + length, posture))
        at = phoneme.end_s
    starts, ends, found = zip(*spans, strict=True)
    return np.array(starts), np.array(ends), list(found)
