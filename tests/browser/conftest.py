"""The browser, and the ready-made boards, that all of these tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import Watched, running_browser, watched
from tests.support.ready_boards import ReadyBoards, ready_boards


# Not for longer: Playwright's event loop runs until the browser is closed, and other tests call asyncio.run().
@pytest.fixture(scope="package")
def chrome() -> Iterator[Browser]:
    """A headless Chromium; each test opens windows of its own in it."""
    with running_browser() as started:
        yield started


@pytest.fixture(scope="package")
def boards(chrome: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadyBoards]:
    """Boards by name, each counted when it is first asked for."""
    with ready_boards(tmp_path_factory.mktemp("boards")) as ready:
        yield ready


@pytest.fixture
def window(chrome: Browser, boards: ReadyBoards) -> Iterator[Watched]:
    """A window on the ready-made boards, in which nothing may go wrong."""
    with watched(chrome, boards.base) as opened:
        yield opened
