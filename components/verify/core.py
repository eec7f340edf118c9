"""Content Credentials as a file carries them, checked without any network."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.base.errors import UserError

LABEL, MATROSKA = "org.dubstrap.dub", (".mkv", ".webm")
OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
TRUST = {
    "Trusted": "The signer is on a trust list of this machine.",
    "Valid": "Nothing was changed since it was signed. The signer is on no trust list: anybody can make such a name.",
}


@dataclass(frozen=True)
class Credentials:
    """What a file says of itself.

    Attributes:
        state: "Trusted", or "Valid" where the signer is not on a trust list.
        signer: the name in the certificate.
        actions: what was done, each with the kind of source it made.
        parents: titles of the files that were opened.
        about: dubstrap's own assertion: hashes of the sources, model card, consent; empty in others' files.
        manifests: everything, as C2PA's JSON.
    """

    state: str
    signer: str
    actions: tuple[str, ...]
    parents: tuple[str, ...]
    about: dict[str, str]
    manifests: dict[str, Any]


def run(path: Path) -> Credentials:
    """The credentials of the file: those in it, or of a Matroska file those in the .c2pa file of its name beside it.

    Raises:
        UserError: there is no file, none are in it, or they do not hold.
    """
    import c2pa

    if not path.is_file():
        raise UserError(f"{path} does not exist")
    beside = path.with_suffix(".c2pa")
    context = c2pa.Context(settings=c2pa.Settings.from_dict(OFFLINE))
    try:
        manifest = beside.read_bytes() if path.suffix.lower() in MATROSKA and beside.is_file() else None
        with path.open("rb") as file, c2pa.Reader(None, file, manifest, context) as reader:
            state, values = reader.get_validation_state(), json.loads(reader.json())
    except (c2pa.C2paError, OSError) as error:
        raise UserError(f"{path} carries no Content Credentials that can be read", got=str(error)) from error
    if state not in TRUST:
        failed = values.get("validation_results", {}).get("activeManifest", {}).get("failure", [])
        said = ", ".join(f"{one['code']} ({one.get('explanation', '')})" for one in failed)
        raise UserError(f"the Content Credentials of {path} do not hold", got=said or str(state))
    return _read(values, str(state))


def text(found: Credentials) -> str:
    """The credentials for people."""
    lines = [f"credentials: {found.state}. {TRUST[found.state]}", f"signed by:   {found.signer}"]
    lines += [f"opened:      {title}" for title in found.parents]
    lines += [f"action:      {action}" for action in found.actions]
    return "\n".join([*lines, *(f"{key}: {value}" for key, value in sorted(found.about.items()))])


def _read(values: dict[str, Any], state: str) -> Credentials:
    active = values["manifests"][values["active_manifest"]]
    assertions: dict[str, Any] = {one["label"]: one["data"] for one in active.get("assertions", [])}
    actions: list[dict[str, str]] = next(
        (data["actions"] for label, data in assertions.items() if label.startswith("c2pa.actions")), []
    )
    signature = active.get("signature_info", {})
    return Credentials(
        state=state,
        signer=str(signature.get("common_name") or signature.get("issuer")),
        actions=tuple(" ".join(filter(None, (a["action"], a.get("digitalSourceType")))) for a in actions),
        parents=tuple(one["title"] for one in active.get("ingredients", []) if one["relationship"] == "parentOf"),
        about=assertions.get(LABEL, {}),
        manifests=values,
    )
