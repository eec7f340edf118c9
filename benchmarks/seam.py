"""How visible the borders between chunks are: the edit's change from frame to frame there, over that of the same frames
where no border is.

`python -m benchmarks.seam --clip CLIP ... --speech SPEECH --model MODEL` dubs every clip several times, from another
frame on each time, so that the borders lie elsewhere; 1 is no seam. Writes benchmarks/seam.json and the table in
docs/results.md.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.base import errors, files, runtime
from components.core.media import geometry, video
from components.core.media.face import FaceMesh
from components.core.statistics.interval import Resampling, interval
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

EVERY = 2
"""A clip is dubbed from every so manieth frame of its first chunk's on."""


@dataclass(frozen=True)
class Change:
    """From one frame of a run to the next.

    Attributes:
        clip, time_s: where and when the later one is shown.
        border: whether two chunks made one of them (the mean of both is shown) or each another.
        grey: in mean grey levels over the mask.
    """

    clip: str
    time_s: float
    border: bool
    grey: float


class Counted:
    """An editor that says how many chunks it has made."""

    def __init__(self, editor: Editor) -> None:
        self._editor, self.card = editor, editor.card
        self.chunks = 0

    def edit(self, shown: Shown, mel: NDArray[np.float32], motion: Image, sampling: Sampling) -> Image:
        """As the editor's."""
        self.chunks += 1
        return self._editor.edit(shown, mel, motion, sampling)


def changes(
    clip: str, editor: Editor, own: Likeness, speech: Speech, sampling: Sampling, seen: Iterable[Seen]
) -> list[Change]:
    """Every change within a run of edited frames."""
    counted, mask, begun = Counted(editor), geometry.soft_mask(editor.card.size_px)[..., None], set[float]()
    model = Model(counted, own)  # type: ignore[arg-type]
    dubber = Dubber(model, speech, sampling, Clock(), Records(None, (1,), np.uint8))
    found, last, chunks, shared = list[Change](), None, 0, False
    for one in dubber.edit(_noted(seen, begun)):
        # The first that comes after a later chunk is made is the one that both made, or else the last of the earlier.
        again, chunks = last is not None and counted.chunks != chunks, counted.chunks
        border, shared = shared or (again and editor.card.motion_frames > 0), again
        time_s = one.picture.time_s
        if last is not None and one.window is not None and time_s not in begun:
            found.append(Change(clip, time_s, border, _change(last.window, one.window, mask)))
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


def summary(found: Iterable[Change]) -> dict[str, Any]:
    """How many frames were seen both at a border and elsewhere, their mean changes, by how much these differ (with a
    95 % interval over the frames), and their ratio."""
    seen: dict[tuple[str, float], tuple[list[float], list[float]]] = {}
    for change in found:
        seen.setdefault((change.clip, change.time_s), ([], []))[change.border].append(change.grey)
    both = [sides for sides in seen.values() if all(sides)]
    means = np.array([[np.mean(side) for side in sides] for sides in both])
    elsewhere, border = map(float, means.mean(0))
    more = interval(means[:, 1] - means[:, 0], Resampling(2000, 0))
    assert more is not None
    return {
        "frames": len(both), "elsewhere": elsewhere, "border": border, "more": vars(more), "ratio": border / elsewhere
    }  # fmt: skip


def of_clip(clip: Path, voice: Path, model: Path, steps: int | None) -> list[Change]:
    """The changes of a clip that is dubbed from different frames on."""
    editor, info = Editor(model), video.probe(clip)
    card, look = editor.card, Look.of(clip, info)
    choice, found = Choice(None, 1, "the only one"), list[Change]()
    with FaceMesh() as mesh:
        bank = likeness.collect(clip, choice, mesh, card.size_px, look.pixel_width)
        own = Likeness(bank, likeness.hear(voice, editor), card.references)
        sampling = Sampling(steps or card.steps, card.guidance)
        for skipped in range(0, card.chunk_frames - card.motion_frames, EVERY):
            mesh.reset()
            speech = Speech.load(voice)
            nothing = Records(None, Tracker.SHAPE, np.float64)
            tracker = Tracker(mesh, Follower(None, alone=True), card.size_px, look.pixel_width, nothing)
            pictures = timeline(video.frames(clip), float(info.fps), speech.duration_s, "shortest", "hold")
            seen = track(islice(pictures, skipped, None), tracker, Clock())
            found += changes(str(clip), editor, own, speech, sampling, seen)
    return found


def rows(found: dict[str, dict[str, Any]]) -> Iterator[list[str]]:
    """Of the table."""
    for name, values in found.items():
        means = [f"{values[key]:.2f}" for key in ("elsewhere", "border")]
        more = "{mean:.2f} ({lo:.2f} .. {hi:.2f})".format(**values["more"])
        yield [name, str(values["frames"]), *means, more, f"{values['ratio']:.2f}"]


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
    every = {f"{clip.parent.name}/{clip.stem}": of_clip(clip, given.speech, model, given.steps) for clip in given.clip}
    found = {name: summary(values) for name, values in every.items()}
    found["all"] = summary([change for values in every.values() for change in values])
    files.write_json(given.out, found)
    head = ["clip", "frames", "grey levels elsewhere", "at a border", "more", "ratio"]
    results.insert(given.results, results.table(head, list(rows(found))), "seam")


if __name__ == "__main__":
    main()
