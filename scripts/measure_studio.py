"""Measures rendered footage: does MediaPipe find the face, and do its lips follow the true ones?

Run `python scripts/measure_studio.py --data data`; the figures go between the studio markers of docs/results.md.
"""

import argparse
import logging
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.base import errors, files, runtime

log = logging.getLogger(__name__)

BEGIN, END = "<!-- studio:begin -->", "<!-- studio:end -->"
Floats = NDArray[np.floating[Any]]
# MediaPipe's face mesh: inner lips, corners, eye corners (the width of the scale), forehead and nose bridge.
HIDDEN = 0.05
"""Frames in which an occluder hides more of the mouth than this are not correlated."""
INNER, CORNERS, EYES, BROW_TO_NOSE = (13, 14), (78, 308), (33, 263), (10, 4)


@dataclass(frozen=True)
class Measured:
    """One clip: the share of frames with a face, and the correlations of opening and width with the truth."""

    path: str
    frames: int
    found: int
    opening: Floats
    """(seen, 2) measured and true where the mouth is not hidden, around the clip's mean, which no face scale fixes."""
    width: Floats


def measure(item: tuple[Path, str, Floats]) -> Measured:
    """One clip of the data folder against its true lips (f, 4)."""
    from components.core.media import video
    from components.core.media.face import FaceMesh

    data, path, truth = item
    opening, width = [], []
    frames = found = 0
    with FaceMesh() as mesh:
        for index, frame in enumerate(video.frames((data / path).with_suffix(".mp4"))):
            frames += 1
            faces = mesh.detect(frame.rgb)
            found += bool(faces)
            if not faces or truth[index, 3] > HIDDEN:
                continue
            gaps = _gap(faces[0], INNER), _gap(faces[0], CORNERS)
            scale = np.hypot(_gap(faces[0], EYES), _gap(faces[0], BROW_TO_NOSE))
            opening.append((gaps[0] / scale, truth[index, 0]))
            width.append((gaps[1] / scale, truth[index, 1]))
    return Measured(path, frames, found, _centred(opening), _centred(width))


def _gap(face: Floats, points: tuple[int, int]) -> float:
    return float(np.linalg.norm(face[points[0]] - face[points[1]]))


def _centred(pairs: list[tuple[float, float]]) -> Floats:
    values = np.array(pairs, np.float64).reshape(-1, 2)
    return values - values.mean(0) if len(values) else values


def pooled(clips: list[Measured], name: str) -> float:
    """Pearson's r over the frames of all clips, each clip around its own mean."""
    values = np.concatenate([getattr(clip, name) for clip in clips])
    return float((values[:, 0] * values[:, 1]).sum() / np.sqrt((values**2).sum(0).prod()))


def report(clips: list[Measured]) -> str:
    """The section of docs/results.md."""
    speakers: dict[str, list[Measured]] = defaultdict(list)
    for clip in clips:
        speakers[Path(clip.path).parent.name if clip.path.startswith("footage") else clip.path[6:15]].append(clip)
    frames, found = sum(clip.frames for clip in clips), sum(clip.found for clip in clips)
    opening = {name: pooled(of, "opening") for name, of in speakers.items()}
    width = {name: pooled(of, "width") for name, of in speakers.items()}
    worst = min(clip.found / clip.frames for clip in clips)
    lines = [
        "## The studio",
        "",
        f"Measured by `python scripts/measure_studio.py` on {len(clips)} clips of {len(speakers)} speakers,",
        f"{frames} frames; frames in which an occluder hides the mouth are not correlated.",
        "",
        "| | all | worst speaker or clip |",
        "|---|---|---|",
        f"| MediaPipe finds the face, % of frames | {100 * found / frames:.2f} | {100 * worst:.1f} |",
        f"| lip opening (13-14), r with the truth | {pooled(clips, 'opening'):.3f} | {min(opening.values()):.3f} |",
        f"| lip width (78-308), r with the truth | {pooled(clips, 'width'):.3f} | {min(width.values()):.3f} |",
        "",
        'Correlations pool the frames of a speaker\'s clips, each clip around its own mean; "all" pools every frame.',
    ]
    return "\n".join(lines)


def write(section: str, path: Path) -> None:
    """Replaces what stands between the markers, or appends the section."""
    text = path.read_text() if path.exists() else "# Results\n"
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    files.write_text(path, f"{before}{BEGIN}\n{section}\n{END}{rest.partition(END)[2]}")


@errors.shell
def main() -> None:
    """Reads the arguments, measures, writes."""
    runtime.start()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="a rendered folder (default: %(default)s)")
    parser.add_argument("--results", type=Path, default=Path("docs/results.md"), help="(default: %(default)s)")
    parser.add_argument("--workers", type=int, default=runtime.cores(), help="processes (default: %(default)s)")
    args = parser.parse_args()
    lips = args.data / "truth" / "lips.npz"
    if not lips.is_file():
        raise errors.UserError(
            f"{lips} does not exist", fix=f"Render it: python -m components.studio --out {args.data}"
        )
    truth = dict(np.load(lips))
    items = [(args.data, path, truth[path]) for path in sorted(truth)]
    section = report(runtime.map_processes(measure, items, "measuring", args.workers))
    log.info(section)
    write(section, args.results)


if __name__ == "__main__":
    main()
