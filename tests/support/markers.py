"""What a test needs, derived from what it and its fixtures call: nobody has to mark a test by hand.

`server`: PostgreSQL, Valkey or `podium serve`. `browser`: Chromium. Only `long` (minutes) and `together` (in one
process with the others of its module, or of a name) are written by hand.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
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
    found = set(_needs(item.function))
    for definitions in item._fixtureinfo.name2fixturedefs.values():
        for definition in definitions:
            found |= _needs(definition.func)
    parameters = getattr(item, "callspec", None)
    for value in parameters.params.values() if parameters else ():
        if isinstance(value, str) and value in _PARAMETERS:
            found.add(_PARAMETERS[value])
    return found


@functools.cache
def _needs(function: Any) -> frozenset[str]:
    """The markers of what a function starts, itself or in the functions of the tests that it calls."""
    # Hypothesis wraps tests, pytest wraps fixtures.
    found: set[str] = set()
    ahead = [inspect.unwrap(function)]
    seen = set(ahead)
    while ahead:
        starts, calls = _calls(ahead.pop())
        found |= starts
        ahead += calls - seen
        seen |= calls
    return frozenset(found)


@functools.cache
def _calls(function: Any) -> tuple[set[str], set[Any]]:
    """The markers of what a function starts itself, and the functions of the tests that it calls."""
    names = set(_names_in(function.__code__))
    named = [function.__globals__.get(name) for name in names]
    modules = [value for value in named if isinstance(value, ModuleType) and _is_of_the_tests(value.__name__)]
    named += [getattr(module, name, None) for module in modules for name in names]
    calls = {inspect.unwrap(each) for value in named for each in _functions_of(value)}
    return {STARTERS[name] for name in names if name in STARTERS}, calls


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _functions_of(value: Any) -> list[Any]:
    """A function of the tests, or those of a class of the tests."""
    if isinstance(value, type):
        members = vars(value).values() if _is_of_the_tests(value.__module__) else ()
        return [member for member in members if isinstance(member, FunctionType)]
    function = inspect.unwrap(value) if callable(value) else None
    return [function] if isinstance(function, FunctionType) and _is_of_the_tests(function.__module__) else []


def _is_of_the_tests(module: str) -> bool:
    return module.startswith("tests.")


def group_of(item: pytest.Function) -> str | None:
    """The name of the tests with which a test must run in one process.

    They are those of its module if it shares a fixture with them or says so, or those that say the same name.
    """
    definitions = item._fixtureinfo.name2fixturedefs.values()
    shares = any(definition.scope in ("module", "package") for each in definitions for definition in each)
    says = item.get_closest_marker("together")
    if says is not None and says.args:
        return str(says.args[0])
    return item.nodeid.partition("::")[0] if shares or says is not None else None


def note_running(item: pytest.Item) -> None:
    """Remember the markers of the test that is about to run."""
    global _running  # noqa: PLW0603
    _running = frozenset(mark.name for mark in item.iter_markers())


def require(starter: str) -> None:
    """Fail where a test starts something that its markers do not tell."""
    marker = STARTERS[starter]
    if _running is not None and marker not in _running:
        raise AssertionError(f"this test calls {starter}() in a helper: mark it with @pytest.mark.{marker}")
