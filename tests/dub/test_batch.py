"""Many dubs: past failures, with a table of what became of each."""

import csv
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest

from components.core.base.errors import UserError
from components.core.media import video
from components.dub import DubOptions, batch
from components.dub import __main__ as command


def table(folder: Path, text: str) -> Path:
    (folder / "jobs.csv").write_text(text)
    return folder / "jobs.csv"


def test_lines_have_paths_beside_the_table_and_options_of_their_own(tmp_path):
    path = table(
        tmp_path, "video,speech,out,face,length,report\na.mp4,b.wav,c.mp4,2,speech,r.json\n/d.mp4,b.wav,e.mp4,,,\n"
    )
    one, other = batch.read(path, DubOptions(steps=5))
    assert (one.video, one.out, one.report) == (tmp_path / "a.mp4", tmp_path / "c.mp4", tmp_path / "r.json")
    assert (one.options.face, one.options.length, one.options.steps) == (2, "speech", 5)
    assert (other.video, other.options.face, other.options.length) == (Path("/d.mp4"), None, "video")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("video,speech\na,b\n", "other columns"),
        ("video,speech,out,colour\na,b,c,d\n", "other columns"),
        ("video,speech,out\na,,c\n", "line 2: speech is empty"),
        ("video,speech,out,face\na,b,c,left\n", "line 2"),
        ("video,speech,out,length\na,b,c,\na,b,c,long\n", "line 3"),
        ("", "other columns"),
    ],
)
def test_a_table_that_is_wrong_says_where(tmp_path, text, says):
    with pytest.raises(UserError, match=r"jobs\.csv.*" + says):
        batch.read(table(tmp_path, text), DubOptions())
    with pytest.raises(UserError, match=r"none\.csv"):
        batch.read(tmp_path / "none.csv", DubOptions())


def test_a_batch_goes_on_past_failures(talking, tmp_path, tinting, speech):
    jobs = "video,speech,out,length,report\n" + "".join(
        f"{clip},{speech(1.0)},{out},speech,{report}\n"
        for clip, out, report in (
            ("nowhere.mp4", "a.mp4", ""),
            (talking, "b.mp4", "b.json"),
            (talking, "c.mp4", "/proc/c.json"),  # it can be dubbed, and its report can not be written
        )
    )
    path = table(tmp_path, jobs)
    command = [sys.executable, "-m", "components.dub", "--batch", path, "--model", tinting, "--i-have-consent"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    with (tmp_path / "jobs.result.csv").open() as file:
        failed, dubbed, unreported = csv.DictReader(file)
    assert [line["status"] for line in (failed, dubbed, unreported)] == ["failed", "dubbed", "failed"]
    assert "can not write /proc/c.json" in unreported["message"]
    assert "nowhere.mp4" in failed["message"]
    assert dubbed["frames"] == "25"
    assert video.probe(tmp_path / "b.mp4").frames == 25
    assert (tmp_path / "b.json").is_file()


@pytest.fixture
def lines(tmp_path, monkeypatch):
    """Three lines of a batch, and instead of dubs what the test says of each: a report, or what it raises."""
    paths = [(Path(f"{name}.mp4"), Path("voice.wav"), Path(f"{name}.de.mp4")) for name in "abc"]
    made = [batch.Line(*(tmp_path / path for path in three), DubOptions(), None) for three in paths]
    dubbed, become = [], {}

    def run(video, speech, out, options):
        dubbed.append(out.name)
        if error := become.get(out.name):
            raise error
        return SimpleNamespace(gaps=(), frames=9, wall_s=1.0, length="", save=lambda path: path.write_text("report"))

    monkeypatch.setattr(batch, "run", run)
    return made, dubbed, become


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["a.mp4", "voice.wav", "a.de.mp4", "b.mp4", "c.de.mp4", "result.csv"])
def test_a_report_that_is_another_file_is_refused_before_the_work(tmp_path, lines, name):
    made, dubbed, _ = lines
    (tmp_path / name).write_text("mine")
    made[0] = replace(made[0], report=tmp_path / name)
    assert batch.dub_all(made, tmp_path / "result.csv") == 1
    assert dubbed == ["b.de.mp4", "c.de.mp4"]
    refused = rows(tmp_path / "result.csv")[0]
    assert (refused["status"], "is an input or the output" in refused["message"]) == ("failed", True)
    assert (tmp_path / name).read_text() != "report"


def test_a_report_that_is_the_table_itself_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"line 2: its report is this table"):
        batch.read(table(tmp_path, "video,speech,out,report\na,b,c,jobs.csv\n"), DubOptions())


@pytest.mark.parametrize("error", [RuntimeError("no\nroom"), MemoryError("no room"), cv2.error("no room")])
def test_a_fault_in_one_line_is_recorded_with_its_type_and_the_others_are_dubbed(tmp_path, lines, error):
    made, dubbed, become = lines
    become["b.de.mp4"] = error
    assert batch.dub_all(made, tmp_path / "result.csv") == 1
    assert len(dubbed) == 3
    found = rows(tmp_path / "result.csv")
    assert [row["status"] for row in found] == ["dubbed", "failed", "dubbed"]
    assert found[1]["message"] == f"{type(error).__name__}: no room"


def test_an_interruption_says_what_is_done_and_the_table_keeps_it(tmp_path, lines, monkeypatch, caplog):
    made, _, become = lines
    become["c.de.mp4"] = KeyboardInterrupt()
    text = "video,speech,out\n" + "".join(f"{line.video},{line.speech},{line.out}\n" for line in made)
    monkeypatch.setattr(sys, "argv", ["dub", "--batch", str(table(tmp_path, text))])
    with pytest.raises(SystemExit) as caught:
        command.main()
    assert caught.value.code == 130
    said = f"interrupted: 2 of 3 lines are done, and {tmp_path / 'jobs.result.csv'} says what became of them"
    assert caplog.messages[-1] == said
    assert [row["status"] for row in rows(tmp_path / "jobs.result.csv")] == ["dubbed"] * 2


def test_a_table_that_can_not_be_written_is_said_before_any_work(tmp_path):
    lines = batch.read(table(tmp_path, "video,speech,out\na.mp4,b.wav,c.mp4\n"), DubOptions())
    with pytest.raises(UserError, match=r"can not write /proc/jobs\.result\.csv"):
        batch.dub_all(lines, Path("/proc/jobs.result.csv"))


@pytest.mark.parametrize("arguments", ["", "a.mp4", "a.mp4 b.wav", "--batch j.csv a.mp4", "--batch j.csv --report r"])
def test_one_dub_or_a_batch_and_not_half_of_each(arguments):
    done = subprocess.run([sys.executable, "-m", "components.dub", *arguments.split()], capture_output=True, text=True)
    assert done.returncode == 2
    assert "VIDEO SPEECH -o OUT, or --batch JOBS.csv alone" in done.stderr
