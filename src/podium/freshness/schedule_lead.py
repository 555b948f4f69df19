"""Which of all processes with the same queues runs the schedule and the checks of hooks.

One that works on the user queue: those have the token, with which GitHub answers for a hundred repositories at once.
One that only counts needs no token. It stands in while no other does it, for example where user workers are jobs that
end.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from podium.jobs.messages.queues import SharedBacklog

# Seconds without a process of the user queue until another one stands in: one that restarts is back before.
PATIENCE = 60.0


class ScheduleLead:
    """Decides whether this process is the one that runs the schedule.

    Args:
        seconds: for which a process leads after it was asked.
        works_on_users: whether this process works on the user queue.
    """

    def __init__(
        self,
        backlog: SharedBacklog,
        seconds: float,
        *,
        works_on_users: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backlog = backlog
        self._seconds = seconds
        self._works_on_users = works_on_users
        self._clock = clock
        self._seen_at = clock()

    def __call__(self) -> bool:
        """Whether this process leads.

        Raises:
            QueueError: the queue did not answer.
        """
        if self._works_on_users:
            return self._backlog.leads("schedule", self._seconds)
        if self._backlog.has_leader("schedule"):
            self._seen_at = self._clock()
        is_patient = self._clock() - self._seen_at < PATIENCE
        return not is_patient and self._backlog.leads("schedule-stand-in", self._seconds)
