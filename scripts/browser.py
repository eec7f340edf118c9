"""Headless Chromium without the internet, by Playwright. The browser is the system's, so Playwright downloads none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

FLAGS = (
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--no-proxy-server",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
SCROLLBARS = ("--hide-scrollbars",)
"""What Playwright would hide, though a page must be wide enough beside them."""
WAIT_MS = 60_000
REVIEW_READY = "body[data-ready=yes]"
"""Of the page of `dubstrap review`, whose players are there then, though not yet their films."""


def executable() -> str | None:
    """Chromium's path, None where it is not installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A fresh Chromium, in which no name but 127.0.0.1 resolves. This thread can't start asyncio loops meanwhile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable(), args=FLAGS, ignore_default_args=SCROLLBARS, timeout=WAIT_MS
        )
        with browser:
            yield browser


class Windows:
    """Windows of a browser. `problems` collects what the consoles complain of (failed loads too), uncaught exceptions
    and foreign addresses.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.problems: list[str] = []

    def open(self, address: str, width_px: int = 1280, ready: str = REVIEW_READY) -> Page:
        """The page in a window of its own, a phone's if narrow, loaded and with an element that says it is ready."""
        phone = width_px < 600
        context = self._browser.new_context(viewport={"width": width_px, "height": 900}, is_mobile=phone)
        context.set_default_timeout(WAIT_MS)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.problems.append(str(error.error)))
        context.on("request", self._request)
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector(ready, state="attached")
        return page

    def close(self) -> None:
        """Closes them all."""
        for context in self._browser.contexts:
            context.close()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self.problems.append(f"{message.text} {message.location['url']}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "about:", "blob:", "http://127.0.0.1:")):
            self.problems.append(f"loads {request.url}")
