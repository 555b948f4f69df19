"""Messages that lie in this process: the embedded default."""

from __future__ import annotations

import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware


class EmbeddedBackend:
    """A backend that is empty when its process starts, and is lost with it."""

    def __init__(self) -> None:
        self._brokers: dict[str, StubBroker] = {}
        self._filled = False

    def broker(self, queue: str, middleware: list[Middleware], /) -> dramatiq.Broker:
        """See :class:`podium.jobs.broker.Backend`, as for everything here."""
        return self._brokers.setdefault(queue, StubBroker(middleware=middleware))

    def check(self) -> None:
        """It is always there."""

    def waiting(self, *queues: str) -> int:
        """Never an error here."""
        return sum(self._brokers[queue].queues[queue].qsize() for queue in queues)

    def is_fresh(self) -> bool:
        """Until it was filled once."""
        return not self._filled

    def note_filled(self) -> None:
        """Once and for all."""
        self._filled = True
