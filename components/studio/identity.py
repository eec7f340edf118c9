"""Who speaks: everything about a person that stays the same from clip to clip."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from components.core.base import seeds
from components.studio.speech import Voice
from components.studio.visemes import Manner

Colour = tuple[float, float, float]
HairStyle = Literal["bald", "buzz", "short", "quiff", "curly", "bob", "long", "bun", "afro", "receding"]
BeardStyle = Literal["none", "stubble", "moustache", "goatee", "full"]

# sRGB of skin in ordinary light, from pale to dark, and of hair.
SKINS: tuple[Colour, ...] = (
    (0.93, 0.78, 0.70),
    (0.90, 0.73, 0.63),
    (0.85, 0.69, 0.58),
    (0.79, 0.62, 0.50),
    (0.69, 0.52, 0.41),
    (0.58, 0.43, 0.34),
    (0.47, 0.345, 0.275),
    (0.37, 0.275, 0.225),
)
HAIRS: tuple[Colour, ...] = (
    (0.09, 0.075, 0.07),
    (0.15, 0.10, 0.075),
    (0.25, 0.165, 0.11),
    (0.36, 0.24, 0.15),
    (0.52, 0.37, 0.22),
    (0.70, 0.55, 0.35),
    (0.48, 0.22, 0.11),
)
EYES: tuple[Colour, ...] = (
    (0.26, 0.15, 0.08),
    (0.36, 0.23, 0.12),
    (0.30, 0.36, 0.26),
    (0.33, 0.45, 0.56),
    (0.42, 0.46, 0.48),
)
BEARDS: tuple[BeardStyle, ...] = ("none", "stubble", "full", "moustache", "none", "goatee")
FEMININE_HAIR: tuple[HairStyle, ...] = ("bob", "long", "bun", "long", "curly", "bob", "afro", "short")
MASCULINE_HAIR: tuple[HairStyle, ...] = ("short", "quiff", "buzz", "receding", "curly", "bald", "short", "long")


@dataclass(frozen=True)
class Shape:
    """Deviations of the head from the average one, about -1..1 each unless a unit is named."""

    width: float
    jaw: float
    chin: float
    cheek: float
    brow: float
    nose_length: float
    nose_width: float
    nose_bridge: float
    eye_size: float
    eye_tilt: float
    eye_fold: float
    lip_upper: float
    lip_lower: float
    mouth_width: float
    ear: float
    neck: float


@dataclass(frozen=True)
class Speaker:
    """One person. Colours are sRGB 0..1; `age` is 0 (twenty) to 1 (eighty)."""

    name: str
    seed: int
    feminine: bool
    age: float
    shape: Shape
    skin: Colour
    hair_colour: Colour
    grey: float
    eye_colour: Colour
    hair: HairStyle
    beard: BeardStyle
    brow_strength: float
    freckles: float
    makeup: float
    glasses: Colour | None
    round_glasses: bool
    voice: Voice
    manner: Manner
    language: str


def cast(number: int, seed: int, languages: tuple[str, ...]) -> Speaker:
    """The person with this number. Tone, sex, hair, beard, glasses and language are dealt in turn, not drawn, so that
    even a small cast is varied; the rest is drawn from the seed."""
    rng = seeds.rng(seed, "studio", "speaker", number)
    feminine = number % 2 == 0
    half = number // 2
    tone = SKINS[(number * 3 + half) % len(SKINS)]
    age = float(rng.beta(1.2, 2.0))
    dark = sum(tone) < 1.7
    colours = HAIRS[:3] if dark else HAIRS
    styles = FEMININE_HAIR if feminine else MASCULINE_HAIR
    return Speaker(
        name=f"speaker{number:02d}",
        seed=seeds.derive(seed, "studio", "look", number),
        feminine=feminine,
        age=age,
        shape=_shape(rng, feminine),
        skin=_vary(tone, rng),
        hair_colour=colours[int(rng.integers(len(colours)))],
        grey=float(np.clip((age - 0.5) * 2.2 + rng.normal(0, 0.25), 0, 1)) if age > 0.5 else 0.0,
        eye_colour=EYES[int(rng.integers(2 if dark else len(EYES)))],
        hair=styles[(half + number // 16) % len(styles)],
        beard="none" if feminine else BEARDS[half % len(BEARDS)],
        brow_strength=float(rng.uniform(0.55, 1.0)) * (0.85 if feminine else 1.0),
        freckles=float(rng.uniform(0.3, 1)) if not dark and rng.random() < 0.3 else 0.0,
        makeup=float(rng.uniform(0.2, 0.9)) if feminine and rng.random() < 0.6 else 0.0,
        glasses=((0.06, 0.06, 0.07), (0.35, 0.2, 0.1), (0.55, 0.5, 0.4))[number % 3] if number % 4 == 3 else None,
        round_glasses=bool(rng.random() < 0.4),
        voice=draw_voice(rng, feminine, half),
        manner=Manner(float(rng.uniform(0.8, 1.15)), float(rng.uniform(0.8, 1.15)), float(rng.uniform(0.045, 0.065))),
        language=languages[number % len(languages)],
    )


def _vary(colour: Colour, rng: np.random.Generator) -> Colour:
    red, green, blue = (float(v) for v in np.clip(np.array(colour) + rng.normal(0, 0.012, 3), 0, 1))
    return red, green, blue


def _shape(rng: np.random.Generator, feminine: bool) -> Shape:
    draw = {name: float(np.clip(rng.normal(0, 0.5), -1, 1)) for name in Shape.__dataclass_fields__}
    lean = -0.35 if feminine else 0.35
    for name in ("jaw", "chin", "brow", "nose_width", "neck"):
        draw[name] += lean
    draw["lip_upper"] -= lean
    draw["lip_lower"] -= lean
    draw["eye_size"] -= 0.6 * lean
    return Shape(**draw)


def draw_voice(rng: np.random.Generator, feminine: bool, half: int) -> Voice:
    """A voice of either sex; its variant is dealt by `half`, the rest is drawn."""
    variant = f"f{1 + half % 4}" if feminine else f"m{(1, 2, 3, 4, 6, 7)[half % 6]}"
    pitch = int(rng.integers(45, 70) if feminine else rng.integers(25, 52))
    return Voice(variant, pitch, int(rng.integers(35, 70)), int(rng.integers(138, 178)))
