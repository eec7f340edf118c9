"""Damages files of six container kinds and dubs them: no crash, no hang, no partial output, one line naming the file.

`python -m scripts.fuzz_dub --clip CLIP --model MODEL --files 2000` writes the outcome into docs/results.md; the same
damage is done for the same --seed. Each file is damaged as the video or as the speech of a dub, whose other inputs are
whole. The command itself runs, in a process that is started anew when it dies, so that a crash is seen as one.
"""

import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from components.core.base import errors, files, runtime, seeds
from components.core.media import video
from scripts import results

# Container: its video codec, pixel format, sound codec.
KINDS = {
    "mp4": ("libx264", "yuv420p", "aac"),
    "mov": ("mpeg4", "yuv420p", "pcm_s16le"),
    "mkv": ("libx264", "yuv444p", "flac"),
    "webm": ("libvpx", "yuv420p", "libopus"),
    "avi": ("mpeg4", "yuv420p", "libmp3lame"),
    "ts": ("mpeg2video", "yuv420p", "mp2"),
}
SERVE = "from scripts import fuzz_dub; fuzz_dub.serve()"
EXTREMES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1")
FRAMES = 12
WRITE_EVERY = 100
HANG_S = 60.0
MEMORY_BYTES = 6 << 30
"""A worker may not have more: damaged headers ask for pictures of any size."""


@dataclass(frozen=True)
class Case:
    """One dub of a damaged file, which is its video or its speech."""

    video: str
    speech: str
    out: str
    model: str
    damaged: str


@dataclass(frozen=True)
class Outcome:
    """What became of a case: "refused" and "dubbed" are right, everything else is a fault."""

    kind: str
    verdict: str
    case: Case
    said: str


def whole(folder: Path, pictures: list[NDArray[np.uint8]]) -> dict[str, bytes]:
    """An undamaged file of each kind with these pictures and a voice-like sound."""
    found = {}
    for kind, (codec, pixel_format, sound) in KINDS.items():
        path = folder / f"whole.{kind}"
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=25)
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = pixel_format
            voice = container.add_stream(sound, rate=48_000, layout="mono")
            for index, rgb in enumerate(pictures):
                picture = av.VideoFrame.from_ndarray(rgb, format="rgb24")
                picture.pts, picture.time_base = index, Fraction(1, 25)
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
            for chunk in _voice(len(pictures) / 25):
                container.mux(voice.encode(chunk))
            container.mux(voice.encode())
        found[kind] = path.read_bytes()
    return found


def _voice(seconds: float) -> Iterator[Any]:
    time = np.arange(round(seconds * 48_000)) / 48_000
    samples = (0.3 * np.sin(2 * np.pi * 220 * time) * np.sin(9 * time) ** 2 * 32767).astype(np.int16)
    chunk = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    chunk.sample_rate, chunk.pts, chunk.time_base = 48_000, 0, Fraction(1, 48_000)
    for kind in ("s16", "fltp", "s16p"):
        with contextlib.suppress(ValueError):
            yield from av.AudioResampler(kind, "mono", 48_000).resample(chunk)
            return


def damage(data: bytes, rng: np.random.Generator) -> bytes:
    """The data after one to four kinds of damage, half of it near the start or the end, where headers are."""
    result = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        if len(result) < 16:
            break
        size = int(2 ** rng.uniform(0, np.log2(max(2, len(result) // 4))))
        near = int(rng.choice([rng.integers(len(result)), rng.integers(min(1024, len(result))), -1], p=[0.5, 0.3, 0.2]))
        start = near if near >= 0 else max(0, len(result) - int(rng.integers(1, 2048)))
        _damage(result, int(rng.integers(8)), start, size, rng)
    return bytes(result)


def _damage(data: bytearray, way: int, start: int, size: int, rng: np.random.Generator) -> None:
    end = min(len(data), start + size)
    if way == 0:  # single bits
        for _ in range(min(size, 64)):
            data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    elif way == 1:  # noise
        data[start:end] = rng.bytes(end - start)
    elif way == 2:  # the end is missing
        del data[max(1, start) :]
    elif way == 3:  # a part is missing
        del data[start:end]
    elif way == 4:  # a part is there twice
        data[start:start] = data[start:end]
    elif way == 5:  # zeros
        data[start:end] = bytes(end - start)
    elif way == 6:  # a number is extreme
        data[start : start + 4] = EXTREMES[int(rng.integers(len(EXTREMES)))]
    else:  # two parts change places
        other = int(rng.integers(len(data)))
        data[start:end], data[other : other + size] = data[other : other + size], data[start:end]


class Worker:
    """A process that dubs one case after the other."""

    def __init__(self) -> None:
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen([sys.executable, "-c", SERVE], text=True, **pipes)
        self._answers: Queue[str] = Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")

    def ask(self, case: Case) -> dict[str, Any] | str:
        """What the command did, or "crash" or "hang", after which the worker is dead."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died before: then its answer is its end
            self._process.stdin.write(json.dumps(asdict(case)) + "\n")
            self._process.stdin.flush()
        try:
            answer = self._answers.get(timeout=HANG_S)
        except Empty:
            self.close()
            return "hang"
        values: dict[str, Any] | str = json.loads(answer) if answer else f"crash {self._process.wait()}"
        return values

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()


def serve() -> None:
    """The worker's side: a case a line on stdin, an answer a line on stdout."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    answers, sys.stdout = sys.stdout, sys.stderr
    runtime.start()
    from components.dub import __main__ as command

    for line in sys.stdin:
        case = Case(**json.loads(line))
        sys.argv = ["dub", case.video, case.speech, "-o", case.out, "--model", case.model, "--i-have-consent"]
        said, code = io.StringIO(), 0
        with contextlib.redirect_stderr(said):
            try:
                command.main()
            except SystemExit as end:
                code = int(end.code or 0)
            except Exception as error:  # a traceback is a fault, and the next case must still run
                code, _ = 1, said.write(f"Traceback: {type(error).__name__}: {error}")
        answers.write(json.dumps({"code": code, "said": said.getvalue()}) + "\n")
        answers.flush()


def verdict(answer: dict[str, Any] | str, case: Case) -> tuple[str, str]:
    """The verdict and what was said."""
    if isinstance(answer, str):
        return answer, ""
    out = Path(case.out)
    left = sorted(path.name for path in out.parent.iterdir())
    lines = [line for line in answer["said"].splitlines() if line.startswith("error:")]
    if answer["code"] == 0 and left == [out.name]:
        return ("dubbed" if video.probe(out).frames else "no frames"), ""
    if answer["code"] != 2:
        return f"exit code {answer['code']}", answer["said"]
    if left:
        return "partial output", answer["said"]
    if len(lines) != 1 or Path(case.damaged).name not in lines[0]:
        return "no line that names the file", answer["said"]
    return "refused", lines[0]


def run(pictures: list[NDArray[np.uint8]], model: Path, files: int, seed: int, first: int = 0) -> Iterator[Outcome]:
    """Damages and dubs so many files, those before `first` left out."""
    with tempfile.TemporaryDirectory() as name:
        folder, worker = Path(name), Worker()
        sources = whole(folder, pictures)
        outs = folder / "out"
        outs.mkdir()
        for index in range(first, files):
            kind = list(KINDS)[index % len(KINDS)]
            rng = seeds.rng(seed, "fuzz", index)
            damaged = folder / f"damaged-{index}.{kind}"
            damaged.write_bytes(damage(sources[kind], rng))
            inputs = [damaged, folder / "whole.mp4"]
            if index // len(KINDS) % 4 == 3:  # every fourth round it is the speech
                inputs.reverse()
            case = Case(*map(str, (*inputs, outs / "out.mp4", model, damaged)))
            for _ in range(2):
                found, said = verdict(worker.ask(case), case)
                if not found.startswith(("crash", "hang")):
                    break
                worker.close()
                worker = Worker()
                if found != "hang":  # a busy machine stands still too: a hang is one when it comes again
                    break
            yield Outcome(kind, found, case, said)
            damaged.unlink()
            for path in outs.iterdir():
                path.unlink()
        worker.close()


def table(found: list[Outcome], seed: int) -> str:
    """Markdown: verdicts by kind."""
    verdicts = ["refused", "dubbed", *sorted({one.verdict for one in found} - {"refused", "dubbed"})]
    counts = Counter((one.kind, one.verdict) for one in found)
    rows = [[kind, *(str(counts[kind, name]) for name in verdicts)] for kind in KINDS]
    rows.append(["all", *(str(sum(counts[kind, name] for kind in KINDS)) for name in verdicts)])
    faults = len(found) - sum(one.verdict in ("refused", "dubbed") for one in found)
    return (
        f"{len(found)} damaged files, seed {seed}: {faults} faults (a crash, a hang over {HANG_S:.0f} s, a traceback, "
        "partial output, or an error that does not name the damaged file). *Refused* is exit code 2 with one line; "
        "*dubbed*, that decoding conceals the damage or does not meet it, and what it made of it is dubbed.\n\n"
        + results.table(["container", *verdicts], rows)
    )


def logged(path: Path, about: dict[str, Any]) -> list[Outcome]:
    """The outcomes in the log of an earlier run; a log that is not there begins with what the run is about.

    Raises:
        UserError: it is of another run.
    """
    if not path.exists():
        append(path, about)
    known, *outcomes = map(json.loads, path.read_text().splitlines())
    if known != about:
        raise errors.UserError(f"{path} is of another run", got=str(known), expected=str(about))
    return [Outcome(**{**one, "case": Case(**one["case"])}) for one in outcomes]


def append(path: Path, value: dict[str, Any]) -> None:
    """Adds a line of JSON."""
    with path.open("a") as file:
        file.write(json.dumps(value) + "\n")


@errors.shell
def main() -> None:
    """Reads the arguments, runs, and writes the part of docs/results.md between its markers."""
    runtime.start()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, required=True, help="a clip with a face in it, for the undamaged files")
    parser.add_argument("--model", type=Path, required=True, help="any ONNX editor")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=Path("docs/results.md"))
    parser.add_argument("--log", type=Path, help="write every outcome here, as JSON lines, and go on after those in it")
    given = parser.parse_args()
    pictures = [frame.rgb for frame in islice(video.frames(given.clip), FRAMES)]
    about = {"seed": given.seed, **{name: files.sha256(getattr(given, name)) for name in ("clip", "model")}}
    found = logged(given.log, about) if given.log else []
    with runtime.progress("fuzz", given.files) as advance:
        advance(len(found))
        for one in run(pictures, given.model, given.files, given.seed, len(found)):
            found.append(one)
            if given.log:
                append(given.log, asdict(one))
            advance(1)
            if len(found) % WRITE_EVERY == 0 or len(found) == given.files:
                results.insert(given.results, table(found, given.seed), "fuzz")


if __name__ == "__main__":
    main()
