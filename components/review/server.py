"""A small server for one person or a few: the page, and what they decide."""

import asyncio
import ipaddress
import json
import logging
import secrets
import socket
from dataclasses import asdict, dataclass
from functools import cached_property
from hmac import compare_digest
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from components.core.base import reviews
from components.core.base.errors import UserError

MAX_BODY = 64_000
COOKIE = "dubstrap_review"
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
GIVEN = ("kind", "id", "verdict", "comment", "reviewer")
PAGE = (
    "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may do; it names its one script itself."""
REPORT = (
    "sandbox allow-scripts; default-src 'none'; img-src data: blob:; font-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""What any other file may do. Others wrote them, so they stand outside of our origin and can't decide anything."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """What is decided about: the revision names the file, the run goes into each decision."""

    rev: str
    run: str


@dataclass(frozen=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @cached_property
    def token(self) -> str:
        """What others have to know; empty where only this machine can reach the address."""
        return "" if self.is_loopback else secrets.token_urlsafe(24)


def serve(listener: socket.socket, address: Address, application: Starlette) -> None:
    """Serves the application until it is interrupted."""
    query = f"?token={address.token}" if address.token else ""
    port = listener.getsockname()[1]  # of port 0 the system makes a free one
    log.info("review at http://%s:%d/%s (stop with Ctrl-C)", address.host, port, query)
    config = uvicorn.Config(application, log_level="warning", access_log=False)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


def listen(address: Address) -> socket.socket:
    """A socket bound to the address.

    Raises:
        UserError: the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        raise UserError(
            f"cannot serve at {address.host}:{address.port}",
            got=str(error),
            expected="an address of this machine and a port that nothing else uses, such as another review",
            fix=f"Stop the other one, or try --port {address.port + 1}.",
        ) from None
    return listener


def app(site: Path, folder: Path, target: Target, token: str) -> Starlette:
    """The server as an ASGI application; an empty token means that only this machine can reach it."""

    async def decided(request: Request) -> Response:
        try:
            return JSONResponse([asdict(decision) for decision in reviews.read(folder)])
        except UserError as error:
            return JSONResponse({"error": str(error)}, status_code=500)

    async def decide(request: Request) -> Response:
        try:
            decision = _decision(await _json(request), target)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        reviews.append(folder / f"{target.rev}.jsonl", decision)
        return JSONResponse(asdict(decision), status_code=201)

    routes = [
        Route("/api/decisions", decided, methods=["GET"]),
        Route("/api/decisions", decide, methods=["POST"]),
        Mount("/", StaticFiles(directory=site, html=True)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, token=token)])


async def _json(request: Request) -> Any:
    """The body, which has to be small JSON; ValueError where it is not."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise ValueError("a decision is sent as application/json")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise ValueError(f"a decision has at most {MAX_BODY} bytes")
    return json.loads(body)


def _decision(values: Any, target: Target) -> reviews.Decision:
    if not isinstance(values, dict) or set(values) != set(GIVEN):
        raise ValueError(f"a decision is given as {', '.join(GIVEN)}")
    return reviews.build({**values, "time": reviews.now(), "run": target.run})


class Guard(BaseHTTPMiddleware):
    """Lets nobody in by a foreign page or name: other sites' requests, rebound names, and callers without the token."""

    def __init__(self, app: Any, token: str) -> None:
        super().__init__(app)
        self._token = token

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        host = request.headers.get("host", "")
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return PlainTextResponse("requests from other sites are refused", status_code=403)
        if not self._token and request.url.hostname not in LOCAL_NAMES:
            return PlainTextResponse("this review answers to localhost only", status_code=403)
        if self._token and not self._knows(request.cookies.get(COOKIE)):
            return self._enter(request)
        response = await call_next(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Cache-Control"] = "no-cache"
        is_ours = request.url.path in ("/", "/index.html") or request.url.path.startswith("/films/")
        response.headers["Content-Security-Policy"] = PAGE if is_ours else REPORT
        return response

    def _knows(self, given: str | None) -> bool:
        return given is not None and compare_digest(given.encode(), self._token.encode())

    def _enter(self, request: Request) -> Response:
        """Trades the token of the address for a cookie, so that it leaves the address bar."""
        if not self._knows(request.query_params.get("token")):
            return PlainTextResponse(
                "open the address with its token, as `dubstrap review` printed it", status_code=401
            )
        answer = RedirectResponse(request.url.path, status_code=303)
        answer.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
        return answer
