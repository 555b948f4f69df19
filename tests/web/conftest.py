"""The web application that most of these tests ask; a module that needs another one overrides it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.web import Client, Open, Site, open_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as opened:
        yield opened


@pytest.fixture
def client(site: Site) -> Client:
    return site.client()


@pytest.fixture
def open_with(tmp_path: Path) -> Iterator[Open]:
    """Opens a site with settings."""
    with ExitStack() as stack:

        def open_(*, loopback: bool = True, **settings: Any) -> Site:
            return stack.enter_context(open_site(tmp_path, loopback=loopback, **settings))

        yield open_
