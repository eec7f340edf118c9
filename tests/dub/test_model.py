"""The editor: its card, what it refuses, and what it feeds the graph."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from components.core.base import seeds
from components.core.base.errors import UserError
from components.core.diffusion.guidance import Guidance
from components.dub import model
from components.dub.model import Card, Editor, Sampling, Shown
from scripts import fuzz_dub
from tests.dub.builders import CHUNK, CONTEXT, REFERENCES, card, save_editor

PLAIN = Sampling(1, Guidance(1.0, 1.0), seed=0)


class Spy:
    """Stands in for the session, writes down what it was fed and runs the real one."""

    def __init__(self, session):
        self.session, self.feeds = session, []

    def run(self, names, feed):
        self.feeds.append({name: value.copy() for name, value in feed.items()})
        return self.session.run(names, feed)


def shown(source):
    return Shown(source, np.zeros((REFERENCES, *source.shape), np.uint8))


def inputs(frames=CHUNK, level=0.5):
    source = np.random.default_rng(1).integers(0, 256, (frames, 48, 64, 3), dtype=np.uint8)
    return shown(source), np.full((4 * frames + 2 * CONTEXT, 80), level, np.float32), np.zeros((0, 48, 64, 3), np.uint8)


def test_the_card_is_read():
    parsed = Card.parse(json.dumps(card(steps=2, guidance={"reference": 1, "audio": 2})))
    assert (parsed.steps, parsed.guidance, parsed.card_id) == (2, Guidance(1.0, 2.0), "test-card")
    assert (parsed.window.height, parsed.window.width) == (48, 64)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": 1}, "format 1"),
        ({"format": None}, "format None"),
        ({"size_px": 90}, "multiple of 12"),
        ({"window": [0, 1, 2, 3]}, "window"),
        ({"motion_frames": 8}, "motion_frames"),
        ({"steps": 0}, "steps"),
        ({"shift": 0}, "shift"),
        ({"mel_context": -1}, "mel_context"),
        ({"references": 0}, "references"),
        ({"guidance": {"reference": 1}}, "'audio'"),
        ({"guidance": {"reference": 1, "audio": 99}}, "99"),
        ({"steps": None}, "lacks"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path, changes, says):
    path = save_editor(tmp_path / "model.onnx", 0.0, card(**changes))
    with pytest.raises(UserError, match=says) as caught:
        Editor(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["[1]", "nonsense", "{}"])
def test_a_card_that_is_no_card_is_refused(tmp_path, text):
    with pytest.raises(UserError, match="does not fit this version"):
        Editor(save_editor(tmp_path / "model.onnx", 0.0, text))


def test_a_model_of_something_else_is_refused(tmp_path):
    with pytest.raises(UserError, match="no dubstrap editor"):
        Editor(save_editor(tmp_path / "model.onnx", 0.0, None))


@pytest.mark.parametrize("content", [b"", b"text", b"\x08\x0a\x12" * 50])
def test_a_corrupt_model_is_refused(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"model\.onnx"):
        Editor(path)


def test_a_truncated_model_is_refused(tmp_path, tinting):
    path = tmp_path / "model.onnx"
    path.write_bytes(tinting.read_bytes()[:-500])
    with pytest.raises(UserError, match=r"model\.onnx"):
        Editor(path)


def damaged(path, rng, how):
    """The bytes of the model at `path`, damaged anywhere ("bytes"), cut, or damaged in its metadata alone."""
    data = path.read_bytes()
    if how == "bytes":
        return fuzz_dub.damage(data, rng)
    if how == "cut":
        return data[: int(rng.integers(len(data)))]
    texts = {one.key: one.value.encode() for one in onnx.load(path).metadata_props}
    text = texts[str(rng.choice(["dubstrap", "frontend"]))]
    start = int(rng.integers(len(text)))
    hurt = bytearray(text)
    hurt[start : start + int(rng.integers(1, 4))] = bytes(rng.choice([0xFF, 0x39, 0x3D, 0x5B, 0x7D], 1, replace=False))
    return data.replace(text, bytes(hurt).ljust(len(text))[: len(text)])  # of one length, so that the file is still one


@pytest.mark.parametrize("how", ["bytes", "cut", "metadata"])
def test_damaged_models_are_refused_in_one_line_that_names_them_or_run(tmp_path, tinting, how):
    """20 mutants each; a bit of a weight that is another is no damage that a model shows."""
    seen, mel, motion = inputs()
    said = {}
    for index in range(20):
        path = tmp_path / f"mutant{index}.onnx"
        path.write_bytes(damaged(tinting, seeds.rng(0, "models", how, index), how))
        try:
            editor = Editor(path)
            assert editor.lips(mel).shape == (CHUNK, 6)
            assert editor.edit(seen, mel, motion, PLAIN).shape == seen.source.shape
        except UserError as error:
            said[str(path)] = str(error)
    assert len(said) > 10
    assert all(path in line and "\n" not in line for path, line in said.items())


@pytest.mark.parametrize(
    ("text", "frontend", "says"),
    [
        (card(), "AAA", "does not fit this version"),  # no base64
        (card(), "AAAA", "is not an ONNX model"),
        (card(), None, "is not an ONNX model"),
        ("[" * 100_000, "", "does not fit this version"),
        (json.dumps(card(steps=1)).replace('"steps": 1', '"steps": 1e999'), "", "lacks"),
        (card(chunk_frames=10**9), "", "above"),
        (card(references=5), "", "5 references"),
    ],
)
def test_metadata_that_is_damaged_is_refused(tmp_path, tinting, text, frontend, says):
    model_, path = onnx.load(tinting), tmp_path / "model.onnx"
    props = {"dubstrap": text if isinstance(text, str) else json.dumps(text)}
    del model_.metadata_props[:]
    onnx.helper.set_model_props(model_, props | ({} if frontend is None else {"frontend": frontend}))
    onnx.save(model_, path)
    with pytest.raises(UserError, match=says) as caught:
        Editor(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("made", [np.full((1, CHUNK, 3, 48, 64), np.nan), np.zeros((1, CHUNK, 3, 48, 63))])
def test_what_a_model_makes_is_looked_at(tinting, monkeypatch, made):
    editor = Editor(tinting)
    monkeypatch.setattr(editor, "_run", lambda session, feed: made)
    with pytest.raises(UserError, match=r"tinting\.onnx failed; got an output"):
        editor.edit(*inputs(), PLAIN)


def test_the_exported_model_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="no model found"):
        model.find(None)
    with pytest.raises(UserError, match=r"mine\.onnx does not exist"):
        model.find(tmp_path / "mine.onnx")
    for place in reversed(model.PLACES):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        assert model.find(None) == place


def test_a_model_that_copies_gives_the_source_back_bit_for_bit(copying):
    seen, mel, motion = inputs()
    np.testing.assert_array_equal(Editor(copying).edit(seen, mel, motion, PLAIN), seen.source)


@pytest.mark.parametrize("steps", [1, 3])
def test_the_speech_reaches_the_pixels(tinting, steps):
    seen, mel, motion = inputs(level=0.5)
    source = seen.source
    mel[: CONTEXT + 4] = -1.0  # the first frame hears silence
    edited = Editor(tinting).edit(seen, mel, motion, Sampling(steps, Guidance(1.0, 1.0), 0))
    change = edited.astype(int) - source
    assert (change[0] == 0).all()
    assert (change[..., 1:] == 0).all()
    mouth = edited[1:, 12:38, 16:48, 0]
    np.testing.assert_allclose(mouth, np.minimum(source[1:, 12:38, 16:48, 0] + 0.75 * 127.5, 255), atol=1)


def test_guidance_scales_what_the_speech_does(tinting):
    seen, mel, motion = inputs(level=-0.5)
    seen.source[...] = 50
    plain, twice = (
        Editor(tinting).edit(seen, mel, motion, Sampling(1, Guidance(1.0, scale), 0)) for scale in (1.0, 2.0)
    )
    assert int(twice[0, 20, 30, 0]) - 50 == pytest.approx(2 * (int(plain[0, 20, 30, 0]) - 50), abs=1)


def test_motion_frames_are_given_clean_at_timestep_zero_and_kept(tinting):
    editor = Editor(tinting)
    editor._session = spy = Spy(editor._session)
    seen, mel, _ = inputs()
    motion = np.full((2, 48, 64, 3), 77, np.uint8)
    edited = editor.edit(seen, mel, motion, Sampling(3, Guidance(1.0, 1.0), 0))
    assert (edited[:2] == 77).all()
    assert [feed["timestep"][0, -1] for feed in spy.feeds] == pytest.approx([1, 2 / 3, 1 / 3])
    for feed in spy.feeds:
        assert (feed["timestep"][:, :2] == 0).all()
        np.testing.assert_allclose(feed["noisy"][:, :2], 77 / 127.5 - 1, atol=1e-6)
        assert all(value.dtype == np.float32 for value in feed.values())


def test_branches_that_do_not_count_are_not_run(tinting):
    editor = Editor(tinting)
    editor._session = spy = Spy(editor._session)
    for scales, keep in (((1, 1), [(1, 1)]), ((1, 2), [(1, 0), (1, 1)]), ((2, 1), [(0, 0), (1, 0), (1, 1)])):
        editor.edit(*inputs(), Sampling(1, Guidance(*scales), 0))
        feed = spy.feeds[-1]
        assert list(zip(feed["keep_companion"], feed["keep_audio"], strict=True)) == keep
        assert len(feed["noisy"]) == len(feed["mel"]) == len(keep)


def test_a_model_that_fails_on_the_way_is_named(tinting):
    seen, mel, motion = inputs()
    with pytest.raises(UserError, match=r"tinting\.onnx failed"):
        Editor(tinting).edit(seen, mel[:-3], motion, PLAIN)


def test_lips_are_heard(tinting):
    _, mel, _ = inputs(frames=12, level=0.5)
    mel[: CONTEXT + 4] = -1.0
    lips = Editor(tinting).lips(mel)
    assert lips.shape == (12, 6)
    np.testing.assert_allclose(lips[:, 0], [0.0] + [0.75] * 11, atol=1e-6)


CPU, BOTH = ["CPUExecutionProvider"], ["CUDAExecutionProvider", "CPUExecutionProvider"]
MISSING = "Failed to load libcublasLt.so.13: no such file"


@pytest.mark.parametrize(
    ("offered", "gpu", "asked", "missing", "given", "said"),
    [
        (BOTH, True, ["libraries", BOTH, BOTH], "", BOTH, "CUDA"),
        (BOTH, True, ["libraries", BOTH, BOTH], MISSING, CPU, f"CPU (CUDA is there but did not load: {MISSING})"),
        (
            BOTH,
            True,
            ["libraries", BOTH, BOTH],
            "",
            CPU,
            "CPU (CUDA is there but did not load: the runtime says why above)",
        ),
        (BOTH, False, [CPU, CPU], "", CPU, "CPU"),
        (CPU, True, [CPU, CPU], "", CPU, "CPU"),
    ],
)
def test_cuda_is_asked_for_where_it_is_and_the_log_says_what_it_runs_on(
    tinting, monkeypatch, caplog, capsys, offered, gpu, asked, missing, given, said
):
    wanted, severities, session = [], [], onnxruntime.InferenceSession

    def preload():
        wanted.append("libraries")
        if missing:
            print(f"{missing}\nPlease follow a link.")

    def opened(content, options, providers):
        wanted.append(providers)
        made = session(content, options, providers=CPU)
        made.get_providers = lambda: given
        return made

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: offered)
    monkeypatch.setattr(onnxruntime, "preload_dlls", preload)
    monkeypatch.setattr(onnxruntime, "set_default_logger_severity", severities.append)
    monkeypatch.setattr(onnxruntime, "InferenceSession", opened)
    monkeypatch.setattr(model, "_has_gpu", lambda: gpu)
    model._preloaded.cache_clear()
    with caplog.at_level("INFO"):
        Editor(tinting)
    model._preloaded.cache_clear()
    assert wanted == asked  # the libraries once, before the editor and its front end
    assert severities == ([4] if missing else [])
    assert [line for line in caplog.messages if "editor" in line] == [f"editor {tinting} on {said}"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (4, 3), (64, model.MOST_THREADS)])
def test_a_core_is_left_to_the_other_stages(monkeypatch, cores, threads):
    monkeypatch.setattr(model.runtime, "cores", lambda: cores)
    assert model.threads() == threads
