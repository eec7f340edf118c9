"""Measures whether `dubstrap dub` finds the one of two faces that talks: as it does, and by either of its judges alone.

Two clips of different people are put side by side with the sound of one of them. `python -m scripts.who_talks --model
artifacts/export/dubstrap.onnx --set studio CLIP ... --set real CLIP ...` writes the figures into docs/results.md.
"""

import argparse
import logging
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from components.core.base import errors, runtime
from components.core.media import FPS, audio, video
from components.dub import faces, talk
from components.dub.sync import SyncExpert
from scripts import results

log = logging.getLogger(__name__)
HEIGHT_PX = 480
"""Of the pictures side by side."""
VERDICTS = ("right", "wrong", "asked")
BOTH = "as dubbed"


@dataclass(frozen=True)
class Found:
    """What was found on a pair of which `heard` (0 or 1) is the one that talks, by one judge."""

    judge: str
    heard: int
    scores: tuple[dict[str, float], ...]
    index: int | None

    @property
    def verdict(self) -> str:
        """Whether it is right, wrong, or the user is asked."""
        return "asked" if self.index is None else "right" if self.index == self.heard else "wrong"


def pairs(clips: Sequence[Path], many: int) -> list[tuple[Path, Path]]:
    """So many pairs of clips of different people: those of different folders, or, where there is one, all."""
    alone = len({clip.parent for clip in clips}) == 1
    apart = range(1, len(clips))
    found = [(one, other) for step in apart for one, other in zip(clips, clips[step:], strict=False)]
    return [pair for pair in found if alone or pair[0].parent != pair[1].parent][:many]


def beside(path: Path, pair: tuple[Path, Path], heard: int) -> Path:
    """Writes both clips side by side, for as long as both last, with the sound of one."""
    pictures = zip(*(_pictures(clip) for clip in pair), strict=False)
    joined = (np.hstack(two) for two in islice(pictures, round(talk.TALK_S * FPS)))
    video.write(path, joined, FPS, crf=10, audio=audio.load(pair[heard])[: round(talk.TALK_S * 16_000)])
    return path


def _pictures(clip: Path) -> Iterator[np.ndarray]:
    duration_s = video.probe(clip).duration_s
    for rgb in video.resample(video.frames(clip), FPS, 0.0, duration_s):
        width = round(HEIGHT_PX * rgb.shape[1] / rgb.shape[0] / 2) * 2
        yield cv2.resize(rgb, (width, HEIGHT_PX), interpolation=cv2.INTER_AREA)


def judge(path: Path, heard: int, expert: SyncExpert) -> list[Found]:
    """What each judge finds; nothing where the survey does not see exactly two faces."""
    seen = faces.survey(path)
    if len(seen) != 2:
        return []
    watched = faces.watch(path, seen, 1.0, expert)
    scores = tuple({**one.scores, "motion": one.motion} for one in watched)
    chosen = {by: talk.clear(watched, by) for by in talk.BARS}
    chosen[BOTH] = (talk.talker(watched) or (None,))[0]
    return [Found(by, heard, scores, index) for by, index in chosen.items()]


def measure(clips: Sequence[Path], many: int, expert: SyncExpert) -> list[Found]:
    """What both judges find on the pairs, each heard once as it is and once as the other."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for pair in pairs(clips, many):
            for heard in (0, 1):
                judged = judge(beside(Path(folder) / "pair.mp4", pair, heard), heard, expert)
                told = ", ".join(f"{one.judge} {one.verdict}" for one in judged) or "not two faces"
                names, scores = (clip.name for clip in pair), judged[0].scores if judged else ()
                log.info("%s and %s, number %d heard: %s; %s", *names, heard + 1, told, scores)
                found += judged
    return found


def table(sets: dict[str, list[Found]]) -> str:
    """Markdown: verdicts by set and judge."""
    lines = []
    for name, found in sets.items():
        for by in (BOTH, *talk.BARS):
            counts = Counter(one.verdict for one in found if one.judge == by)
            lines.append([name, by, str(counts.total()), *(str(counts[verdict]) for verdict in VERDICTS)])
    return results.table(["clips", "judge", "pairs", *VERDICTS], lines)


@errors.shell
def main() -> None:
    """Reads the arguments, measures, and writes the part of docs/results.md between its markers."""
    runtime.start()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="an ONNX editor beside which its sync expert is")
    parser.add_argument("--set", nargs="+", action="append", required=True, metavar=("NAME", "CLIP"))
    parser.add_argument("--pairs", type=int, default=20, help="of each set, at most; each is measured twice")
    parser.add_argument("--results", type=Path, default=Path("docs/results.md"))
    given = parser.parse_args()
    expert = SyncExpert.beside(given.model)
    if expert is None:
        raise errors.UserError(f"{given.model} has no sync expert beside it", fix="Run `dvc repro export`.")
    sets = {name: measure([Path(clip) for clip in clips], given.pairs, expert) for name, *clips in given.set}
    results.insert(given.results, table(sets), "talks")


if __name__ == "__main__":
    main()
