"""Whether a process can do its work: named checks, run no more often than is useful, and never waited for long."""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import enum
import logging
import threading
import time
from collections.abc import Callable, Sequence

from podium.errors import PodiumError

log = logging.getLogger(__name__)

# Seconds from the end of one round of checks to the next.
EVERY = 5.0
# Seconds in which a check must answer. Probes give up after four or five.
DEADLINE = 3.0

_NO_THREAD = "This process cannot start a thread: raise its limit of processes."


class Stops(enum.IntEnum):
    """What a problem stops."""

    # Something is worse: accounts stay unresolved, for example.
    NOTHING = 0
    # Submissions, counts or look-ups.
    WORK = 1
    # Reads too: only what is cached can be served.
    READS = 2


@dataclasses.dataclass(frozen=True, slots=True)
class FoundProblem:
    """What a check found.

    Attributes:
        code: the name of the check.
        message: what happened and what to do, for the operator: it may name hosts and folders.
        summary: the same for everyone.
    """

    code: str
    message: str
    summary: str
    stops: Stops


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """One thing that a process needs.

    Attributes:
        summary: what is wrong if the check fails, as a sentence without its period.
        look: returns a message or raises a ``PodiumError`` if something is wrong. It may take long.
    """

    name: str
    summary: str
    stops: Stops
    look: Callable[[], str | None]


class Readiness:
    """Runs checks for all who ask, in threads of its own. Thread-safe.

    All who ask while the checks run wait for the same result, and those who ask within :data:`EVERY` seconds of it get
    it again. A check that does not answer by :data:`DEADLINE` is a problem until it answers; it is not started again
    meanwhile, and later rounds do not wait for it.
    """

    def __init__(
        self,
        checks: Sequence[Check] = (),
        *,
        every: float = EVERY,
        deadline: float = DEADLINE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks = list(checks)
        self._every = every
        self._deadline = deadline
        self._clock = clock
        self._lock = threading.Lock()
        self._round: concurrent.futures.Future[tuple[FoundProblem, ...]] | None = None
        self._ended_at = float("-inf")
        self._unanswered: dict[str, concurrent.futures.Future[str | None]] = {}
        self._logged: frozenset[str] = frozenset()

    def add(self, check: Check) -> None:
        with self._lock:
            self._checks.append(check)

    def problems(self) -> tuple[FoundProblem, ...]:
        """Return the problems of the last round, or of a new one; wait :data:`DEADLINE` seconds at most."""
        return self._current().result()

    async def problems_async(self) -> tuple[FoundProblem, ...]:
        """Like :meth:`problems`, without a thread of the event loop: a hanging database may hold all of them."""
        return await asyncio.wrap_future(self._current())

    @property
    def checks(self) -> tuple[Check, ...]:
        return tuple(self._checks)

    def _current(self) -> concurrent.futures.Future[tuple[FoundProblem, ...]]:
        with self._lock:
            found = self._round
            if found is not None and (not found.done() or self._clock() - self._ended_at < self._every):
                return found
            found = self._round = concurrent.futures.Future()
            # One that waits cannot cancel it for the others.
            found.set_running_or_notify_cancel()
            checks = tuple(self._checks)
        try:
            threading.Thread(target=self._run, args=(checks, found), name="readiness", daemon=True).start()
        except RuntimeError:
            found.set_result((FoundProblem("threads", _NO_THREAD, _NO_THREAD, Stops.READS),))
        return found

    def _run(self, checks: Sequence[Check], result: concurrent.futures.Future[tuple[FoundProblem, ...]]) -> None:
        late = {name for name, answer in self._unanswered.items() if not answer.done()}
        answers = {check.name: self._unanswered[check.name] for check in checks if check.name in late}
        answers |= {check.name: _started(check) for check in checks if check.name not in late}
        concurrent.futures.wait([answers[name] for name in answers if name not in late], timeout=self._deadline)
        found = [problem for check in checks if (problem := self._judge(check, answers[check.name])) is not None]
        self._unanswered = {name: answer for name, answer in answers.items() if not answer.done()}
        # A database that is away is one problem, although neither reads nor writes work.
        distinct: dict[str, FoundProblem] = {}
        for problem in found:
            distinct.setdefault(problem.message, problem)
        problems = tuple(distinct.values())
        self._log(problems)
        with self._lock:
            self._ended_at = self._clock()
        result.set_result(problems)

    def _judge(self, check: Check, answer: concurrent.futures.Future[str | None]) -> FoundProblem | None:
        if answer.done():
            message = answer.result()
        else:
            message = f"{check.summary}: it has not answered for {self._deadline:g} seconds."
        return None if message is None else FoundProblem(check.name, message, f"{check.summary}.", check.stops)

    def _log(self, problems: Sequence[FoundProblem]) -> None:
        messages = frozenset(problem.message for problem in problems)
        for message in sorted(messages - self._logged):
            log.warning("not ready: %s", message)
        if self._logged and not messages:
            log.info("ready again")
        self._logged = messages


def _started(check: Check) -> concurrent.futures.Future[str | None]:
    answer: concurrent.futures.Future[str | None] = concurrent.futures.Future()

    def run() -> None:
        try:
            answer.set_result(check.look())
        except PodiumError as error:
            answer.set_result(error.message)
        except Exception:
            # A probe must answer, also with a bug in a check.
            log.exception("the check %s failed", check.name)
            answer.set_result(f"{check.summary}: its check failed, and the log says how.")

    try:
        # A hanging check does not keep the process alive.
        threading.Thread(target=run, name=f"check-{check.name}", daemon=True).start()
    except RuntimeError:
        answer.set_result(_NO_THREAD)
    return answer
