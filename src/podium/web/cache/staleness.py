"""Whether the answer to the current request shows what was known before the database went away."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from contextvars import ContextVar

# Seconds for which what was read is served while the database does not answer.
MAX_STALE = 6 * 3600.0


@dataclasses.dataclass(slots=True)
class Staleness:
    """``seconds``: the age of the oldest thing that the answer shows; None: it is current."""

    seconds: float | None = None


_current: ContextVar[Staleness | None] = ContextVar("staleness", default=None)


@contextlib.contextmanager
def noted() -> Iterator[Staleness]:
    """Within it, :func:`note` changes what it yields."""
    staleness = Staleness()
    token = _current.set(staleness)
    try:
        yield staleness
    finally:
        _current.reset(token)


def is_noted() -> bool:
    """Whether the answer to the current request is not current."""
    staleness = _current.get()
    return staleness is not None and staleness.seconds is not None


def note(seconds: float) -> None:
    """The current request uses something that is so old, because nothing newer can be read."""
    staleness = _current.get()
    if staleness is not None:
        staleness.seconds = max(seconds, staleness.seconds or 0.0)
