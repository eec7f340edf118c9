"""Content Credentials (C2PA) of the result: what it was made of and by what, signed, without any network."""

import importlib.metadata
import io
import logging
import mimetypes
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from components.core.base.errors import UserError
from components.dub.output import FORMATS

TYPES = {"mp4": "video/mp4", "mov": "video/quicktime", "matroska": "video/x-matroska"}
"""Media types of the containers."""
BESIDE = ".c2pa"
"""Suffix of the file beside a Matroska file that has its Content Credentials, since C2PA puts none into it."""
TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
LABEL = "org.dubstrap.dub"
TEST_NAME, TEST_ROOT = "dubstrap test certificate, trusted by nobody", "dubstrap test authority"
SETTINGS = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
    # Else signing holds the whole file in memory, twice; and a change of one byte is still found.
    "core": {"backing_store_memory_threshold_in_mb": 16, "merkle_tree_chunk_size_in_kb": 1024},
}
TEST_DAYS = 30
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Signer:
    """A private key and its certificates, leaf first, as PEM; `algorithm` is C2PA's name of it."""

    name: str
    algorithm: str
    key: bytes
    chain: bytes


@dataclass(frozen=True)
class Sources:
    """What a result was made of: the video, the hashes, the model card, and on what grounds."""

    video: Path
    video_sha256: str
    speech_sha256: str
    card_id: str
    consent: str


def beside(path: Path) -> Path | None:
    """The file that the Content Credentials of this one are in, None where they are in the file itself."""
    return path.with_suffix(BESIDE) if FORMATS[path.suffix.lower()] == "matroska" else None


def signer(key: Path | None, chain: Path | None) -> Signer:
    """The user's signer, or one with a test certificate that says that it is one.

    Raises:
        UserError: a file can't be read, or key and certificate do not fit.
    """
    if key is None or chain is None:
        log.warning(
            "Content Credentials are signed with a test certificate; --sign-key and --sign-chain name a real one"
        )
        return _test_signer()
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        leaf = x509.load_pem_x509_certificates(chain.read_bytes())[0]
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"can not sign with {key} and {chain}", got=str(error), expected="PEM files") from error
    if leaf.public_key() != private.public_key():
        raise UserError(f"{key} is not the key of the first certificate in {chain}", fix="The leaf comes first.")
    found = Signer(leaf.subject.rfc4514_string(), _algorithm(private), _pem(private), chain.read_bytes())
    _try(found)
    return found


def sign(path: Path, signed: Path, sources: Sources, by: Signer) -> None:
    """Writes to `signed` the file at `path` with its credentials in it; to one with the suffix BESIDE, them alone.

    Raises:
        UserError: the certificate is not one that C2PA allows.
    """
    media_type = TYPES[FORMATS[path.suffix.lower()]]
    builder, alone = _builder(sources, media_type), signed.suffix == BESIDE
    if alone:
        builder.set_no_embed()
    with path.open("rb") as source, Path(os.devnull if alone else signed).open("w+b") as target:
        manifest = _sign(builder, by, media_type, source, target)
    if alone:
        signed.write_bytes(manifest)


def _try(by: Signer) -> None:
    """Signs a tiny picture, so that a certificate which can not sign is known before the work and not after it."""
    import c2pa
    import cv2
    import numpy as np

    picture = io.BytesIO(cv2.imencode(".png", np.zeros((2, 2, 3), np.uint8))[1].tobytes())
    created = {"action": "c2pa.created", "digitalSourceType": TRAINED}
    manifest: dict[str, Any] = {"claim_generator_info": [{"name": "dubstrap"}]}
    manifest["assertions"] = [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}]
    builder = c2pa.Builder(manifest, c2pa.Context(settings=c2pa.Settings.from_dict(SETTINGS)))
    _sign(builder, by, "image/png", picture, io.BytesIO())


def _sign(builder: Any, by: Signer, media_type: str, source: BinaryIO, target: BinaryIO) -> bytes:
    """Signs, and returns the credentials."""
    import c2pa

    info = c2pa.C2paSignerInfo(by.algorithm, by.chain, by.key, None)
    try:
        with builder:
            return bytes(builder.sign(c2pa.Signer.from_info(info), media_type, source, target))
    except c2pa.C2paError as error:
        raise UserError(f"can not sign as {by.name}", got=str(error), fix="Use a certificate for C2PA.") from error


def _builder(sources: Sources, media_type: str) -> Any:
    """The manifest with the source as the ingredient that was opened, by hash alone where C2PA can't read it."""
    import c2pa

    context = c2pa.Context(settings=c2pa.Settings.from_dict(SETTINGS))
    manifest, path = _manifest(sources, media_type), sources.video
    parent_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
    parent = {
        "title": path.name,
        "relationship": "parentOf",
        "label": "source",
        "instance_id": f"sha256:{sources.video_sha256}",
    }
    builder = c2pa.Builder(manifest, context)
    try:
        with path.open("rb") as file:
            builder.add_ingredient(parent, parent_type, file)
        return builder
    except c2pa.C2paError as error:
        log.info("%s goes into the credentials by its hash alone (%s)", path, error)
        builder.close()
        return c2pa.Builder({**manifest, "ingredients": [{**parent, "format": parent_type}]}, context)


def _manifest(sources: Sources, media_type: str) -> dict[str, Any]:
    agent = {"name": "dubstrap", "version": importlib.metadata.version("dubstrap")}
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["source"]}}
    edited = {
        "action": "c2pa.edited",
        "softwareAgent": agent,
        "digitalSourceType": TRAINED,
        "description": "The lips were re-timed to other speech by a trained algorithm; the sound was replaced.",
        "parameters": {"model_card": sources.card_id},
    }
    about = {
        "source_sha256": sources.video_sha256,
        "speech_sha256": sources.speech_sha256,
        "model_card": sources.card_id,
        "consent": sources.consent,
    }
    return {
        "claim_generator_info": [agent],
        "format": media_type,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [opened, edited]}},
            {"label": LABEL, "data": about},
        ],
    }


@cache
def _test_signer() -> Signer:
    """A certificate of the kind that C2PA asks for, of an authority that nobody knows, made now and never written."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    root, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    certificates = (_certificate(leaf.public_key(), TEST_NAME, root), _certificate(root.public_key(), TEST_ROOT, root))
    chain = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)
    return Signer(TEST_NAME, "es256", _pem(leaf), chain)


def _certificate(public: Any, name: str, root: Any) -> Any:
    """A certificate of the key, signed by the root; the root's own where the key is the root's."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def named(common: str) -> Any:
        pairs = ((NameOID.ORGANIZATION_NAME, "dubstrap"), (NameOID.COMMON_NAME, common))
        return x509.Name([x509.NameAttribute(*pair) for pair in pairs])

    now, own = datetime.now(UTC), public == root.public_key()
    usage = x509.KeyUsage(not own, False, False, False, False, own, own, False, False)
    builder = x509.CertificateBuilder(named(TEST_ROOT), named(name), public, x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=TEST_DAYS))
    builder = builder.add_extension(x509.BasicConstraints(own, 0 if own else None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key())
    builder = builder.add_extension(identifier, critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    if not own:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(root, hashes.SHA256())


def _algorithm(key: Any) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey):
        found = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}.get(key.curve.name)
        if found:
            return found
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    raise UserError(
        "the signing key is of a kind that C2PA does not allow", expected="P-256, P-384, P-521, Ed25519 or RSA"
    )


def _pem(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization as kinds

    return bytes(key.private_bytes(kinds.Encoding.PEM, kinds.PrivateFormat.PKCS8, kinds.NoEncryption()))
