"""Many dubs: past failures, with a table of what became of each."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from components.core.base.errors import UserError
from components.core.media import video
from components.dub import DubOptions, batch


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


def test_a_table_that_can_not_be_written_is_said_before_any_work(tmp_path):
    lines = batch.read(table(tmp_path, "video,speech,out\na.mp4,b.wav,c.mp4\n"), DubOptions())
    with pytest.raises(UserError, match=r"can not write /proc/jobs\.result\.csv"):
        batch.dub_all(lines, Path("/proc/jobs.result.csv"))


@pytest.mark.parametrize("arguments", ["", "a.mp4", "a.mp4 b.wav", "--batch j.csv a.mp4", "--batch j.csv --report r"])
def test_one_dub_or_a_batch_and_not_half_of_each(arguments):
    done = subprocess.run([sys.executable, "-m", "components.dub", *arguments.split()], capture_output=True, text=True)
    assert done.returncode == 2
    assert "VIDEO SPEECH -o OUT, or --batch JOBS.csv alone" in done.stderr
