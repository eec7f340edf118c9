"""How ONNX Runtime runs the editor best: levels of graph optimisation, threads, order, binding, and chunks at once.

`python -m benchmarks.session [--model MODEL]`: one prediction of a chunk each way, in turns; without a model, one of
random weights of the shape in params.yaml. Prints a table.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.dub import random_model, taken
from components.core.base import errors, runtime
from components.core.media import MEL_BINS, MEL_PER_FRAME
from components.dub.model import Card, Editor
from scripts import results


@dataclass(frozen=True)
class Way:
    """How a prediction is made.

    Attributes:
        level: of graph optimisation, by its name in ONNX Runtime.
        threads: of one operator.
        parallel: whether operators that don't need each other run at once.
        fixed: whether the number of frames is known when the session opens.
        bound: whether inputs and output lie in memory that is bound once.
        chunks: made at once.
    """

    level: str = "ENABLE_ALL"
    threads: int = 1
    parallel: bool = False
    fixed: bool = False
    bound: bool = False
    chunks: int = 1


WAYS = {
    "one thread, every optimisation": Way(),
    "no optimisation": Way(level="DISABLE_ALL"),
    "basic": Way(level="ENABLE_BASIC"),
    "extended": Way(level="ENABLE_EXTENDED"),
    "frames fixed": Way(fixed=True),
    "bound": Way(bound=True),
    "two chunks at once": Way(chunks=2),
    "two threads": Way(threads=2),
    "two threads, parallel": Way(threads=2, parallel=True),
    "two threads, two chunks at once": Way(threads=2, chunks=2),
}


def session(model: Path, way: Way, frames: int) -> Any:
    """The model, opened that way."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, f"ORT_{way.level}")
    options.intra_op_num_threads = options.inter_op_num_threads = way.threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if way.parallel:
        options.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
    if way.fixed:
        options.add_free_dimension_override_by_name("frames", frames)
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def example(card: Card, chunks: int) -> dict[str, np.ndarray]:
    """Random inputs."""
    rng, frames = np.random.default_rng(0), card.chunk_frames
    window = (3, card.window.height, card.window.width)
    shapes: dict[str, tuple[int, ...]] = {
        "noisy": (frames, *window),
        "companion": (frames, *window),
        "references": (card.references, frames, *window),
        "mel": (MEL_PER_FRAME * frames + 2 * card.mel_context, MEL_BINS),
        "timestep": (frames,),
        "keep_companion": (),
        "keep_audio": (),
    }
    return {name: rng.uniform(0, 1, (chunks, *shape)).astype(np.float32) for name, shape in shapes.items()}


def prediction(model: Path, card: Card, way: Way) -> Callable[[], None]:
    """Makes one."""
    opened, feed = session(model, way, card.chunk_frames), example(card, way.chunks)
    if not way.bound:
        return lambda: opened.run(None, feed) and None
    binding, made = opened.io_binding(), np.empty_like(feed["noisy"])

    def run() -> None:
        for name, value in feed.items():
            binding.bind_cpu_input(name, value)
        binding.bind_output("clean", "cpu", 0, np.float32, made.shape, made.ctypes.data)
        opened.run_with_iobinding(binding)

    return run


def measure(model: Path) -> list[list[str]]:
    """Rows of the table: milliseconds a frame, and times as fast as the first way."""
    card = Editor(model).card
    times_s = taken(*(prediction(model, card, way) for way in WAYS.values()))
    ms = [1000 * time_s / way.chunks / card.chunk_frames for time_s, way in zip(times_s, WAYS.values(), strict=True)]
    return [[name, f"{value:.2f}", f"{ms[0] / value:.2f}"] for name, value in zip(WAYS, ms, strict=True)]


@errors.shell
def main() -> None:
    """Measures and prints."""
    runtime.start()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="the ONNX editor (default: random weights of params.yaml's shape)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(given.model or random_model(Path(folder) / "random.onnx"))
    sys.stdout.write(results.table(["one prediction", "ms a frame", "times as fast"], rows) + "\n")


if __name__ == "__main__":
    main()
