"""From answers to a rights.yaml."""

from dataclasses import dataclass
from pathlib import Path

from components.core.base.errors import UserError
from components.core.media import rights
from components.core.media.rights import Rights


@dataclass(frozen=True)
class Answers:
    """What the user said, as typed."""

    speaker: str
    licence: str
    consent: str
    permitted: str
    """Uses between commas; empty permits nothing."""
    source: str
    language: str


def run(folder: Path, answers: Answers, overwrite: bool) -> Path:
    """Writes the folder's rights.yaml and returns its path.

    Raises:
        UserError: no such folder, a file is already there, an answer is empty, or a use is not known.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder", expected="a speaker's folder, such as data/footage/anna")
    path = folder / rights.NAME
    if path.exists() and not overwrite:
        raise UserError(f"{path} is already there", fix="Edit it, or add --overwrite.")
    permitted = tuple(use.strip() for use in answers.permitted.split(",") if use.strip())
    try:
        agreed = Rights(
            speaker=answers.speaker,
            licence=answers.licence,
            consent=answers.consent,
            permitted=permitted,
            source=answers.source,
            language=answers.language,
        )
    except ValueError as error:
        raise UserError(f"{path} was not written", got=str(error)) from None
    return rights.save(folder, agreed)
