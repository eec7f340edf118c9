"""Content Credentials: written by a dub, read back, and broken by any change."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from components.core.base.errors import UserError
from components.dub import credentials
from components.dub.credentials import Sources
from components.verify import __main__ as command
from components.verify import core
from tests.dub.builders import save_video

SOURCE_HASH, SPEECH_HASH = "a" * 64, "b" * 64


@pytest.fixture
def clip(tmp_path):
    return save_video(tmp_path / "clip.mp4", [index * 512 for index in range(20)], Fraction(1, 12800))


def signed(clip, source, by=None, suffix=".mp4"):
    """The file that carries the credentials: the clip's copy, or for .c2pa one beside the clip."""
    target = clip.with_suffix(suffix) if suffix == credentials.BESIDE else clip.with_name(f"signed{suffix}")
    sources = Sources(source, SOURCE_HASH, SPEECH_HASH, "card-1", "stated by the user")
    credentials.sign(clip, target, sources, by or credentials.signer(None, None))
    return target


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_what_is_signed_is_read_back_and_says_what_was_done(clip, suffix):
    found = core.run(signed(clip, clip, suffix=suffix))
    assert (found.state, found.signer) == ("Valid", credentials.TEST_NAME)
    assert found.parents == ("clip.mp4",)
    assert found.actions == ("c2pa.opened", f"c2pa.edited {credentials.TRAINED}")
    assert found.about == {
        "source_sha256": SOURCE_HASH,
        "speech_sha256": SPEECH_HASH,
        "model_card": "card-1",
        "consent": "stated by the user",
    }


def test_credentials_of_a_matroska_file_are_beside_it_and_know_every_byte_of_it(tmp_path):
    film = save_video(tmp_path / "film.mkv", [index * 512 for index in range(20)], Fraction(1, 12800))
    data = film.read_bytes()
    signed(film, film, suffix=credentials.BESIDE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.c2pa", "film.mkv"]
    assert film.read_bytes() == data
    found = core.run(film)
    assert (found.state, found.signer, found.parents) == ("Valid", credentials.TEST_NAME, ("film.mkv",))
    assert found.about["source_sha256"] == SOURCE_HASH
    film.write_bytes(data[:-100] + bytes([data[-100] ^ 1]) + data[-99:])
    with pytest.raises(UserError, match=r"film\.mkv do not hold; got .*dataHash\.mismatch"):
        core.run(film)
    for content in (b"", b"nothing of C2PA"):
        (tmp_path / "film.c2pa").write_bytes(content)
        with pytest.raises(UserError, match=r"film\.mkv carries no Content Credentials"):
            core.run(film)
    (tmp_path / "film.c2pa").unlink()
    with pytest.raises(UserError, match=r"film\.mkv carries no Content Credentials"):
        core.run(film)


def test_the_opened_action_carries_its_ingredient(clip):
    manifests = core.run(signed(clip, clip)).manifests
    active = manifests["manifests"][manifests["active_manifest"]]
    actions = next(a["data"]["actions"] for a in active["assertions"] if a["label"].startswith("c2pa.actions"))
    (link,) = actions[0]["parameters"]["ingredients"]
    assert link["url"].endswith(active["ingredients"][0]["label"])


def test_a_dub_of_a_dub_carries_the_history(clip):
    first = signed(clip, clip)
    again = signed(first.rename(clip.with_name("first.mp4")), clip.with_name("first.mp4"), suffix=".mov")
    found = core.run(again)
    assert found.parents == ("first.mp4",)
    assert len(found.manifests["manifests"]) == 2


def test_a_source_that_c2pa_can_not_read_goes_in_by_its_hash(clip, tmp_path, monkeypatch):
    import c2pa

    def refuse(self, *_):
        raise c2pa.C2paError("no such container")

    monkeypatch.setattr(c2pa.Builder, "add_ingredient", refuse)
    assert core.run(signed(clip, clip)).parents == ("clip.mp4",)


def test_one_changed_byte_is_seen(clip):
    path = signed(clip, clip)
    data = bytearray(path.read_bytes())
    data[data.rindex(b"mdat") + 200] ^= 1  # the first is said in the credentials
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"do not hold; got .*bmffHash\.mismatch"):
        core.run(path)


@pytest.mark.parametrize("big", ["result", "source"])
def test_signing_takes_no_memory_of_the_files_size(clip, big):
    weight = 200 << 20
    heavy = clip.with_name("heavy.mp4")
    heavy.write_bytes(clip.read_bytes() + (8 + weight).to_bytes(4, "big") + b"mdat")
    with heavy.open("r+b") as file:
        file.truncate(heavy.stat().st_size + weight)
    result, source = (heavy, clip) if big == "result" else (clip, heavy)
    code = f"""
import re
from pathlib import Path
from components.dub import credentials
from tests.verify.test_verify import signed
clip, result, source = (Path(name) for name in {[str(path) for path in (clip, result, source)]})
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) << 10
by = credentials.signer(None, None)
signed(clip, clip, by)
before = peak()
signed(result, source, by)
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout.splitlines()[-1]) < weight / 4


def test_files_without_credentials_say_so(clip, tmp_path):
    with pytest.raises(UserError, match=r"clip\.mp4 carries no Content Credentials"):
        core.run(clip)
    (tmp_path / "text.mp4").write_text("no video")
    for name in ("text.mp4", "nowhere.mp4"):
        with pytest.raises(UserError, match=name):
            core.run(tmp_path / name)


def chain(folder: Path, key) -> tuple[Path, Path]:
    """A user's own key and a chain of leaf and root, as PEM files."""
    root = ec.generate_private_key(ec.SECP256R1())
    leaf = credentials._certificate(key.public_key(), "Anna's studio", root)
    top = credentials._certificate(root.public_key(), credentials.TEST_ROOT, root)
    (folder / "key.pem").write_bytes(credentials._pem(key))
    (folder / "chain.pem").write_bytes(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in (leaf, top)))
    return folder / "key.pem", folder / "chain.pem"


@pytest.mark.parametrize("kind", ["p256", "p384", "ed25519"])
def test_a_users_own_key_signs(clip, tmp_path, kind):
    keys = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1()}
    key = ec.generate_private_key(keys[kind]) if kind in keys else ed25519.Ed25519PrivateKey.generate()
    by = credentials.signer(*chain(tmp_path, key))
    assert core.run(signed(clip, clip, by)).signer == "Anna's studio"


def test_keys_that_can_not_sign_are_refused(clip, tmp_path):
    key, certificates = chain(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    other = tmp_path / "other.pem"
    other.write_bytes(credentials._pem(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(UserError, match=r"other\.pem is not the key"):
        credentials.signer(other, certificates)
    (tmp_path / "text.pem").write_text("no key")
    with pytest.raises(UserError, match=r"text\.pem"):
        credentials.signer(tmp_path / "text.pem", certificates)
    with pytest.raises(UserError, match=r"nowhere\.pem"):
        credentials.signer(key, tmp_path / "nowhere.pem")


def test_a_certificate_that_c2pa_does_not_allow_is_refused(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self-signed")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    (tmp_path / "key.pem").write_bytes(credentials._pem(key))
    own = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (tmp_path / "chain.pem").write_bytes(own)
    with pytest.raises(UserError, match="can not sign as CN=self-signed"):  # before any work is done
        credentials.signer(tmp_path / "key.pem", tmp_path / "chain.pem")


def test_the_command_prints_for_people_and_as_json(clip, monkeypatch, capsys):
    path = signed(clip, clip)
    monkeypatch.setattr(sys, "argv", ["verify", str(path)])
    command.main()
    said = capsys.readouterr().out
    assert "credentials: Valid." in said
    assert "anybody can make such a name" in said
    assert f"source_sha256: {SOURCE_HASH}" in said
    monkeypatch.setattr(sys, "argv", ["verify", str(path), "--json"])
    command.main()
    assert json.loads(capsys.readouterr().out)["validation_state"] == "Valid"


def test_the_command_refuses_in_one_line(clip):
    done = subprocess.run([sys.executable, "-m", "components.verify", str(clip)], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "clip.mp4" in done.stderr
