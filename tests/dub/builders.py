"""Tiny ONNX models that obey the contracts, and generated clips."""

import base64
import json
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from components.core.media.geometry import Window

SIZE_PX, CHUNK, MOTION, CONTEXT, REFERENCES = 96, 8, 2, 6, 2
MARGIN = 2
SOUND_HZ = 48_000

# `loud (b f)`, (mean mel + 1) / 2 of each frame's own rows, which are those from `front` to `back` of `mel`.
LOUDNESS = [
    helper.make_node("Slice", ["mel", "front", "back", "rows"], ["heard_rows"]),
    helper.make_node("Reshape", ["heard_rows", "own"], ["grouped"]),
    helper.make_node("ReduceMean", ["grouped", "per_frame"], ["level"], keepdims=0),
    helper.make_node("Mul", ["level", "half"], ["halved"]),
    helper.make_node("Add", ["halved", "half"], ["loud"]),
]


def loudness_constants(context: int) -> dict:
    """What LOUDNESS needs where there are so many rows of context at either side."""
    return {
        "own": np.array([0, -1, 4, 80], np.int64),
        "half": np.array(0.5, np.float32),
        "front": np.array([context], np.int64),
        "back": np.array([-context], np.int64),
        "rows": np.array([1], np.int64),
        "per_frame": np.array([2, 3], np.int64),
    }


def model_of(nodes: list, constants: dict, inputs: dict, outputs: dict) -> onnx.ModelProto:
    """A model of these nodes; inputs and outputs are shapes by name, all of them float."""
    graph = helper.make_graph(
        nodes,
        "graph",
        *(
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, s) for name, s in v.items()]
            for v in (inputs, outputs)
        ),
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


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
    constants = loudness_constants(CONTEXT) | {
        "region": region,
        "zero": np.array(0, np.float32),
        "scalar": np.array([-1, 1, 1, 1, 1], np.int64),
        "axes": np.array([2, 3, 4], np.int64),
    }
    nodes = [
        *LOUDNESS,
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
    frames = ["b", "f", 3, window.height, window.width]
    shapes = {"noisy": frames, "companion": frames, "mel": ["b", "m", 80], "timestep": ["b", "f"]}
    shapes["references"] = ["b", REFERENCES, "f", *frames[2:]]
    shapes |= {"keep_companion": ["b"], "keep_audio": ["b"]}
    model = model_of(nodes, constants, shapes, {"clean": frames})
    if metadata is not None:
        text = metadata if isinstance(metadata, str) else json.dumps(metadata)
        frontend = base64.b64encode(_frontend().SerializeToString()).decode()
        helper.set_model_props(model, {"dubstrap": text, "frontend": frontend})
    return _saved(model, path)


def _saved(model: onnx.ModelProto, path: Path) -> Path:
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def _frontend() -> onnx.ModelProto:
    """lips (b f 6): all of them (mean mel + 1) / 2 of the frame."""
    nodes = [
        *LOUDNESS,
        helper.make_node("Unsqueeze", ["loud", "per_lip"], ["lip"]),
        helper.make_node("Tile", ["lip", "six"], ["lips"]),
    ]
    constants = {"per_lip": np.array([2], np.int64), "six": np.array([1, 1, 6], np.int64)}
    return model_of(nodes, loudness_constants(CONTEXT) | constants, {"mel": ["b", "m", 80]}, {"lips": ["b", "f", 6]})


def sync_card() -> dict:
    """The metadata of a sync expert that fits."""
    window = Window.of(SIZE_PX)
    edges = [window.top, window.bottom, window.left, window.right]
    return {"format": 1, "size_px": SIZE_PX, "window": edges, "frames": 5, "mel_margin": MARGIN}


def save_sync(path: Path, metadata: dict | None = None) -> Path:
    """A sync expert whose embeddings are (cos, sin) of pi times how bright, or how loud, the middle of 5 frames is."""
    nodes = [
        *LOUDNESS,
        helper.make_node("ReduceMean", ["lower", "picture"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "half"], ["dim"]),
        helper.make_node("Add", ["dim", "half"], ["bright"]),
    ]
    for level, output in (("bright", "seen"), ("loud", "heard")):
        nodes += [
            helper.make_node("Slice", [level, "first", "last", "rows"], [f"{output}_middle"]),
            helper.make_node("Mul", [f"{output}_middle", "pi"], [f"{output}_angle"]),
            helper.make_node("Unsqueeze", [f"{output}_angle", "embedding"], [f"{output}_angles"]),
            helper.make_node("Cos", [f"{output}_angles"], [f"{output}_cos"]),
            helper.make_node("Sin", [f"{output}_angles"], [f"{output}_sin"]),
            helper.make_node("Concat", [f"{output}_cos", f"{output}_sin"], [output], axis=2),
        ]
    constants = loudness_constants(MARGIN) | {
        "picture": np.array([2, 3, 4], np.int64),
        "first": np.array([2], np.int64),
        "last": np.array([-2], np.int64),
        "embedding": np.array([2], np.int64),
        "pi": np.array(np.pi, np.float32),
    }
    window = Window.of(SIZE_PX)
    inputs = {"lower": [1, "f", 3, window.height, window.width], "mel": [1, "m", 80]}
    model = model_of(nodes, constants, inputs, {"seen": [1, "n", 2], "heard": [1, "n", 2]})
    helper.set_model_props(model, {"dubstrap_sync": json.dumps(metadata or sync_card())})
    return _saved(model, path)


def occluder_card() -> dict:
    """The metadata of an occluder expert that fits."""
    window = Window.of(SIZE_PX)
    return {"format": 1, "size_px": SIZE_PX, "window": [window.top, window.bottom, window.left, window.right]}


def save_occluder(path: Path, metadata: dict | None = None) -> Path:
    """An occluder expert that finds something in the left half of every window."""
    window = Window.of(SIZE_PX)
    left = np.zeros((window.height, window.width), np.float32)
    left[:, : window.width // 2] = 1
    nodes = [
        helper.make_node("ReduceMean", ["lower", "channel"], ["grey"], keepdims=0),
        helper.make_node("Mul", ["grey", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "left"], ["hidden"]),
    ]
    constants = {"channel": np.array([1], np.int64), "zero": np.array(0, np.float32), "left": left}
    shape = ["f", window.height, window.width]
    model = model_of(nodes, constants, {"lower": ["f", 3, *shape[1:]]}, {"hidden": shape})
    helper.set_model_props(model, {"dubstrap_occluder": json.dumps(metadata or occluder_card())})
    return _saved(model, path)


def save_video(path: Path, times: list[int], time_base: Fraction, size: tuple[int, int] = (64, 48), **look) -> Path:
    """A faceless clip of a moving gradient, (width, height), with these timestamps; look: see `save_pictures`."""
    width, height = size
    ramp = np.add.outer(np.arange(height), np.arange(width))
    gradient = (np.stack([ramp + 3 * index, 2 * ramp, 255 - ramp], -1) for index in range(len(times)))
    return save_pictures(path, (rgb.clip(0, 255).astype(np.uint8) for rgb in gradient), times, time_base, **look)


def save_pictures(path: Path, pictures: Iterable, times: list[int], time_base: Fraction, **look) -> Path:
    """A clip of these pictures (h w 3), as they are stored, with these timestamps.

    look: codec, its rate and options, pixel_format, rotation (clockwise, degrees), aspect, matrix, primaries, transfer
    and colour_range (numbers of ISO/IEC 23001-8), container (options of it), tones: in Hz, of a sound track each,
    last: for how many ticks the last picture is shown.
    """
    matrix, colour_range = look.get("matrix", 2), look.get("colour_range", 1)
    primaries, transfer = look.get("primaries", 2), look.get("transfer", 2)
    with av.open(str(path), "w", options=look.get("container", {})) as container:
        stream = container.add_stream(
            look.get("codec", "libx264"), rate=look.get("rate", 25), options=look.get("options", {"crf": "10"})
        )
        stream.pix_fmt = look.get("pixel_format", "yuv420p")
        stream.time_base = stream.codec_context.time_base = time_base
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, colour_range
        stream.codec_context.color_primaries, stream.codec_context.color_trc = primaries, transfer
        if "rotation" in look:
            stream.set_display_rotation(-look["rotation"])
        if "aspect" in look:
            stream.codec_context.sample_aspect_ratio = look["aspect"]
        voices = [container.add_stream("aac", rate=SOUND_HZ, layout="mono") for _ in look.get("tones", ())]
        for index, (rgb, pts) in enumerate(zip(pictures, times, strict=True)):
            if index == 0:
                stream.height, stream.width = rgb.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(
                format=stream.pix_fmt, dst_colorspace={2: 5, 6: 5}.get(matrix, matrix), dst_color_range=colour_range
            )
            frame.colorspace, frame.color_range = matrix, colour_range
            frame.color_primaries, frame.color_trc = primaries, transfer
            frame.pts, frame.time_base = pts, time_base
            container.mux(stream.encode(frame))
        rest = stream.encode()
        for packet in rest:
            if "last" in look and (packet.pts == times[-1] or packet is rest[-1]):  # MP4 keeps that of rest[-1] only
                packet.duration = look["last"]
        container.mux(rest)
        start_s, end_s = float(times[0] * time_base), float(times[-1] * time_base)
        for voice, hz in zip(voices, look.get("tones", ()), strict=True):
            container.mux(voice.encode(_tone(hz, start_s, end_s)))
            container.mux(voice.encode())
    return path


def tags(path):
    """What says how the pictures are to be shown, and the number of sound tracks."""
    with av.open(str(path)) as container:
        stream, sounds = container.streams.video[0], len(container.streams.audio)
        first = next(container.decode(stream))
        full = first.color_range == 2  # where nothing is said it is limited, and so x264 does not say that
        colour = (first.colorspace, full, first.color_primaries, first.color_trc)
        return (*map(int, colour), stream.sample_aspect_ratio or Fraction(1)), sounds


def _tone(hz: float, start_s: float, end_s: float) -> av.AudioFrame:
    samples = 0.3 * np.sin(2 * np.pi * hz * np.arange(round((end_s - start_s) * SOUND_HZ)) / SOUND_HZ)
    chunk = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), format="fltp", layout="mono")
    chunk.sample_rate, chunk.pts, chunk.time_base = SOUND_HZ, round(start_s * SOUND_HZ), Fraction(1, SOUND_HZ)
    return chunk
