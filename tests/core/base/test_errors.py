"""A UserError is one line and exit code 2; anything else is a bug and stays a traceback."""

import pytest

from components.core.base.errors import UserError, shell


def test_the_parts_make_one_line() -> None:
    error = UserError("a.mp4 can't be read", got="text\nfile", expected="video", fix="Give another.")
    assert str(error) == "a.mp4 can't be read; got text file; expected video. Give another."
    assert str(UserError("only this")) == "only this"


def test_the_shell_turns_it_into_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    @shell
    def main() -> None:
        raise UserError("wrong", fix="Mend it.")

    with pytest.raises(SystemExit) as leaving:
        main()
    assert leaving.value.code == 2
    assert capsys.readouterr().err == "error: wrong. Mend it.\n"


def test_the_shell_lets_other_errors_through() -> None:
    @shell
    def main() -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        main()
