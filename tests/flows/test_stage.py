"""A stage's failure says what failed, how, and what to do."""

import pytest

from flows import stage


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("ERROR: failed to reproduce 'crop': failed to run: python -m components.crop, exited with 2", 2),
        ("ERROR: failed to reproduce 'crop': failed to run: python -m components.crop, exited with -9", -9),
        ("ERROR: 'dvc.yaml' is invalid.", 255),
    ],
)
def test_the_exit_code_is_the_stages_own(output: str, code: int) -> None:
    assert stage.exit_code(output, 255) == code


def test_the_message_names_stage_lines_and_commands() -> None:
    text = str(stage.StageError("crop", 1, ("one", "two")))
    assert "stage crop failed with exit code 1" in text
    assert "  one\n  two\n" in text
    assert "dvc repro --single-item crop" in text
