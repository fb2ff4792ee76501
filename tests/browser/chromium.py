"""One Chromium for the tests of a module: found on this machine, never downloaded, and kept off the network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request, Route

HOME = "https://plan.test/"
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def found() -> str:
    """The browser that `CHROMIUM` names, or one on the path; "" when there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM", "") or next((path for name in names if (path := shutil.which(name))), "")


@dataclass
class Opened:
    """A page with everything that it did."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def assert_quiet(self) -> None:
        """It asked for nothing but itself, and neither complained nor said anything."""
        assert self.requests == [HOME]
        assert self.complaints == []
        assert self.dialogs == []

    def assert_fits(self) -> None:
        """The page does not scroll sideways."""
        width, room = self.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert width <= room


@contextmanager
def opened(
    browser: Browser, text: str, *, width: int = 1000, kind: str = "text/html", **options: Any
) -> Iterator[Opened]:
    """A page with this text, in a window of its own; every request is recorded, and none gets out."""
    context = browser.new_context(viewport={"width": width, "height": 700}, **options)
    try:
        context.set_default_timeout(120_000)  # machines under load; nothing waits longer than it must
        result = Opened(context.new_page())

        def serve(route: Route, request: Request) -> None:
            result.requests.append(request.url)
            if request.url == HOME:
                route.fulfill(body=text, content_type=kind)
            else:
                route.abort()

        context.route("**/*", serve)
        result.page.on("console", lambda message: result.complaints.append(message.text))
        result.page.on("pageerror", lambda error: result.complaints.append(str(error)))
        result.page.on("dialog", lambda dialog: (result.dialogs.append(dialog.message), dialog.dismiss()))
        result.page.goto(HOME)
        yield result
    finally:
        context.close()
