"""Check the work: whether each queue has a worker, and makes progress."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podium import __version__
from podium.cli.doctor.findings import Finding, ok, problem, warning
from podium.jobs.messages.queues import COMMITS, STATES, USERS
from podium.monitoring import stalled
from podium.monitoring.overview import DENIALS, Overview, WorkerRow
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
                f"No worker for {queue}: {plural(waiting, 'repository', 'repositories')} waiting.",
                f"Start {start}.",
            )
        elif settings.uses_redis or settings.uses_postgres:
            yield warning("workers", f"No worker for {queue}: nothing to do.", f"Start {start}.")
        else:
            yield ok("workers", f"none on {queue}, which is normal while `podium serve` does not run: nothing waits")
    yield from _silent([worker for worker in overview.workers if not worker.alive], overview.at)
    others = sorted({worker.version for worker in alive} - {__version__})
    if others:
        yield warning(
            "workers",
            f"Some run Podium {', '.join(others)}; this is {__version__}.",
            "Run one version everywhere: an older worker may not understand a newer one's work.",
        )


def _silent(workers: Sequence[WorkerRow], at: float) -> Iterator[Finding]:
    if not workers:
        return
    last = max(workers, key=lambda worker: worker.seen_at)
    yield warning(
        "workers",
        f"{plural(len(workers), 'worker')} stopped without notice in the last day; the latest is "
        f"{last.host}:{last.pid}, {age(at - last.seen_at)} ago.",
        "Check its log, and whether memory ran out there. Other workers continue its work.",
    )


def queues(overview: Overview) -> Iterator[Finding]:
    dead = {name: depth.dead for name, depth in (overview.queues or {}).items() if depth.dead}
    if dead:
        summary = ", ".join(f"{plural(count, 'message')} of {name}" for name, count in dead.items())
        yield warning(
            "queues",
            f"{summary} died: the database or the queue was away for longer than the retries.",
            "Their repositories are enqueued again automatically; `podium queue retry` clears the messages.",
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
            f"`podium queue` shows the latest; `podium queue retry {latest.id}` retries one.",
        )
    else:
        yield ok("failed", "none")


def limits(overview: Overview) -> Iterator[Finding]:
    if overview.limits_in_force:
        yield warning(
            "limits",
            f"GitHub's limit is in force for {plural(len(overview.limits_in_force), 'token')}, "
            f"the first until {readable_time(overview.limits_in_force[0].until)}.",
            "Work continues then. If this is usual, add a token to GITHUB_TOKEN.",
        )


def tokens(overview: Overview) -> Iterator[Finding]:
    """What the workers found out about GitHub and their tokens, which this process may not have."""
    if overview.github_away_since is not None:
        yield warning(
            "github",
            f"The user workers have had no answer since {readable_time(overview.github_away_since)}.",
            "Check their network. Accounts are looked up as soon as GitHub answers.",
        )
    for token in overview.tokens:
        name = f"token {token.number} of {len(overview.tokens)}"
        if token.refused_since is not None:
            yield problem(
                "github",
                f"GitHub has refused {name} of the user workers since {readable_time(token.refused_since)}.",
                "Set GITHUB_TOKEN to a valid one and restart them. Boards without accounts then fill automatically.",
            )
        for code in token.denied:
            yield warning("github", f"{name} of the user workers: {DENIALS[code]}.", "Authorise it, or use another.")


def schedule(settings: Settings, overview: Overview) -> Iterator[Finding]:
    """Whether the process that asks hosts what is new has a token (:mod:`podium.freshness.schedule_lead`)."""
    alive = [worker for worker in overview.workers if worker.alive]
    if not settings.uses_redis or not alive or overview.tokens:
        return
    if any(USERS in worker.queues for worker in alive):
        why, advice = "The user workers ask hosts what is new", "Set GITHUB_TOKEN and restart the user workers."
    else:
        why, advice = "A commit worker asks hosts what is new", f"Start {_START[USERS]} with GITHUB_TOKEN."
    yield warning(
        "schedule",
        f"{why}, without a token: at most {settings.refresh_per_host:,} repositories of GitHub an hour "
        "(PODIUM_REFRESH_PER_HOST).",
        advice,
    )


_STALLED_BECAUSE = {
    "expired_lease": "its worker vanished and no other has taken it",
    "never_enqueued": "it is due and not enqueued",
    "no_progress": "a worker holds it and makes no progress",
}
_FIXES = {
    "expired_lease": "Start a worker.",
    "never_enqueued": "Start a worker: each one enqueues what is due.",
    "no_progress": "Check the worker's log; `podium queue drop {id}` takes the repository away from it.",
}


def stalled_work(settings: Settings, session: Session) -> Iterator[Finding]:
    found = stalled.find(session, no_progress_after=stalled.no_progress_after(settings.git_idle_timeout))
    for one in found:
        yield problem(
            "stalled",
            f"#{one.id} {cut(one.url, _WIDEST)} for {age(one.seconds)}: {_STALLED_BECAUSE[one.reason]}.",
            _FIXES[one.reason].format(id=one.id),
        )
    if not found:
        yield ok("stalled", "nothing")
