"""Messages in the memory of this process: the default."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from typing import Any

import dramatiq
from dramatiq.broker import Consumer
from dramatiq.brokers.stub import StubBroker, _StubConsumer
from dramatiq.common import dq_name
from dramatiq.middleware import Middleware

from podium.jobs.messages.queues import Depth, Task


class _PausableConsumer(_StubConsumer):
    def __init__(self, paused: threading.Event, *arguments: Any) -> None:
        super().__init__(*arguments)  # type: ignore[no-untyped-call]
        self._paused = paused

    def __next__(self) -> Any:
        if self._paused.is_set():
            time.sleep(self.timeout / 1000)
            return None
        return super().__next__()  # type: ignore[no-untyped-call]


class _PausableBroker(StubBroker):
    def __init__(self, paused: threading.Event, middleware: list[Middleware]) -> None:
        super().__init__(middleware=middleware)
        self._paused = paused

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 100) -> Consumer:
        # Delayed messages are still moved to their queue.
        if queue_name in self.delay_queues:
            return super().consume(queue_name, prefetch, timeout)
        queue, dead = self.queues[queue_name], self.dead_letters_by_queue[queue_name]
        return _PausableConsumer(self._paused, queue, dead, prefetch, timeout)


class MemoryBackend:
    """Implements :class:`podium.jobs.messages.broker.Backend`."""

    source = "memory"

    def __init__(self) -> None:
        self._brokers: dict[str, StubBroker] = {}
        self._filled = False

    def broker(self, queue: str, middleware: list[Middleware], paused: threading.Event, /) -> dramatiq.Broker:
        return self._brokers.setdefault(queue, _PausableBroker(paused, middleware))

    def check(self) -> None:
        """Do nothing: memory is always available."""

    def waiting(self, *queues: str) -> int:
        return sum(self._brokers[queue].queues[queue].qsize() for queue in queues)

    def leads(self, _task: Task, _seconds: float, /) -> bool:
        return True

    def has_leader(self, _task: Task, /) -> bool:
        # No other process has these queues.
        return False

    def stop_leading(self) -> None:
        """Do nothing: no other process has these queues."""

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
    # The list is changed in place: the queue's consumer holds it.
    dead[:] = [] if repository_ids is None else [each for each in dead if each.args[0] not in repository_ids]
    return before - len(dead)
