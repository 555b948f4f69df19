"""What a test needs, derived from what it and its fixtures call: nobody has to mark a test by hand.

`server`: PostgreSQL, Valkey or `podium serve`. `browser`: Chromium. Only `long` (minutes) is written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

# Functions that start something, and the marker of the tests that call them.
STARTERS = {
    "running_postgres": "server",
    "running_valkey": "server",
    "serving": "server",
    "ready_boards": "server",
    "serve_site": "server",
    "running_browser": "browser",
}
# Fixtures that are asked for by a parameter's value.
_PARAMETERS = {"postgresql": "server", "redis": "server"}

# The markers of the running test; None outside of pytest, such as in a benchmark.
_running: frozenset[str] | None = None


def derive(item: pytest.Function) -> set[str]:
    """The markers that a test needs."""
    found = {STARTERS[name] for code in _code_of(item) for name in code.co_names if name in STARTERS}
    parameters = getattr(item, "callspec", None)
    for value in parameters.params.values() if parameters else ():
        if isinstance(value, str) and value in _PARAMETERS:
            found.add(_PARAMETERS[value])
    return found


def _code_of(item: pytest.Function) -> Iterator[Any]:
    yield item.function.__code__
    for definitions in item._fixtureinfo.name2fixturedefs.values():
        for definition in definitions:
            # Hypothesis wraps tests, pytest wraps fixtures.
            yield getattr(definition.func, "__wrapped__", definition.func).__code__


def shares_fixture(item: pytest.Function) -> bool:
    """Whether a test shares a fixture with others of its module, and must run in the same process as they."""
    definitions = item._fixtureinfo.name2fixturedefs.values()
    return any(definition.scope in ("module", "package") for each in definitions for definition in each)


def note_running(item: pytest.Item) -> None:
    """Remember the markers of the test that is about to run."""
    global _running  # noqa: PLW0603
    _running = frozenset(mark.name for mark in item.iter_markers())


def require(starter: str) -> None:
    """Fail where a test starts something that its markers do not tell."""
    marker = STARTERS[starter]
    if _running is not None and marker not in _running:
        raise AssertionError(f"this test calls {starter}() in a helper: mark it with @pytest.mark.{marker}")
