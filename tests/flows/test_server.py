"""Flows report to a server that runs."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from flows import server


class Health(BaseHTTPRequestHandler):
    """What Prefect's server answers to its health check."""

    def do_GET(self) -> None:
        """`true` at /api/health, and some page elsewhere."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"true" if self.path == "/api/health" else b"<html>")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    """A server on a free port."""
    with HTTPServer(("127.0.0.1", 0), Health) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_a_running_server_is_found(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(server.VARIABLE, raising=False)
    server.find(f"{address}/api")
    assert os.environ[server.VARIABLE] == f"{address}/api"
    monkeypatch.delenv(server.VARIABLE)


def test_the_users_own_choice_stays(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(server.VARIABLE, "http://elsewhere/api")
    server.find(f"{address}/api")
    assert os.environ[server.VARIABLE] == "http://elsewhere/api"


def test_something_else_on_the_port_is_no_server(address: str) -> None:
    assert not server.healthy(f"{address}/other")
    assert not server.healthy("http://127.0.0.1:1/api")
