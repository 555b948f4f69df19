"""Telling of each job that this process works off: the ids on its log lines, how long it took, and how it ended."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import Any

from dramatiq.broker import Broker, MessageProxy
from dramatiq.common import q_name
from dramatiq.middleware import Middleware

from podium.telemetry import metrics
from podium.telemetry.current_job import Job, running

log = logging.getLogger(__name__)


def tell_end(job: Job, took: float) -> None:
    """Say that ``job`` has ended, after so many seconds."""
    with running(job):
        log.info("job ended: %s after %.2f s", job.outcome.replace("_", " "), took)
    metrics.add(metrics.JOBS, queue=job.queue, outcome=job.outcome)
    metrics.add(metrics.JOB_SECONDS, took, queue=job.queue)


class Observe(Middleware):
    """Dramatiq's middleware around each message; the first one, so that it sees what the others do."""

    def __init__(self) -> None:
        self._of_thread = threading.local()
        self._active: set[int] = set()

    @property
    def active(self) -> int:
        """How many messages are being worked on in this process right now."""
        return len(self._active)

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        """Dramatiq's hook."""
        job = Job(q_name(message.queue_name), int(message.args[0]), message.message_id)
        stack = contextlib.ExitStack()
        stack.enter_context(running(job))
        self._of_thread.work = (job, stack, time.monotonic())
        self._active.add(threading.get_ident())

    def after_process_message(self, *_: Any, exception: BaseException | None = None, **__: Any) -> None:
        """Dramatiq's hook."""
        job, stack, started = self._of_thread.work
        if exception is not None:
            job.outcome = "error"
        tell_end(job, time.monotonic() - started)
        self._forget(stack)

    def after_skip_message(self, *_: Any) -> None:
        """Dramatiq's hook."""
        _job, stack, _started = self._of_thread.work
        self._forget(stack)

    def _forget(self, stack: contextlib.ExitStack) -> None:
        self._active.discard(threading.get_ident())
        stack.close()
