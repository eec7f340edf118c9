"""Tiny ONNX editors that obey the contract, and generated clips."""

import base64
import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from components.core.media.geometry import Window

SIZE_PX, CHUNK, MOTION, CONTEXT, REFERENCES = 96, 8, 2, 6, 2

CONSTANTS = {
    "own": np.array([0, -1, 4, 80], np.int64),
    "half": np.array(0.5, np.float32),
    "front": np.array([CONTEXT], np.int64),
    "back": np.array([-CONTEXT], np.int64),
    "rows": np.array([1], np.int64),
    "per_frame": np.array([2, 3], np.int64),
}


def card(**changes) -> dict:
    """The metadata of a model that fits."""
    window = Window.of(SIZE_PX)
    values = {
        "format": 2,
        "size_px": SIZE_PX,
        "window": [window.top, window.bottom, window.left, window.right],
        "chunk_frames": CHUNK,
        "motion_frames": MOTION,
        "references": REFERENCES,
        "mel_context": CONTEXT,
        "steps": 1,
        "guidance": {"reference": 1.0, "audio": 1.0},
        "shift": 1.0,
        "card_id": "test-card",
        "bands": {},
        "trained_on": "nothing",
        "measures": [],
    }
    return values | changes


def save_editor(path: Path, tint: float, metadata: dict | str | None) -> Path:
    """clean = companion + tint * keep_audio * (mean mel + 1) / 2 in the red channel of the mouth, per sample and frame.

    The loudness of a frame is the mean of its own four mel rows. Inputs that the tint
    does not need (noisy, references, timestep, keep_companion) are used with weight 0, so that the graph keeps them.
    """
    window = Window.of(SIZE_PX)
    region = np.zeros((1, 1, 3, window.height, window.width), np.float32)
    region[:, :, 0, 12:38, 16:48] = tint
    constants = CONSTANTS | {
        "region": region,
        "zero": np.array(0, np.float32),
        "image": np.array([0, 0, 1, 1, 1], np.int64),
        "scalar": np.array([-1, 1, 1, 1, 1], np.int64),
        "frame": np.array([0, 0, 1, 1, 1], np.int64),
    }
    nodes = [
        helper.make_node("Slice", ["mel", "front", "back", "rows"], ["heard"]),
        helper.make_node("Reshape", ["heard", "own"], ["grouped"]),
        helper.make_node("ReduceMean", ["grouped", "per_frame"], ["level"], keepdims=0),
        helper.make_node("Mul", ["level", "half"], ["halved"]),
        helper.make_node("Add", ["halved", "half"], ["loud"]),
        helper.make_node("Unsqueeze", ["loud", "axes"], ["louder"]),
        helper.make_node("Reshape", ["keep_audio", "scalar"], ["hears"]),
        helper.make_node("Mul", ["louder", "hears"], ["drive"]),
        helper.make_node("Mul", ["drive", "region"], ["tint"]),
        helper.make_node("Mul", ["noisy", "zero"], ["nothing"]),
        helper.make_node("ReduceMean", ["references", "rows"], ["own_mean"], keepdims=0),
        helper.make_node("Mul", ["own_mean", "zero"], ["none"]),
        helper.make_node("Unsqueeze", ["timestep", "axes"], ["when"]),
        helper.make_node("Mul", ["when", "zero"], ["never"]),
        helper.make_node("Reshape", ["keep_companion", "scalar"], ["sees"]),
        helper.make_node("Mul", ["companion", "sees"], ["seen"]),
        helper.make_node("Sum", ["seen", "tint", "nothing", "none", "never"], ["clean"]),
    ]
    constants["axes"] = np.array([2, 3, 4], np.int64)
    used = {name for node in nodes for name in node.input}
    frames = ["b", "f", 3, window.height, window.width]
    shapes = {"noisy": frames, "companion": frames, "mel": ["b", "m", 80], "timestep": ["b", "f"]}
    shapes["references"] = ["b", REFERENCES, "f", *frames[2:]]
    shapes |= {"keep_companion": ["b"], "keep_audio": ["b"]}
    graph = helper.make_graph(
        nodes,
        "editor",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [helper.make_tensor_value_info("clean", TensorProto.FLOAT, frames)],
        [numpy_helper.from_array(value, name) for name, value in constants.items() if name in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    if metadata is not None:
        text = metadata if isinstance(metadata, str) else json.dumps(metadata)
        frontend = base64.b64encode(_frontend().SerializeToString()).decode()
        helper.set_model_props(model, {"dubstrap": text, "frontend": frontend})
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def _frontend() -> onnx.ModelProto:
    """lips (b f 6): all of them (mean mel + 1) / 2 of the frame."""
    nodes = [
        helper.make_node("Slice", ["mel", "front", "back", "rows"], ["heard"]),
        helper.make_node("Reshape", ["heard", "own"], ["grouped"]),
        helper.make_node("ReduceMean", ["grouped", "per_frame"], ["level"], keepdims=0),
        helper.make_node("Mul", ["level", "half"], ["halved"]),
        helper.make_node("Add", ["halved", "half"], ["loud"]),
        helper.make_node("Unsqueeze", ["loud", "per_lip"], ["lip"]),
        helper.make_node("Tile", ["lip", "six"], ["lips"]),
    ]
    constants = CONSTANTS | {"per_lip": np.array([2], np.int64), "six": np.array([1, 1, 6], np.int64)}
    graph = helper.make_graph(
        nodes,
        "frontend",
        [helper.make_tensor_value_info("mel", TensorProto.FLOAT, ["b", "m", 80])],
        [helper.make_tensor_value_info("lips", TensorProto.FLOAT, ["b", "f", 6])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def save_video(path: Path, times: list[int], time_base: Fraction, size: tuple[int, int] = (64, 48), **look) -> Path:
    """A faceless clip of a moving gradient, (width, height), with these timestamps.

    look: pixel_format, rotation (clockwise, degrees), aspect, matrix and colour_range (numbers of ISO/IEC 23001-8).
    """
    width, height = size
    ramp = np.add.outer(np.arange(height), np.arange(width))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = width, height, look.get("pixel_format", "yuv420p")
        stream.time_base = stream.codec_context.time_base = time_base
        stream.codec_context.colorspace = matrix = look.get("matrix", 2)
        stream.codec_context.color_range = colour_range = look.get("colour_range", 1)
        if "rotation" in look:
            stream.set_display_rotation(-look["rotation"])
        if "aspect" in look:
            stream.codec_context.sample_aspect_ratio = look["aspect"]
        for index, pts in enumerate(times):
            rgb = np.stack([ramp + 3 * index, 2 * ramp, 255 - ramp], -1).clip(0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
                format=stream.pix_fmt, dst_colorspace={2: 5, 6: 5}.get(matrix, matrix), dst_color_range=colour_range
            )
            frame.colorspace, frame.color_range = matrix, colour_range
            frame.pts, frame.time_base = pts, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
