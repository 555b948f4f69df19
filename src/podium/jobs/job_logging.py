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


def report_end(job: Job, seconds: float) -> None:
    with running(job):
        log.info("job ended: %s after %.2f s", job.outcome.replace("_", " "), seconds)
    metrics.add(metrics.JOBS, queue=job.queue, outcome=job.outcome)
    metrics.add(metrics.JOB_SECONDS, seconds, queue=job.queue)


class JobObserver(Middleware):
    """Makes each message the current job. It must be the first middleware, so that it observes the others."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._active: set[int] = set()

    @property
    def active(self) -> int:
        return len(self._active)

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        job = Job(q_name(message.queue_name), int(message.args[0]), message.message_id)
        stack = contextlib.ExitStack()
        stack.enter_context(running(job))
        self._local.work = (job, stack, time.monotonic())
        self._active.add(threading.get_ident())

    def after_process_message(self, *_: Any, exception: BaseException | None = None, **__: Any) -> None:
        job, stack, started = self._local.work
        if exception is not None:
            job.outcome = "error"
        report_end(job, time.monotonic() - started)
        self._forget(stack)

    def after_skip_message(self, *_: Any) -> None:
        _job, stack, _started = self._local.work
        self._forget(stack)

    def _forget(self, stack: contextlib.ExitStack) -> None:
        self._active.discard(threading.get_ident())
        stack.close()
