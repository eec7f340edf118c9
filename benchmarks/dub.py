"""What a dub costs: seconds per stage, frames per second, peak memory by length, and Wav2Lip's generator beside it.

`python -m benchmarks.dub --clip CLIP` at the default scale: a 720p video made of the clip's face, the exported model
or one of random weights (cost does not depend on weights). Writes benchmarks/dub.json and the table in docs/results.md.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.base import errors, files, params, runtime
from components.core.media import RATE_HZ, audio, video
from scripts import results

WIDTH, HEIGHT, FACE_PX = 1280, 720, 480
STAGES = ("decode", "track", "crop", "audio", "edit", "paste", "encode", "sign")
PASSES = 20


def random_model(path: Path) -> Path:
    """An editor of the shape in params.yaml, exported with random weights."""
    import torch

    from components.core.media.geometry import Window
    from components.core.models.dubber import Dubber, DubberConfig
    from components.core.models.frontend import FrontEnd
    from components.core.models.lora import add_expert
    from components.core.models.synthesis import Editor, Sampling
    from components.editor.params import Common, Lip, Texture
    from components.experts.params import ExpertsParams
    from components.export.graph import Graph, metadata, write
    from components.export.params import Params

    torch.manual_seed(0)
    shape, size_px = (
        params.load(Common, "editor.common").architecture,
        params.read(Path("params.yaml"))["crop"]["size_px"],
    )
    front, export = params.load(ExpertsParams, "experts").frontend.model, params.load(Params, "export")
    phases = {"lip": params.load(Lip, "editor.lip"), "texture": params.load(Texture, "editor.texture")}
    window = Window.of(size_px)
    config = DubberConfig("editor", shape, size_px, window.height, window.width, 1, front.width + 6)
    model = Dubber(config)
    for name, phase in phases.items():
        add_expert(model, name, phase.rank)
    editor = Editor(model.eval(), FrontEnd(front).eval(), {name: phase.band for name, phase in phases.items()})
    sampling = Sampling(export.steps, export.guidance_reference, export.guidance_audio, 0)
    write(Graph(editor), path, metadata(editor, sampling, "random weights", "nothing"), export.opset)
    return path


def clip_720p(clip: Path, path: Path, seconds: float) -> Path:
    """The clip's picture, FACE_PX high, in the middle of a 720p frame, played back and forth."""
    faces = [cv2.resize(frame.rgb, (FACE_PX, FACE_PX), interpolation=cv2.INTER_CUBIC) for frame in video.frames(clip)]
    ramp = np.add.outer(np.arange(HEIGHT) / 6, np.arange(WIDTH) / 9)
    behind = np.stack([60 + ramp * share for share in (0.5, 0.4, 0.3)], -1).astype(np.uint8)
    top, left = (HEIGHT - FACE_PX) // 2, (WIDTH - FACE_PX) // 2

    def picture(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
        whole = behind.copy()
        whole[top : top + FACE_PX, left : left + FACE_PX] = face
        return whole

    order = cycle(chain(faces, faces[-2:0:-1]))
    video.write(path, map(picture, islice(order, round(seconds * 25))), 25, crf=20)
    return path


def speech(path: Path, seconds: float) -> Path:
    """Noise that comes and goes like syllables."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(0).normal(0, 0.1, len(time_s)) * np.sin(2 * np.pi * 2 * time_s) ** 2
    audio.write_wav(path, noise.astype(np.float32))
    return path


def child(arguments: list[str]) -> None:
    """One dub in this process; prints its report and peak memory."""
    from components.dub import DubOptions, dub

    source, sound, out, model = map(Path, arguments)
    report = dub(source, sound, out, DubOptions(model=model, consent=True, overwrite=True)).to_json()
    used = resource.getrusage(resource.RUSAGE_SELF)
    sys.stdout.write(
        json.dumps({**report, "peak_bytes": used.ru_maxrss * 1024, "cpu_s": used.ru_utime + used.ru_stime})
    )


def measured(source: Path, sound: Path, model: Path) -> dict[str, Any]:
    """The report of a dub in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.dub", "--child", source, sound, Path(folder) / "out.mp4", model]
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True)
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def wav2lip_ms() -> float:
    """Milliseconds of Wav2Lip's generator per frame, batches of 8, on all cores."""
    import torch

    from benchmarks.wav2lip import Wav2Lip

    torch.set_num_threads(runtime.cores())
    model, faces, mel = Wav2Lip().eval(), torch.rand(8, 6, 96, 96), torch.rand(8, 1, 80, 16)
    with torch.inference_mode():
        model(faces, mel)
        start = time.perf_counter()
        for _ in range(PASSES):
            model(faces, mel)
    return 1000 * (time.perf_counter() - start) / PASSES / len(faces)


def table(found: dict[str, Any]) -> str:
    """Markdown of the stages and of memory by length."""
    first = found["runs"][0]
    frames = first["frames"]
    rows = [[name, f"{first['seconds'][name]:.2f}", f"{1000 * first['seconds'][name] / frames:.1f}"] for name in STAGES]
    rows.append(["**end to end**", f"**{first['wall_s']:.2f}**", f"**{1000 * first['wall_s'] / frames:.1f}**"])
    memory = [
        [
            f"{run['video_s'] / 60:.2g} min",
            f"{run['frames'] / run['wall_s']:.1f}",
            f"{1000 * run['cpu_s'] / run['frames']:.0f}",
            f"{run['peak_bytes'] / 2**20:.0f}",
        ]
        for run in found["runs"]
    ]
    edit_ms = 1000 * first["seconds"]["edit"] / frames
    return "\n\n".join(
        [
            f"{found['cores']} cores ({found['machine']}), load {found['load']:.1f} at the start, editor on "
            f"{first['provider']}, {first['steps']} steps, model `{first['card_id']}`, 720p at 25 fps. Stages overlap "
            "in threads, so they add up to more than the end-to-end time.",
            results.table(["stage", "seconds", "ms a frame"], rows),
            results.table(["length", "frames per second", "CPU ms a frame", "peak memory, MiB"], memory),
            "Beside it, on the same cores: Wav2Lip's generator (its published architecture at 96 px, random weights) "
            f"takes {found['wav2lip_ms']:.1f} ms a frame; the edit here {edit_ms:.1f} ms.",
        ]
    )


@errors.shell
def main() -> None:
    """Makes the inputs, measures, writes."""
    runtime.start()
    if sys.argv[1:2] == ["--child"]:
        return child(sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, required=True, help="a square clip with a face in it")
    parser.add_argument("--model", type=Path, help="the ONNX editor (default: random weights)")
    parser.add_argument("--minutes", type=float, nargs="+", default=[0.5, 1, 5, 20], help="lengths")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/dub.json"))
    parser.add_argument("--results", type=Path, default=Path("docs/results.md"))
    given = parser.parse_args()
    found: dict[str, Any] = {"cores": runtime.cores(), "machine": platform.processor() or platform.machine()}
    found["load"] = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = given.model or random_model(folder / "random.onnx")
        found["runs"] = []
        for minutes in given.minutes:
            source = clip_720p(given.clip, folder / "source.mp4", 60 * minutes)
            found["runs"].append(measured(source, speech(folder / "speech.wav", 60 * minutes), model))
    found["wav2lip_ms"] = wav2lip_ms()
    files.write_json(given.out, found)
    results.insert(given.results, table(found), "speed")


if __name__ == "__main__":
    main()
