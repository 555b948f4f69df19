"""The browser that all of these tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import running_browser


# Not for longer: Playwright's event loop runs until the browser is closed, and other tests call asyncio.run().
@pytest.fixture(scope="package")
def chrome() -> Iterator[Browser]:
    """A headless Chromium; each test opens windows of its own in it."""
    with running_browser() as started:
        yield started
