"""What is to be filmed: who, in which performance, saying what, into which file."""

from dataclasses import dataclass

from components.core.base import seeds
from components.core.media import FPS
from components.studio.identity import Speaker, cast
from components.studio.params import Params
from components.studio.performance import Performance, perform
from components.studio.speech import Line


@dataclass(frozen=True)
class Take:
    """One video file: `path` is relative to the data folder, without suffix."""

    path: str
    speaker: Speaker
    performance: Performance
    line: Line

    @property
    def frames(self) -> int:
        """As long as the line: it may end before the performance does."""
        return round(self.line.duration_s * FPS)


@dataclass(frozen=True)
class Pair:
    """A performance filmed twice: `truth` is the beginning of `source` with the words of another line.

    Those of training speakers can teach an editor, those of the others are the benchmark: `source.line.use`.
    """

    pair_id: str
    source: Take
    truth: Take


@dataclass(frozen=True)
class Plan:
    """Everything to film. `footage` holds the sources of `pairs` as well."""

    speakers: tuple[Speaker, ...]
    footage: tuple[Take, ...]
    pairs: tuple[Pair, ...]

    def takes(self) -> tuple[Take, ...]:
        """All takes in a fixed order."""
        return (*self.footage, *(pair.truth for pair in self.pairs))


def plan(params: Params, seed: int) -> Plan:
    """The whole plan; adding speakers, clips or pairs does not change those that were there."""
    train = [cast(number, seed, params.languages) for number in range(params.speakers)]
    held_out = [cast(params.speakers + n, seed, params.languages) for n in range(params.benchmark_speakers)]
    footage = [
        _take(params, seed, speaker, clip, number * params.clips + clip)
        for number, speaker in enumerate(train)
        for clip in range(params.clips)
    ]
    pairs = [_pair(params, seed, held_out[number % len(held_out)], number) for number in range(params.pairs)]
    again = [
        _again(params, seed, footage[number % params.speakers * params.clips + number // params.speakers])
        for number in range(params.train_pairs)
    ]
    return Plan((*train, *held_out), (*footage, *(pair.source for pair in pairs)), (*pairs, *again))


def _take(params: Params, seed: int, speaker: Speaker, clip: int, number: int) -> Take:
    path = f"footage/{speaker.name}/clip{clip:02d}"
    performance = perform(seed, path, number, round(params.clip_s * FPS), FPS)
    line = Line(path, speaker.language, speaker.voice, "train", params.clip_s, params.room_noise_dbfs)
    return Take(path, speaker, performance, line)


def _pair(params: Params, seed: int, speaker: Speaker, number: int) -> Pair:
    clip = number // params.benchmark_speakers
    path = f"footage/{speaker.name}/clip{clip:02d}"
    performance = perform(seed, path, number + clip, round(params.clip_s * FPS), FPS)
    first = Line(path, speaker.language, speaker.voice, "benchmark", params.clip_s, params.room_noise_dbfs)
    return _again(params, seed, Take(path, speaker, performance, first))


def _again(params: Params, seed: int, source: Take) -> Pair:
    """The take with other words in any of the languages; its name ends in the number of the clip."""
    pair_id = f"{source.speaker.name}-{source.path[-2:]}"
    rng = seeds.rng(seed, "studio", "pair", pair_id)
    language = params.languages[int(rng.integers(len(params.languages)))]
    path, said = f"truth/{pair_id}", source.line
    line = Line(path, language, said.voice, said.use, params.pair_s, said.noise_dbfs)
    return Pair(pair_id, source, Take(path, source.speaker, source.performance, line))
