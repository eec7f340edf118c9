"""Whether the person shown may be dubbed: the rights.yaml beside the video, or the word of the user."""

import shlex
from pathlib import Path

from components.core.media import rights
from components.core.media.video import MediaError

USE = "dub"
STATED = "stated by the user: --i-have-consent"


def basis(path: Path, stated: bool) -> str:
    """On what grounds the video may be dubbed, in words.

    A rights.yaml has the last word: what it refuses, nobody can state.

    Raises:
        MediaError: rights_refused where the rights.yaml does not permit it, no_rights where there is none and nobody
            states that there is consent.
    """
    folder = path.resolve().parent
    if (folder / rights.NAME).is_file():
        found = rights.load(folder)
        if USE not in found.permitted:
            allowed = ", ".join(found.permitted) or "nothing"
            detail = f"{folder / rights.NAME} permits {allowed} of {found.speaker}'s footage, and not to {USE} it"
            raise MediaError("rights_refused", detail)
        return f"{rights.NAME}: {found.speaker}, {found.licence}, {found.consent}"
    if stated:
        return STATED
    detail = (
        f"{path.name} has no {rights.NAME} beside it that says that its speaker agrees to be dubbed: "
        f"run `dubstrap rights {shlex.quote(str(folder))}`, or add --i-have-consent if you have that consent"
    )
    raise MediaError("no_rights", detail)
