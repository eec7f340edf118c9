"""The command: bad input is one line and exit code 2, and nothing of it stays; no training library is imported."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from components.core.media import audio, video
from components.dub import DubOptions, arguments
from components.dub import __main__ as command
from components.verify import core as verify
from tests.dub.builders import card, save_editor, save_video
from tests.dub.people import film
from tests.verify.test_verify import chain

TICK = Fraction(1, 12800)


@pytest.fixture
def clip(tmp_path):
    """A clip of 20 frames without a face."""
    return save_video(tmp_path / "clip.mp4", [index * 512 for index in range(20)], TICK)


@pytest.fixture
def refused(tmp_path, tinting, monkeypatch, capsys):
    """Runs the command, checks that it was refused properly, and returns what it said."""

    def run(video, sound, *more, out=tmp_path / "out.mp4"):
        before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
        model = () if "--model" in more else ("--model", tinting)
        monkeypatch.setattr(
            sys, "argv", list(map(str, ["dub", video, sound, "-o", out, "--i-have-consent", *model, *more]))
        )
        with pytest.raises(SystemExit) as caught:
            command.main()
        assert caught.value.code == 2
        said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
        assert len(said) == 1
        assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
        return said[0]

    return run


def test_what_an_input_is_says_its_content_and_not_its_name(refused, clip, speech, tmp_path):
    renamed, text = tmp_path / "clip.unknown", tmp_path / "notes.unknown"
    renamed.write_bytes(clip.read_bytes())
    text.write_text("this is no video\n" * 100)
    assert refused(renamed, speech(1.0)) == "error: clip.unknown: no face found in 20 frames"
    assert "notes.unknown" in refused(text, speech(1.0))
    assert "notes.unknown" in refused(clip, text)


def test_a_missing_video(refused, speech, tmp_path):
    assert "nowhere.mp4" in refused(tmp_path / "nowhere.mp4", speech(1.0))


@pytest.mark.parametrize("content", [b"", b"this is a text\n" * 100, bytes(5000)], ids=["empty", "text", "zeros"])
def test_what_is_no_video(refused, speech, tmp_path, content):
    path = tmp_path / "fake.mp4"
    path.write_bytes(content)
    assert "fake.mp4" in refused(path, speech(1.0))


def test_a_truncated_video(refused, speech, tmp_path, clip):
    path = tmp_path / "cut.mp4"
    path.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    assert "cut.mp4" in refused(path, speech(1.0))


@pytest.mark.parametrize("ticks", [12_800 * 3600, 12_800 * 100_000])
def test_a_video_with_corrupt_times(refused, speech, tmp_path, ticks):
    path = save_video(tmp_path / "jump.mp4", [*(index * 512 for index in range(20)), ticks], TICK)
    assert "jump.mp4" in refused(path, speech(1.0))


def test_a_folder(refused, speech, tmp_path):
    (tmp_path / "folder.mp4").mkdir()
    assert "folder.mp4" in refused(tmp_path / "folder.mp4", speech(1.0))


def test_sound_alone_is_no_video(refused, speech):
    assert "speech1.0.wav" in refused(speech(1.0), speech(2.0))


def test_no_face(refused, clip, speech):
    assert refused(clip, speech(1.0)) == "error: clip.mp4: no face found in 20 frames"


def test_a_clip_shorter_than_a_chunk(refused, speech, tmp_path):
    short = save_video(tmp_path / "short.mp4", [0, 512, 1024], TICK)
    assert "short.mp4: 3 frames to dub, expected at least the 8" in refused(short, speech(1.0))


@pytest.mark.parametrize("content", [b"", b"no sound"])
def test_what_is_no_sound(refused, clip, tmp_path, content):
    path = tmp_path / "fake.wav"
    path.write_bytes(content)
    assert "fake.wav" in refused(clip, path)


def test_a_video_without_sound_is_no_speech(refused, clip, tmp_path):
    other = save_video(tmp_path / "mute.mp4", [index * 512 for index in range(20)], TICK)
    assert "mute.mp4" in refused(clip, other)


def test_silent_and_short_speech(refused, clip, tmp_path):
    audio.write_wav(tmp_path / "silent.wav", np.zeros(32_000, np.float32))
    assert "silent.wav is silent" in refused(clip, tmp_path / "silent.wav")
    audio.write_wav(tmp_path / "short.wav", np.full(800, 0.5, np.float32))
    assert "short.wav holds 0.05 s" in refused(clip, tmp_path / "short.wav")


def test_outputs_that_can_not_be(refused, clip, speech, tmp_path):
    sound = speech(1.0)
    assert "is an input" in refused(clip, sound, "--overwrite", out=clip)
    (tmp_path / "there.mp4").write_bytes(b"mine")
    assert "already exists" in refused(clip, sound, out=tmp_path / "there.mp4")
    voice = tmp_path / "voice.mp4"
    voice.write_bytes(sound.read_bytes())
    assert "voice.mp4 is an input" in refused(clip, voice, "--overwrite", out=voice)
    assert "suffix '.avi'" in refused(clip, sound, out=tmp_path / "out.avi")
    assert "folder does not exist" in refused(clip, sound, out=tmp_path / "no" / "out.mp4")
    (tmp_path / "folder.mp4").mkdir()
    assert "folder.mp4 already exists" in refused(clip, sound, "--overwrite", out=tmp_path / "folder.mp4")
    assert "is an input or the output" in refused(clip, sound, "--report", clip)
    for report in (tmp_path, tmp_path / "no" / "report.json", Path("/proc/report.json")):
        assert f"can not write {report}" in refused(clip, sound, "--report", report)
    link = tmp_path / "link.mp4"
    link.symlink_to(clip)
    assert "is an input" in refused(clip, sound, "--overwrite", out=link)


def test_models_that_can_not_be(refused, clip, speech, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    assert "bad.onnx" in refused(clip, speech(1.0), "--model", tmp_path / "bad.onnx")
    old = save_editor(tmp_path / "old.onnx", 0.0, card(format=1))
    assert "old.onnx does not fit this version; got format 1" in refused(clip, speech(1.0), "--model", old)
    assert "no.onnx does not exist" in refused(clip, speech(1.0), "--model", tmp_path / "no.onnx")


@pytest.fixture
def tmpfs(tmp_path):
    """A disk of its own of 40 kB, or a skip where this user may not mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_and_one_that_may_not_be_written(talking, tmpfs, speech, tinting):
    inputs = [talking, speech(2.0), "-o", tmpfs / "out.mp4", "--model", tinting]
    command = [*map(str, [sys.executable, "-m", "components.dub", *inputs]), "--i-have-consent"]
    for option, reason in ((None, "No space left on device"), ("remount,ro", "Read-only file system")):
        if option:
            subprocess.run(["mount", "-o", option, tmpfs], check=True)
        done = subprocess.run(command, capture_output=True, text=True)
        said = [line for line in done.stderr.splitlines() if line.startswith("error:")]
        assert (done.returncode, len(said)) == (2, 1), done.stderr
        assert "out.mp4" in said[0]
        assert reason in said[0]
        assert list(tmpfs.iterdir()) == []


def test_a_full_disk_with_resume_keeps_what_is_finished(talking, tmpfs, speech, tinting):
    assert "out.mp4; got No space left" in said_by(talking, speech(2.0), tinting, tmpfs / "out.mp4", "--resume")
    assert [path.name for path in tmpfs.iterdir()] == ["out.mp4.resume"]


def test_a_full_disk_takes_no_report_and_no_picture_of_the_faces(talking, tmpfs, tmp_path, speech, tinting):
    with contextlib.suppress(OSError), (tmpfs / "mine").open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    report, out = tmpfs / "report.json", tmp_path / "out.mp4"
    assert "report.json; got No space left" in said_by(talking, speech(2.0), tinting, out, "--report", report)
    assert video.probe(out).frames == 40
    pair = (np.hstack(two) for two in zip(film(0, 12).pictures, film(1, 12).pictures, strict=True))
    video.write(tmp_path / "pair.mp4", pair, 25, crf=6)
    assert "out.mp4; got No space left" in said_by(tmp_path / "pair.mp4", speech(2.0), tinting, tmpfs / "out.mp4")
    assert [path.name for path in tmpfs.iterdir()] == ["mine"]


def said_by(clip, sound, model, out, *more):
    """The one line with which the command refuses."""
    inputs = [clip, sound, "-o", out, "--model", model, "--i-have-consent", *more]
    done = subprocess.run([sys.executable, "-m", "components.dub", *map(str, inputs)], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert (done.returncode, len(said), "Traceback" in done.stderr) == (2, 1, False), done.stderr
    return said[0]


@pytest.mark.parametrize("more", [("--steps", "0"), ("--guidance", "99"), ("--face", "0")])
def test_options_out_of_range(refused, clip, speech, more):
    assert more[0] in refused(clip, speech(1.0), *more)


def test_a_users_own_key_signs_without_a_network(talking, speech, tmp_path, tinting):
    key, certificates = chain(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    code = (
        "import socket\n"
        "def refuse(*_, **__): raise OSError('there is no network')\n"
        "socket.socket.__init__ = refuse\n"
        "from components.__main__ import main; main()\n"
    )
    out = tmp_path / "out.mp4"
    inputs = [talking, speech(2.0), "-o", out, "--model", tinting, "--i-have-consent"]
    inputs += ["--sign-key", key, "--sign-chain", certificates]
    cut_off = ["unshare", "--net"]  # from C2PA's own code too
    if not shutil.which("unshare") or subprocess.run([*cut_off, "true"], capture_output=True).returncode:
        cut_off = []
    command = [*cut_off, sys.executable, "-c", code, "dub", *map(str, inputs)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "test certificate" not in done.stderr
    found = verify.run(out)
    assert (found.state, found.signer, found.parents) == ("Valid", "Anna's studio", ("talking.mp4",))


def test_a_dub_imports_no_training_library(talking, speech, tmp_path, tinting):
    code = (
        "import sys; from components.dub.__main__ import main; main()\n"
        "heavy = {'torch', 'lightning', 'pandas', 'onnx', 'sklearn'} & {*sys.modules}\n"
        "assert not heavy, heavy\n"
    )
    arguments = [talking, speech(2.0), "-o", tmp_path / "out.mp4", "--model", tinting, "--i-have-consent"]
    arguments += ["--report", tmp_path / "out.json"]
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "on CPU" in done.stderr or "on CUDA" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "out.mp4"]


def test_a_dub_under_nohup_goes_on_when_its_terminal_is_closed(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["dub", "a.mp4", "b.wav", "-o", "c.mp4"])
    monkeypatch.setattr(command.shell, "one", lambda given: os.kill(os.getpid(), signal.SIGHUP))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        command.main()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_options_of_the_command_are_those_of_python_with_their_defaults(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["dub", "a.mp4", "b.wav", "-o", "c.mp4"])
    given = arguments.read(None)
    names = vars(given).keys() - {"video", "speech", "out", "batch", "report"}
    assert names == {field.name for field in fields(DubOptions)}
    assert arguments.options(given) == DubOptions()


def test_ctrl_c_leaves_nothing(talking, speech, tmp_path, tinting):
    code = (
        "import os, signal; from components.dub import output\n"
        "add = output.Writer.add\n"
        "def stop(self, picture):\n"
        "    add(self, picture)\n"
        "    if self.frames == 10: os.kill(os.getpid(), signal.{name})\n"
        "output.Writer.add = stop\n"
        "from components.dub.__main__ import main; main()\n"
    )
    arguments = [*map(str, [talking, speech(2.0), "-o", tmp_path / "out.mp4", "--model", tinting, "--i-have-consent"])]
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        run = [sys.executable, "-c", code.replace("{name}", name), *arguments]
        done = subprocess.run(run, capture_output=True, text=True)
        assert done.returncode == 130
        assert "interrupted: nothing was written" in done.stderr
        assert "Traceback" not in done.stderr
        assert list(tmp_path.iterdir()) == []
