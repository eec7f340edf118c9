"""Decisions are kept or refused with a reason; nobody comes in from elsewhere."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest
from starlette.testclient import TestClient

from components.core.base import reviews
from components.core.base.errors import UserError
from components.review import server
from components.review.server import Address, Target
from tests.review import world
from tests.review.world import HOSTILE

GIVEN = {"kind": "pair", "id": "p--0", "verdict": "reject", "comment": HOSTILE, "reviewer": "Ann"}
TARGET = Target("abc", "0123456789ab")
ROOT = Path(__file__).resolve().parents[2]
HOME = "http://127.0.0.1:8300"


def client(site: Path, folder: Path, token: str = "") -> TestClient:
    return TestClient(server.app(site, folder, TARGET, token), base_url=HOME)


def test_a_decision_is_kept_and_given_back(site: Path, tmp_path: Path):
    with client(site, tmp_path) as browser:
        answer = browser.post("/api/decisions", json=GIVEN)
        assert answer.status_code == 201
        assert browser.get("/api/decisions").json() == [answer.json()]
    (kept,) = reviews.read(tmp_path)
    assert (kept.comment, kept.run, kept.id) == (HOSTILE, TARGET.run, "p--0")
    assert [path.name for path in tmp_path.iterdir()] == ["abc.jsonl"]
    with client(site, tmp_path) as browser:  # another start of the server
        assert len(browser.get("/api/decisions").json()) == 1


def test_a_line_that_is_no_decision_is_named_while_serving(site: Path, tmp_path: Path):
    browser = client(site, tmp_path)
    (tmp_path / "merged.jsonl").write_text("<<<<<<< HEAD\n")
    answer = browser.get("/api/decisions")
    assert answer.status_code == 500
    assert "line 1 of" in answer.json()["error"]
    assert "merged.jsonl is no decision" in answer.json()["error"]
    assert browser.post("/api/decisions", json=GIVEN).status_code == 201  # of another file
    (tmp_path / "merged.jsonl").unlink()
    assert len(browser.get("/api/decisions").json()) == 1


def test_decisions_of_other_runs_stand_and_say_whose_they_are(site: Path, tmp_path: Path):
    reviews.append(tmp_path / "old.jsonl", reviews.Decision(reviews.now(), "other", "pair", "p", "reject", "", "Bob"))
    (shown,) = client(site, tmp_path).get("/api/decisions").json()
    assert (shown["run"], shown["id"], shown["verdict"]) == ("other", "p", "reject")


def test_what_others_wrote_stands_outside_of_our_origin(site: Path, tmp_path: Path):
    browser = client(site, tmp_path)
    policy = {
        address: browser.get(address).headers["content-security-policy"]
        for address in (
            "/",
            "/index.html",
            "/films/00000.mp4",
            "/drift.html",
            "/pairs_docs/index.html",
            "/api/decisions",
        )
    }
    assert all(text.split("; ").count("default-src 'none'") == 1 for text in policy.values())
    assert {address for address, text in policy.items() if not text.startswith("sandbox allow-scripts;")} == {
        "/", "/index.html", "/films/00000.mp4",
    }  # fmt: skip
    assert "allow-same-origin" not in "".join(policy.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdict": "maybe"}, "verdict must be one of"),
        ({"reviewer": ""}, "reviewer must have"),
        ({"verdict": "comment", "comment": ""}, "needs words"),
        ({"comment": "x" * 70_000}, "at most"),
        ({"time": "2020"}, "is given as"),
    ],
)
def test_what_is_no_decision_is_refused_and_not_written(
    site: Path, tmp_path: Path, change: dict[str, str], message: str
):
    answer = client(site, tmp_path).post("/api/decisions", json=GIVEN | change)
    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert list(tmp_path.iterdir()) == []


def test_forms_and_broken_json_are_refused(site: Path, tmp_path: Path):
    browser = client(site, tmp_path)
    assert browser.post("/api/decisions", data=GIVEN).status_code == 400
    headers = {"content-type": "application/json"}
    assert browser.post("/api/decisions", content=b"{", headers=headers).status_code == 400
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"host": "rebound.example:8300"},
        {"origin": "http://127.0.0.1:9"},
    ],
)
def test_other_sites_and_rebound_names_are_refused(site: Path, tmp_path: Path, headers: dict[str, str]):
    assert client(site, tmp_path).post("/api/decisions", json=GIVEN, headers=headers).status_code == 403
    assert list(tmp_path.iterdir()) == []


def test_beyond_loopback_the_token_is_asked_for(site: Path, tmp_path: Path):
    browser = client(site, tmp_path, token="secret")
    assert browser.get("/").status_code == 401
    assert browser.get("/?token=wrong").status_code == 401
    assert browser.post("/api/decisions", json=GIVEN).status_code == 401
    assert "open the address with its token" in browser.get("/api/decisions").text  # what the page shows
    entered = browser.get("/?token=secret")
    assert entered.status_code == 200
    assert "secret" not in str(entered.url)
    assert browser.post("/api/decisions", json=GIVEN).status_code == 201


def test_films_can_be_read_in_parts_and_nothing_outside(site: Path, tmp_path: Path):
    browser = client(site, tmp_path)
    part = browser.get("/films/00000.mp4", headers={"range": "bytes=0-9"})
    assert (part.status_code, len(part.content)) == (206, 10)
    assert browser.get("/../../etc/passwd").status_code == 404
    assert browser.get("/%2e%2e/%2e%2e/etc/passwd").status_code == 404


def test_two_servers_on_one_port():
    first = server.listen(Address("127.0.0.1", 0))
    port = first.getsockname()[1]
    try:
        with pytest.raises(UserError, match=rf"127\.0\.0\.1:{port}.*another review.*--port {port + 1}"):
            server.listen(Address("127.0.0.1", port))
    finally:
        first.close()
    with pytest.raises(UserError, match="cannot serve"):
        server.listen(Address("127.0.0.1", 99999))


def test_what_is_loopback():
    assert [Address(host, 1).is_loopback for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "10.0.0.1")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert Address("127.0.0.1", 1).token == ""
    beyond = Address("0.0.0.0", 1)
    assert len(beyond.token) > 30
    assert beyond.token == beyond.token != Address("0.0.0.0", 1).token


def test_the_command_says_where_it_listens_until_it_is_interrupted(tmp_path: Path):
    command = [sys.executable, "-m", "components", "review", "--serve", "--port", "0", "--workers", "1"]
    folder, environment = world.write(tmp_path / "project"), {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            said = next(line for line in process.stderr if "stop with Ctrl-C" in line)
            (port,) = re.findall(r"review at http://127\.0\.0\.1:(\d+)/ ", said)
            assert port != "0"
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
                assert b"Review of the workspace" in answer.read()
            connections = psutil.Process(process.pid).net_connections()
            assert {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
            process.send_signal(signal.SIGINT)
            _, rest = process.communicate(timeout=60)
        finally:
            process.kill()
    assert "Traceback" not in rest
    assert process.returncode in (0, 128 + signal.SIGINT)
