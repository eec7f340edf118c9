"""How visible the borders between chunks are: the edit's change from frame to frame there, over the change elsewhere.

`python -m benchmarks.seam --clip CLIP ... --speech SPEECH --model MODEL`: 1 is no seam; beside it the same of the
source, which has no chunks. Writes benchmarks/seam.json and the table in docs/results.md.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.base import errors, files, runtime
from components.core.media import geometry, video
from components.core.media.face import FaceMesh
from components.dub import likeness
from components.dub.edit import Dubber, Model
from components.dub.faces import Choice
from components.dub.follow import Follower, Seen, Tracker, track
from components.dub.journal import Records
from components.dub.likeness import Likeness
from components.dub.look import Look
from components.dub.model import Editor, Sampling, Shown, find
from components.dub.report import Clock
from components.dub.speech import Speech
from components.dub.timeline import timeline
from scripts import results

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Change:
    """From one frame of a run to the next, in mean grey levels over the mask.

    Attributes:
        border: whether a chunk begins with the later one.
        edit, source: of the edit and of the source.
    """

    border: bool
    edit: float
    source: float


class Counted:
    """An editor that says how many chunks it has made."""

    def __init__(self, editor: Editor) -> None:
        self._editor, self.card = editor, editor.card
        self.chunks = 0

    def edit(self, shown: Shown, mel: NDArray[np.float32], motion: Image, sampling: Sampling) -> Image:
        """As the editor's."""
        self.chunks += 1
        return self._editor.edit(shown, mel, motion, sampling)


def changes(editor: Editor, own: Likeness, speech: Speech, sampling: Sampling, seen: Iterable[Seen]) -> list[Change]:
    """Every change within a run of edited frames."""
    counted, mask, begun = Counted(editor), geometry.soft_mask(editor.card.size_px)[..., None], set[float]()
    model = Model(counted, own)  # type: ignore[arg-type]
    dubber = Dubber(model, speech, sampling, Clock(), Records(None, (1,), np.uint8))
    found, last, chunks = list[Change](), None, 0
    for one in dubber.edit(_noted(seen, begun)):
        border, chunks = counted.chunks != chunks, counted.chunks
        if last is not None and one.window is not None and one.picture.time_s not in begun:
            edit, source = (_change(a, b, mask) for a, b in ((last.window, one.window), (last.source, one.source)))
            found.append(Change(border, edit, source))
        last = one if one.window is not None else None
    return found


def _noted(seen: Iterable[Seen], begun: set[float]) -> Iterator[Seen]:
    """What is seen; when a run begins is written down."""
    for one in seen:
        if one.begins:
            begun.add(one.picture.time_s)
        yield one


def _change(before: Any, after: Any, mask: NDArray[np.float32]) -> float:
    moved = np.abs(after.astype(np.float32) - before)
    return float((mask * moved).sum() / (3 * mask.sum()))


def ratio(border: list[float], elsewhere: list[float]) -> float:
    """Of the means."""
    return float(np.mean(border) / np.mean(elsewhere))


def summary(found: list[Change]) -> dict[str, Any]:
    """How often, and the ratios of edit and source."""
    values: dict[str, Any] = {"changes": len(found), "borders": sum(change.border for change in found)}
    for name in ("edit", "source"):
        sides = [[getattr(change, name) for change in found if change.border == side] for side in (True, False)]
        values[name] = ratio(*sides)
    return values


def of_clip(clip: Path, voice: Path, model: Path, steps: int | None) -> list[Change]:
    """The changes of a clip that is dubbed."""
    editor, info = Editor(model), video.probe(clip)
    card, look = editor.card, Look.of(clip, info)
    choice, nothing = Choice(None, 1, "the only one"), Records(None, Tracker.SHAPE, np.float64)
    with FaceMesh() as mesh:
        bank = likeness.collect(clip, choice, mesh, card.size_px, look.pixel_width)
        own = Likeness(bank, likeness.hear(voice, editor), card.references)
        speech, sampling = Speech.load(voice), Sampling(steps or card.steps, card.guidance)
        mesh.reset()
        tracker = Tracker(mesh, Follower(None, alone=True), card.size_px, look.pixel_width, nothing)
        pictures = timeline(video.frames(clip), float(info.fps), speech.duration_s, "shortest", "hold")
        return changes(editor, own, speech, sampling, track(pictures, tracker, Clock()))


def rows(found: dict[str, dict[str, Any]]) -> Iterator[list[str]]:
    """Of the table."""
    for name, values in found.items():
        yield [name, str(values["borders"]), f"{values['edit']:.2f}", f"{values['source']:.2f}"]


@errors.shell
def main() -> None:
    """Dubs the clips and writes the table."""
    runtime.start()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, nargs="+", required=True, help="clips with one face in each")
    parser.add_argument("--speech", type=Path, required=True, help="what they are to say")
    parser.add_argument("--model", type=Path, help="the ONNX editor (default: the exported one)")
    parser.add_argument("--steps", type=int, help="denoising steps (default: the model's own)")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/seam.json"))
    parser.add_argument("--results", type=Path, default=Path("docs/results.md"))
    given = parser.parse_args()
    model = find(given.model)
    every = {clip.stem: of_clip(clip, given.speech, model, given.steps) for clip in given.clip}
    found = {name: summary(values) for name, values in every.items()}
    found["all"] = summary([change for values in every.values() for change in values])
    files.write_json(given.out, found)
    results.insert(given.results, results.table(["clip", "borders", "edit", "source"], list(rows(found))), "seam")


if __name__ == "__main__":
    main()
