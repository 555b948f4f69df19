"""The work: whether somebody does it, and whether it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podium import __version__
from podium.cli.doctor.findings import Finding, ok, problem, warning
from podium.jobs.queues import COMMITS, STATES, USERS
from podium.monitoring import stalled
from podium.monitoring.overview import Overview, WorkerRow
from podium.repositories.model import State
from podium.settings import Settings
from podium.storage.session import Session
from podium.textutil.age import age
from podium.textutil.plural import plural
from podium.textutil.width import cut
from podium.timeutil import readable_time

_START = {COMMITS: "`podium worker commits`", USERS: "`podium worker users`"}
_WIDEST = 60


def workers(settings: Settings, overview: Overview) -> Iterator[Finding]:
    """Whether each queue has a worker that is alive."""
    counts = {state: found.count for state, found in overview.repositories.items()}
    alive = [worker for worker in overview.workers if worker.alive]
    for queue, states in STATES.items():
        on_queue = sum(queue in worker.queues for worker in alive)
        waiting = sum(counts[state] for state in states)
        start = _START[queue] if settings.uses_redis else "`podium serve`"
        if on_queue:
            yield ok("workers", f"{on_queue} on {queue}")
        elif waiting:
            yield problem(
                "workers",
                f"Nobody works off {queue}: {waiting:,} {'repository' if waiting == 1 else 'repositories'} to do.",
                f"Start {start}.",
            )
        else:
            yield warning("workers", f"Nobody works off {queue}: nothing to do.", f"Start {start}.")
    yield from _silent([worker for worker in overview.workers if not worker.alive], overview.at)
    others = sorted({worker.version for worker in alive} - {__version__})
    if others:
        yield warning(
            "workers",
            f"Some are Podium {', '.join(others)}, this is {__version__}.",
            "Bring all to one version: an older one may not know what a newer one asks of it.",
        )


def _silent(workers: Sequence[WorkerRow], at: float) -> Iterator[Finding]:
    if not workers:
        return
    last = max(workers, key=lambda worker: worker.seen_at)
    yield warning(
        "workers",
        f"{plural(len(workers), 'worker')} ended without a word in the last day, {last.host}:{last.pid} as the last, "
        f"{age(at - last.seen_at)} ago.",
        "Look at its log, and whether memory ran out there. Its work has been taken up by others.",
    )


def queues(overview: Overview) -> Iterator[Finding]:
    """Whether messages died, and repositories failed."""
    dead = {name: depth.dead for name, depth in (overview.queues or {}).items() if depth.dead}
    if dead:
        told = ", ".join(f"{plural(count, 'message')} of {name}" for name, count in dead.items())
        yield warning(
            "queues",
            f"{told} died: database or queue were away for longer than the retries.",
            "What they were about is rung again by itself; `podium queue retry` clears them.",
        )
    elif overview.queues is not None:
        waiting = sum(depth.waiting for depth in overview.queues.values())
        yield ok("queues", f"{plural(waiting, 'message')} waiting, none dead")
    failed = overview.repositories[State.FAILED]
    if failed.count:
        latest = overview.failures[0]
        yield warning(
            "failed",
            f"{failed.count:,} failed; the latest is #{latest.id} {cut(latest.url, _WIDEST)}: {latest.error}",
            f"`podium queue` shows the latest; `podium queue retry {latest.id}` tries one again.",
        )
    else:
        yield ok("failed", "none")


def limits(overview: Overview) -> Iterator[Finding]:
    """Limits of GitHub's that are in force, as the database remembers them."""
    if overview.limits_in_force:
        yield warning(
            "limits",
            f"GitHub holds back {plural(len(overview.limits_in_force), 'token')}, "
            f"the first until {readable_time(overview.limits_in_force[0].until)}.",
            "Work goes on by itself then. If this is usual, add a token to GITHUB_TOKEN.",
        )


_STALLED_BECAUSE = {
    "expired_lease": "its worker vanished and nobody has followed",
    "never_enqueued": "it is due and nobody rings for it",
    "no_progress": "a worker holds it and makes no progress",
}
_FIXES = {
    "expired_lease": "Start a worker.",
    "never_enqueued": "Start a worker: each one rings for what is due.",
    "no_progress": "Look at the worker's log; `podium queue drop {id}` takes it out of its hands.",
}


def stuck_work(settings: Settings, session: Session) -> Iterator[Finding]:
    """Repositories that nobody gets any further."""
    # A transfer may stand still for a while, and a large history takes its time to be saved.
    found = stalled.find(session, no_progress_after=max(600.0, 2 * settings.git_idle_timeout))
    for one in found:
        yield problem(
            "stuck",
            f"#{one.id} {cut(one.url, _WIDEST)} for {age(one.seconds)}: {_STALLED_BECAUSE[one.reason]}.",
            _FIXES[one.reason].format(id=one.id),
        )
    if not found:
        yield ok("stuck", "nothing")
