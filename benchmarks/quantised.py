"""Whether smaller numbers pay: the exported editor with weights in int8 and in float16, its cost, and what it loses.

`python -m benchmarks.quantised` after `make repro`, or with `--artifacts FOLDER`. All variants dub the same benchmark
pairs; a prediction of each is timed in turns. Writes benchmarks/quantised.json and the table in docs/results.md.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.dub import taken
from components.core.base import errors, files, params, runtime
from scripts import results

if TYPE_CHECKING:
    from components.core.models.onnx_editor import OnnxEditor
    from components.core.models.synthesis import Editor, Sampling
    from components.evaluate.benchmark import Pair
    from components.evaluate.metrics import Frames, Region


def int8(source: Path, path: Path, bits: int) -> Path:
    """Weights of every product in int8, channel by channel; what they meet is brought to int8 as it comes."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(source)
    del model.graph.value_info[:]  # shapes that the exporter left there contradict those that are inferred
    quantize_dynamic(
        model,
        path,
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        reduce_range=bits == 7,  # without it products can overflow on processors that have no VNNI
        weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True},
    )
    return path


def float16(source: Path, path: Path) -> Path:
    """Weights stored in float16; they are float32 again when the session opens."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(source)
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.size > 1:
            name = weight.name
            weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}/half"))
            casts.append(helper.make_node("Cast", [f"{name}/half"], [name], to=onnx.TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    onnx.save(model, path)
    return path


VARIANTS: dict[str, Callable[[Path, Path], Path]] = {
    "float32": lambda source, path: source,
    "float16 weights": float16,
    "int8": lambda source, path: int8(source, path, 8),
    "int8 of 7 bits": lambda source, path: int8(source, path, 7),
}


@dataclass(frozen=True)
class Measured:
    """One variant: its size, milliseconds a prediction on one thread, and the mouth's PSNR in dB; NaN without truth."""

    megabytes: float
    ms: float
    to_float32_db: float
    to_truth_db: float


def measure(artifacts: Path, count: int) -> dict[str, Measured]:
    """Every variant of the exported editor on the same benchmark pairs."""
    from components.core.models.synthesis import Sampling, load_editor
    from components.evaluate.benchmark import Selection, load
    from components.evaluate.params import Params

    bench, export = params.load(Params, "evaluate"), params.read(Path("params.yaml"))["export"]
    pairs = load(artifacts / "crops", artifacts / "clips", Selection.of(bench, count))
    editor = load_editor(artifacts / "editor", artifacts / "experts")
    sampling = Sampling(export["steps"], export["guidance_reference"], export["guidance_audio"], 0)
    return compared(artifacts / "export/dubstrap.onnx", editor, pairs, sampling)


def compared(source: Path, editor: "Editor", pairs: "list[Pair]", sampling: "Sampling") -> dict[str, Measured]:
    """Every variant of the file, which was made of this editor, on these pairs."""
    from components.core.models.onnx_editor import OnnxEditor

    makers, sizes = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name, make in VARIANTS.items():
            path = make(source, Path(folder) / f"{name}.onnx")
            makers.append(OnnxEditor(path, editor, threads=1))
            sizes.append(path.stat().st_size / 1e6)
    times_s = taken(*(prediction(maker, editor) for maker in makers))
    made = [[maker.dub(pair.whole, pair.speech.mel, sampling) for pair in pairs] for maker in makers]
    truths = [None if pair.truth is None else pair.truth.frames for pair in pairs]
    masks = [pair.source.mask for pair in pairs]
    rows = zip(VARIANTS, sizes, times_s, made, strict=True)
    return {
        name: Measured(size, 1000 * time_s, alike(clips, made[0], masks), alike(clips, truths, masks))
        for name, size, time_s, clips in rows
    }


def prediction(maker: "OnnxEditor", editor: "Editor") -> Callable[[], None]:
    """One prediction of a chunk."""
    from components.export.graph import INPUTS, Graph, example

    inputs = example(Graph(editor), 1, editor.model.config.architecture.chunk_frames)
    feed = {name: value.numpy() for name, value in zip(INPUTS, inputs, strict=True)}
    session = maker.model.session
    return lambda: session.run(["clean"], feed) and None


def alike(clips: list["Frames"], others: "list[Frames] | list[Frames | None]", masks: list["Region"]) -> float:
    """Mean PSNR of the masked part, dB, over the clips that there is another of."""
    from components.evaluate.metrics import psnr_db

    values = [psnr_db(a, b, mask) for a, b, mask in zip(clips, others, masks, strict=True) if b is not None]
    return float(np.mean(values)) if values else float("nan")


def table(found: dict[str, Measured]) -> str:
    """Markdown."""
    first = found["float32"]
    rows = [
        [
            name,
            f"{one.megabytes:.1f}",
            f"{one.ms / first.ms:.2f}",
            f"{one.to_float32_db:.1f}",
            f"{one.to_truth_db:.2f}",
            f"{one.to_truth_db - first.to_truth_db:+.2f}",
        ]
        for name, one in found.items()
    ]
    head = ["editor", "MB", "time", "PSNR to float32's, dB", "PSNR to truth, dB", "loss, dB"]
    return results.table(head, rows)


@errors.shell
def main() -> None:
    """Reads the arguments, measures, writes."""
    runtime.start()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"), help="outs of the stages")
    parser.add_argument("--pairs", type=int, default=8, help="how many of the benchmark's")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/quantised.json"))
    parser.add_argument("--results", type=Path, default=Path("docs/results.md"))
    given = parser.parse_args()
    found = measure(given.artifacts, given.pairs)
    files.write_json(given.out, {name: asdict(one) for name, one in found.items()})
    results.insert(given.results, table(found), "quantised")


if __name__ == "__main__":
    main()
