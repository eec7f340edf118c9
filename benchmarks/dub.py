"""What a dub costs: seconds per stage, frames per second, peak memory by length, and Wav2Lip's generator beside it.

`python -m benchmarks.dub --clip CLIP --model MODEL`: a 720p video of the clip's face; without a model, one of random
weights of the shape in params.yaml (cost does not depend on weights). Writes benchmarks/dub.json and the table in
docs/results.md.
"""

import argparse
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.base import errors, files, params, runtime
from components.core.media import FPS, MEL_BINS, MEL_PER_FRAME, RATE_HZ, audio, video
from scripts import results

if TYPE_CHECKING:
    from components.core.models.synthesis import Editor as TorchEditor

WIDTH, HEIGHT = 1280, 720
MOST_FRAMES = 100
"""Of the clip; they are played forwards and backwards."""
BATCH = 8
PASSES, WARM_UPS = 20, 2
"""Of what is timed alone."""


def random_model(path: Path, config: Path = Path("params.yaml")) -> Path:
    """An editor of the shape in the params file, exported with random weights."""
    from components.core.models.synthesis import Sampling
    from components.export.graph import Graph, metadata, write
    from components.export.params import Params

    export, editor = params.load(Params, "export", config), random_editor(config)
    sampling = Sampling(export.steps, export.guidance_reference, export.guidance_audio, 0)
    write(Graph(editor), path, metadata(editor, sampling, "random weights", "nothing"), export.opset)
    return path


def random_editor(config: Path) -> "TorchEditor":
    """An untrained editor of the shape in the params file, with its experts."""
    import torch

    from components.core.media.geometry import Window
    from components.core.models.dubber import Dubber, DubberConfig
    from components.core.models.frontend import FrontEnd
    from components.core.models.lora import add_expert
    from components.core.models.synthesis import Editor
    from components.crop.params import Params as Crop
    from components.editor.params import Common, Lip, Texture
    from components.experts.params import ExpertsParams

    torch.manual_seed(0)
    common, size_px = params.load(Common, "editor.common", config), params.load(Crop, "crop", config).size_px
    front, window = params.load(ExpertsParams, "experts", config).frontend.model, Window.of(size_px)
    shown = 1 + common.references  # the companion is the first
    shape = DubberConfig("editor", common.architecture, size_px, window.height, window.width, shown, front.width + 6)
    model, bands = Dubber(shape), {}
    for name, phase in (("lip", Lip), ("texture", Texture)):
        values = params.load(phase, f"editor.{name}", config)
        add_expert(model, name, values.rank)
        bands[name] = values.band
    return Editor(model.eval(), FrontEnd(front).eval(), bands)


def clip_720p(clip: Path, path: Path, seconds: float) -> Path:
    """The clip's first pictures as large as a 720p frame holds them, played back and forth for so long."""
    frames = [frame.rgb for frame in islice(video.frames(clip), MOST_FRAMES)]
    height, width = frames[0].shape[:2]
    zoom = min(HEIGHT / height, WIDTH / width)
    size = round(width * zoom), round(height * zoom)
    ramp = np.add.outer(np.arange(HEIGHT) / 6, np.arange(WIDTH) / 9)
    behind = np.stack([60 + ramp * share for share in (0.5, 0.4, 0.3)], -1).astype(np.uint8)
    top, left = (HEIGHT - size[1]) // 2, (WIDTH - size[0]) // 2

    def picture(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        whole = behind.copy()
        whole[top : top + size[1], left : left + size[0]] = cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC)
        return whole

    wanted = round(seconds * FPS)
    with tempfile.TemporaryDirectory() as folder:
        once = Path(folder) / "once.mp4"
        count = video.write(once, map(picture, islice(chain(frames, frames[-2:0:-1]), wanted)), FPS, crf=20)
        repeat(once, path, count, wanted)
    return path


def repeat(source: Path, path: Path, count: int, frames: int) -> None:
    """The video of `count` frames again and again, its packets as they are, until there are at least `frames`."""
    with av.open(str(path), "w") as target:
        stream, written = None, 0
        while written < frames:
            with av.open(str(source)) as container:
                theirs = container.streams.video[0]
                stream = stream or target.add_stream_from_template(theirs)
                shift = round(written / FPS / theirs.time_base)
                for packet in container.demux(theirs):
                    if packet.size:
                        packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                        target.mux(packet)
            written += count


def speech(path: Path, seconds: float) -> Path:
    """Noise that comes and goes like syllables."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(0).normal(0, 0.1, len(time_s)) * np.sin(2 * np.pi * 2 * time_s) ** 2
    audio.write_wav(path, noise.astype(np.float32))
    return path


def child(arguments: list[str]) -> None:
    """One dub in this process; prints its report, peak memory and CPU time."""
    from components.dub import DubOptions, dub

    source, sound, out, model = map(Path, arguments[:4])
    steps = int(arguments[4]) or None
    report = dub(source, sound, out, DubOptions(model=model, steps=steps, consent=True)).to_json()
    used = resource.getrusage(resource.RUSAGE_SELF)
    # Not ru_maxrss, which counts what the parent held when it started this process.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert peak
    cpu_s = used.ru_utime + used.ru_stime
    sys.stdout.write(json.dumps({**report, "peak_bytes": int(peak[1]) * 1024, "cpu_s": cpu_s}))


def measured(source: Path, sound: Path, model: Path, steps: int | None) -> dict[str, Any]:
    """The report of a dub in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.dub", "--child", source, sound, Path(folder) / "out.mp4", model]
        command.append(steps or 0)
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True)
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def side_by_side(model: Path, steps: int | None) -> tuple[float, float]:
    """Milliseconds per frame of the edit and of Wav2Lip's generator, each alone, on as many threads as a dub edits."""
    import torch

    from benchmarks.wav2lip import Wav2Lip
    from components.dub.model import Editor, Sampling, Shown, threads

    editor = Editor(model)
    card, rng = editor.card, np.random.default_rng(0)
    size = (card.window.height, card.window.width, 3)
    videos = rng.integers(0, 256, (1 + card.references, card.chunk_frames, *size), np.uint8)
    heard = rng.uniform(-1, 1, (MEL_PER_FRAME * card.chunk_frames + 2 * card.mel_context, MEL_BINS)).astype(np.float32)
    sampling = Sampling(steps or card.steps, card.guidance)
    torch.set_num_threads(threads())
    other, faces, mel = Wav2Lip().eval(), torch.rand(BATCH, 6, 96, 96), torch.rand(BATCH, 1, 80, 16)

    def edit() -> None:
        editor.edit(Shown(videos[0], videos[1:]), heard, videos[0, : card.motion_frames], sampling)

    def wav2lip() -> None:
        with torch.inference_mode():
            other(faces, mel)

    edit_s, other_s = taken(edit, wav2lip)
    return 1000 * edit_s / (card.chunk_frames - card.motion_frames), 1000 * other_s / BATCH


def taken(*works: Callable[[], None]) -> list[float]:
    """Median seconds of each, taken in turns, so that what else the machine does meets them alike."""
    found = []
    for turn in range(WARM_UPS + PASSES):
        row = []
        for work in works:
            start = time.perf_counter()
            work()
            row.append(time.perf_counter() - start)
        found += [row] if turn >= WARM_UPS else []
    return [float(value) for value in np.median(found, axis=0)]


def table(found: dict[str, Any]) -> str:
    """Markdown of the stages, of lengths, and of the editor beside Wav2Lip."""
    first = found["runs"][0]
    frames, total_s = first["frames"], sum(first["seconds"].values())
    rows = [
        [name, f"{value:.2f}", f"{1000 * value / frames:.1f}", f"{100 * value / total_s:.0f} %"]
        for name, value in first["seconds"].items()
    ]
    rows.append(["**end to end**", f"**{first['wall_s']:.2f}**", f"**{1000 * first['wall_s'] / frames:.1f}**", ""])
    lengths = [
        [
            f"{run['video_s'] / 60:.2g} min",
            f"{run['frames'] / run['wall_s']:.1f}",
            f"{1000 * run['cpu_s'] / run['frames']:.0f}",
            f"{run['peak_bytes'] / 2**20:.0f}",
        ]
        for run in found["runs"]
    ]
    return "\n\n".join(
        [
            f"{found['cores']} cores ({found['machine']}), load {found['load']:.1f} at the start, editor on "
            f"{first['provider']}, {first['steps']} steps, model `{first['card_id']}`, 720p at {FPS} fps, "
            f"{first['video_s']:.0f} s. Stages overlap in threads, so they add up to more than the end-to-end time; "
            "share is that of their sum, of which no stage but the edit should take more than a third.",
            results.table(["stage", "seconds", "ms a frame", "share of the sum"], rows),
            results.table(["length", "frames per second", "CPU ms a frame", "peak memory, MiB"], lengths),
            f"Alone, on {found['threads']} thread(s), in turns: the edit takes {found['edit_ms']:.1f} ms a frame; "
            "Wav2Lip's generator (its published architecture at 96 px, random weights: cost does not depend on them) "
            f"{found['wav2lip_ms']:.1f} ms, {found['wav2lip_ms'] / found['edit_ms']:.1f} times as long.",
        ]
    )


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Everything that the benchmark measures."""
    from components.dub.model import threads

    found: dict[str, Any] = {"cores": runtime.cores(), "machine": machine(), "threads": threads(), "runs": []}
    found["load"] = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = given.model or random_model(folder / "random.onnx")
        for minutes in given.minutes:
            source = clip_720p(given.clip, folder / "source.mp4", 60 * minutes)
            sound = speech(folder / "speech.wav", 60 * minutes)
            found["runs"].append(measured(source, sound, model, given.steps))
        found["edit_ms"], found["wav2lip_ms"] = side_by_side(model, given.steps)
    return found


def machine() -> str:
    """The processor's name."""
    named = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return named[1] if named else platform.machine()


@errors.shell
def main() -> None:
    """Reads the arguments, measures, writes."""
    runtime.start()
    if sys.argv[1:2] == ["--child"]:
        return child(sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, required=True, help="a clip with a face in it")
    parser.add_argument("--model", type=Path, help="the ONNX editor (default: random weights of params.yaml's shape)")
    parser.add_argument("--minutes", type=float, nargs="+", default=[0.5, 1, 5, 20], help="lengths")
    parser.add_argument("--steps", type=int, help="denoising steps (default: the model's own)")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/dub.json"))
    parser.add_argument("--results", type=Path, default=Path("docs/results.md"))
    given = parser.parse_args()
    found = measure(given)
    files.write_json(given.out, found)
    results.insert(given.results, table(found), "speed")


if __name__ == "__main__":
    main()
