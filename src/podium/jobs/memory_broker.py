"""Messages in the memory of this process: the default."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.common import dq_name
from dramatiq.middleware import Middleware

from podium.jobs.queues import Depth


class MemoryBackend:
    """Implements :class:`podium.jobs.broker.Backend`."""

    source = "memory"

    def __init__(self) -> None:
        self._brokers: dict[str, StubBroker] = {}
        self._filled = False

    def broker(self, queue: str, middleware: list[Middleware], /) -> dramatiq.Broker:
        return self._brokers.setdefault(queue, StubBroker(middleware=middleware))

    def check(self) -> None:
        """Do nothing: memory is always available."""

    def waiting(self, *queues: str) -> int:
        return sum(self._brokers[queue].queues[queue].qsize() for queue in queues)

    def is_fresh(self) -> bool:
        return not self._filled

    def note_filled(self) -> None:
        self._filled = True

    def depths(self) -> Mapping[str, Depth]:
        return {queue: _depth(broker, queue) for queue, broker in self._brokers.items()}

    def forget_dead(self, repository_ids: Collection[int] | None, /) -> int:
        return sum(
            _forget(broker.dead_letters_by_queue[queue], repository_ids) for queue, broker in self._brokers.items()
        )


def _depth(broker: StubBroker, queue: str) -> Depth:
    messages = broker.queues[queue]
    waiting = messages.qsize()
    return Depth(
        waiting=waiting,
        active=max(0, messages.unfinished_tasks - waiting),
        delayed=broker.queues[dq_name(queue)].unfinished_tasks,
        dead=len(broker.dead_letters_by_queue[queue]),
    )


def _forget(dead: list[dramatiq.MessageProxy], repository_ids: Collection[int] | None) -> int:
    before = len(dead)
    # In place: the queue's consumer holds this list.
    dead[:] = [] if repository_ids is None else [each for each in dead if each.args[0] not in repository_ids]
    return before - len(dead)
