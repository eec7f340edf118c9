import subprocess
import sys
from dataclasses import replace

import pytest

from components.core.base.errors import UserError
from components.core.media import rights
from components.rights.core import Answers, run

ANSWERS = Answers("Ann", "private", "release of 2026-03-01", "train, dub", "own camera", "en")


def test_answers_become_a_file_that_ingest_accepts(tmp_path) -> None:
    assert run(tmp_path, ANSWERS, overwrite=False) == tmp_path / "rights.yaml"
    agreed = rights.load(tmp_path)
    assert (agreed.speaker, agreed.permitted, agreed.language) == ("Ann", ("train", "dub"), "en")


def test_a_file_that_is_there_is_kept_unless_told(tmp_path) -> None:
    run(tmp_path, ANSWERS, overwrite=False)
    with pytest.raises(UserError, match="--overwrite"):
        run(tmp_path, replace(ANSWERS, speaker="Bob"), overwrite=False)
    assert rights.load(tmp_path).speaker == "Ann"
    run(tmp_path, replace(ANSWERS, speaker="Bob"), overwrite=True)
    assert rights.load(tmp_path).speaker == "Bob"


@pytest.mark.parametrize(("change", "says"), [({"permitted": "sell"}, "sell"), ({"consent": " "}, "consent is empty")])
def test_wrong_answers_write_nothing(tmp_path, change, says) -> None:
    with pytest.raises(UserError, match=says):
        run(tmp_path, replace(ANSWERS, **change), overwrite=False)
    assert not list(tmp_path.iterdir())


def test_no_such_folder_is_an_error(tmp_path) -> None:
    with pytest.raises(UserError, match="not a folder"):
        run(tmp_path / "nobody", ANSWERS, overwrite=False)


def test_without_a_terminal_a_missing_flag_is_one_line_and_exit_code_two(tmp_path) -> None:
    command = [sys.executable, "-m", "components.rights", str(tmp_path), "--speaker", "Ann"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --licence is missing")
    assert done.stderr.count("\n") == 1
