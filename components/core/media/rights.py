"""Who may be seen, and for what: the rights.yaml beside each speaker's footage."""

import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from components.core.base import files
from components.core.media.video import MediaError

NAME = "rights.yaml"
USES = ("train", "dub", "publish")
UNKNOWN_LANGUAGE = "und"


@dataclass(frozen=True)
class Rights:
    """What the person shown has agreed to."""

    speaker: str
    """Who it is."""
    licence: str
    """Under which terms the footage may be used, an SPDX name where there is one."""
    consent: str
    """How and when the person agreed."""
    permitted: tuple[str, ...]
    """Out of USES: train a model on it, dub it, publish results."""
    source: str
    """Where the footage is from."""
    language: str = UNKNOWN_LANGUAGE
    """What is spoken, as an ISO 639 code."""

    def __post_init__(self) -> None:
        for name in ("speaker", "licence", "consent", "source", "language"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} is empty")
        unknown = sorted(set(self.permitted) - set(USES))
        if unknown:
            raise ValueError(f"permitted has {', '.join(unknown)}, known are {', '.join(USES)}")


def load(folder: Path) -> Rights:
    """The rights of a speaker's folder; keys that are not ours are notes.

    Raises:
        MediaError: no_rights where the file is absent or says too little, with the command that writes it;
            rights_refused where it says that there is no consent.
    """
    path = folder / NAME
    fix = f"run `dubstrap rights {shlex.quote(str(folder))}`"
    if not path.is_file():
        raise MediaError("no_rights", f"{folder.name} has no {NAME}: {fix}")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MediaError("no_rights", f"{path} is not YAML ({' '.join(str(error).split())}): {fix}") from error
    if not isinstance(values, dict):
        raise MediaError("no_rights", f"{path} holds no keys: {fix}")
    if values.get("consent") is False:
        raise MediaError("rights_refused", f"{path} says that there is no consent")
    return _build(values, path, fix)


def save(folder: Path, rights: Rights) -> Path:
    """Writes the folder's rights.yaml and returns its path."""
    values = {**asdict(rights), "permitted": list(rights.permitted)}
    files.write_text(folder / NAME, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
    return folder / NAME


def _build(values: dict[Any, Any], path: Path, fix: str) -> Rights:
    missing = [name for name in ("speaker", "licence", "consent", "permitted", "source") if values.get(name) is None]
    if missing:
        raise MediaError("no_rights", f"{path} does not say {', '.join(missing)}: {fix}")
    permitted = values["permitted"]
    try:
        return Rights(
            speaker=str(values["speaker"]),
            licence=str(values["licence"]),
            consent=str(values["consent"]),
            permitted=tuple(map(str, permitted if isinstance(permitted, list) else [permitted])),
            source=str(values["source"]),
            language=str(values.get("language", UNKNOWN_LANGUAGE)),
        )
    except ValueError as error:
        raise MediaError("no_rights", f"{path}: {error}: {fix}") from error
