"""The system's Chromium, driven by Playwright, which watches that a page does nothing it must not."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect, sync_playwright

from tests.support import markers
from tests.support.npm import UnavailableError, fetched

# Milliseconds that anything may take to come on a busy machine before the test is given up.
expect.set_options(timeout=20_000)

# Chromium loads the two pages of its address bar for every window, which costs as much as a page of Podium. The other
# names are those of Playwright that pages could notice: the last list counts.
_OFF = (
    "WebUIOmniboxAimPopup,WebUIOmniboxPopup,AimEnabled,AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,"
    "HttpsFirstBalancedModeAutoEnable,HttpsUpgrades,LensOverlay,MediaRouter,OptimizationHints,PaintHolding,"
    "PreconnectToSearch,ThirdPartyStoragePartitioning"
)
_ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", f"--disable-features={_OFF}"]

AXE = "axe-core@4.14.1"
# A picture of one pixel: what stands in for faces, which have tests of their own.
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63f8cfc0f01f0005000"
    "1ff56c72f0d0000000049454e44ae426082"
)
_PICTURE = {
    "responseCode": 200,
    "responseHeaders": [{"name": "Content-Type", "value": "image/png"}],
    "body": base64.b64encode(_PIXEL).decode(),
}


# The headless shell runs the same pages for a third of the CPU: it has no window of its own to draw.
_SHELL = "chromium-headless-shell"


def chromium(*, may_be_shell: bool = True) -> str:
    """Where Chromium is; a test that needs it is skipped where it is not."""
    names = ("chromium", "chromium-browser", "google-chrome")
    for name in (_SHELL, *names) if may_be_shell else names:
        if found := shutil.which(name):
            return found
    pytest.skip("NO BROWSER: chromium is not installed (apt-get install chromium): the page is not tested in one")


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    """A headless Chromium."""
    markers.require("running_browser")
    path = chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        try:
            yield started
        finally:
            started.close()


@contextlib.contextmanager
def keeping_pages(browser: Browser) -> Iterator[Browser]:
    """Another browser, with the back/forward cache, which Playwright switches off and the headless shell lacks.

    Playwright sees no page load when a page comes back from there: go back by script.
    """
    started = browser.browser_type.launch(
        executable_path=chromium(may_be_shell=False),
        args=_ARGUMENTS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    try:
        yield started
    finally:
        started.close()


@dataclasses.dataclass
class Watched:
    """A browser's window on one server, and everything that its pages did wrong.

    expected: parts of what the console may say, such as that a request failed. It may say so late.
    """

    context: BrowserContext
    base: str
    expected: tuple[str, ...] = ()
    wrongs: list[str] = dataclasses.field(default_factory=list)
    asked: list[str] = dataclasses.field(default_factory=list)

    def page(self, path: str = "/") -> Page:
        """A new page at that path of the server."""
        page = self.context.new_page()
        page.set_default_timeout(20_000)
        _give_pictures(page)
        # Errors of scripts and of the network, and violations of the Content-Security-Policy.
        page.on("console", lambda message: self._read(page, message))
        page.on("pageerror", lambda error: self.wrongs.append(f"{page.url}: {error}"))
        page.on("request", lambda request: self._asked(request.url))
        page.goto(self.base + path)
        return page

    def _read(self, page: Page, message: ConsoleMessage) -> None:
        if message.type in _WRONG and _NO_WEB_SHARE not in message.text:
            self.wrongs.append(f"{page.url}: {message.text}")

    def _asked(self, url: str) -> None:
        self.asked.append(url)
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != self.base:
            self.wrongs.append(f"asked elsewhere: {url}")


_WRONG = ("error", "warning")
# Chromium on Linux cannot share, so it does not know the name of the permission.
_NO_WEB_SHARE = "Unrecognized feature: 'web-share'"


@contextlib.contextmanager
def watched(browser: Browser, base: str, **options: Any) -> Iterator[Watched]:
    """A window on the server at ``base``, in which nothing may go wrong."""
    context = browser.new_context(**options)
    window = Watched(context, base)
    try:
        yield window
    finally:
        context.close()
    wrongs = [wrong for wrong in window.wrongs if not any(text in wrong for text in window.expected)]
    assert wrongs == [], repr(wrongs)


def _give_pictures(page: Page) -> None:
    """Answer requests for faces with a picture of one pixel.

    Playwright's own routes stop every request of a page and switch its cache off.
    """
    session = page.context.new_cdp_session(page)

    def fulfill(event: dict[str, Any]) -> None:
        # The page may have been closed.
        with contextlib.suppress(Error):
            session.send("Fetch.fulfillRequest", {"requestId": event["requestId"], **_PICTURE})

    session.on("Fetch.requestPaused", fulfill)
    session.send("Fetch.enable", {"patterns": [{"urlPattern": "*/avatars/*"}]})


def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page for people who use a screen reader or a keyboard.

    Skipped where npm cannot fetch axe.
    """
    try:
        axe = fetched(AXE, "axe.min.js").read_text(encoding="utf-8")
    except UnavailableError as error:
        pytest.skip(f"NO AXE: {error}, so the page's accessibility is not tested")
    # Run from outside of the page's own policy, which allows no foreign script.
    page.evaluate(axe)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['html'][:200]} ({node['failureSummary'][:300]})"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
