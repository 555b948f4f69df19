"""Reads the overview from the database, the broker and the workers' heartbeats."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from podium.jobs.messages.queues import COMMITS, Depth, QueueMonitor
from podium.monitoring.overview import (
    ApiBudget,
    DelayedRepository,
    DueChecks,
    FailedRepository,
    HiddenRepository,
    HostAway,
    LeaseCounts,
    LimitedHost,
    LimitInForce,
    OldestRepository,
    Overview,
    PausedThing,
    QueuedByPriority,
    QueuedRepository,
    StateCount,
    TokenStatus,
    UndecidedBoard,
    WorkerRow,
)
from podium.repositories.model import State
from podium.repositories.store.freshness import names
from podium.repositories.store.queue import host_limits, host_outages, pauses, unresolved
from podium.repositories.store.readers import queue_counts, statistics
from podium.storage.session import Database, Row, Session
from podium.workers import heartbeat

# Rows of each kind that the overview shows.
SHOWN = 10

_LIMITS = "SELECT held_until FROM github_limit WHERE held_until > {now} ORDER BY held_until"


@dataclasses.dataclass(frozen=True, slots=True)
class Inspector:
    """What this process can see; None: it cannot, and relies on the workers' heartbeats.

    budgets, tokens: GitHub's. github_away_since: since when it does not answer, as this process found out.
    counts_per_host: the setting.
    """

    db: Database
    queues: QueueMonitor | None = None
    budgets: Callable[[], Sequence[ApiBudget]] | None = None
    tokens: Callable[[], Sequence[TokenStatus]] | None = None
    github_away_since: Callable[[], float | None] = lambda: None
    counts_per_host: int = 0

    def overview(self) -> Overview:
        """Read the overview now.

        Raises:
            StorageError, QueueError: the database or the broker cannot be read.
        """
        depths = self.queues.depths() if self.queues else None
        budgets = tuple(self.budgets()) if self.budgets else ()
        tokens = tuple(self.tokens()) if self.tokens else ()
        with self.db.read() as session:
            unfinished = statistics.unfinished(session)
            batches, emails = statistics.emails_left(session)
            workers = heartbeat.rows(session)
            reports = [_report(row) for row in workers if row["alive"]]
            rows = tuple(_worker(row) for row in workers)
            by_state = _by_state(session, unfinished.at)
            reported = _reported_depths(reports) if depths is None else None
            return Overview(
                at=unfinished.at,
                queues=depths if depths is not None else reported,
                queues_source=self.queues.source if self.queues else None if reported is None else "heartbeat",
                repositories=by_state,
                failures=tuple(FailedRepository(**row) for row in statistics.latest_failures(session, SHOWN)),
                leases=LeaseCounts(unfinished.held, unfinished.expired),
                waiting=unfinished.waiting,
                hosts_away=tuple(
                    HostAway(each.host, each.since, each.next_try_at, each.message, each.waiting)
                    for each in host_outages.down(session, limit=SHOWN)
                ),
                delayed=tuple(
                    DelayedRepository(**{**row, "has_board": bool(row["has_board"])})
                    for row in statistics.delayed(session, SHOWN)
                ),
                hidden=tuple(HiddenRepository(**row) for row in statistics.hidden(session, SHOWN)),
                undecided=_undecided(session),
                paused=tuple(
                    PausedThing(one.kind, one.name, one.url, one.at, one.waiting)
                    for one in pauses.pauses(session, limit=SHOWN)
                ),
                host_limits=tuple(
                    LimitedHost(one.host, one.at_once, one.running)
                    for one in host_limits.limits(session, self.counts_per_host, limit=SHOWN)
                ),
                queued=_queued(session),
                next=_next(session, self.counts_per_host),
                checks_due=_checks_due(session),
                batches_left=batches,
                emails_left=emails,
                budget=budgets or _reported_budgets(reports),
                limits_in_force=tuple(LimitInForce(row["held_until"]) for row in session.all(_LIMITS)),
                tokens=tokens or _reported_tokens(reports),
                github_away_since=_reported_away(reports),
                boards_unresolved=unresolved.waiting(session),
                counting_problem=_counting_problem(rows) if by_state[State.PENDING].count else None,
                workers=rows,
            )

    def token_fault(self) -> str | None:
        """Name the tokens that GitHub refuses, by the workers' heartbeats; None: it accepts all."""
        with self.db.read() as session:
            rows = heartbeat.rows(session)
        found = _reported_tokens([_report(row) for row in rows if row["alive"]])
        refused = [f"{token.number} of {len(found)}" for token in found if token.refused_since is not None]
        if not refused:
            return None
        return f"GitHub refuses token {', '.join(refused)}: set a valid GITHUB_TOKEN and restart the user workers."

    def has_workers(self) -> bool:
        """Whether a worker is alive, by its heartbeat."""
        with self.db.read() as session:
            return heartbeat.is_any_alive(session)

    def counting_problem(self) -> str | None:
        """Say why no worker counts repositories, by the heartbeats; None: one does."""
        with self.db.read() as session:
            return _counting_problem([_worker(row) for row in heartbeat.rows(session)])

    def report(self) -> dict[str, Any]:
        """Return a heartbeat's report: what no other process can see.

        Raises:
            QueueError: the broker cannot be read.
        """
        reported: dict[str, Any] = {
            "budgets": [dataclasses.asdict(each) for each in self.budgets()] if self.budgets else [],
            "tokens": [dataclasses.asdict(each) for each in self.tokens()] if self.tokens else [],
            "github_away_since": self.github_away_since(),
        }
        if self.queues is not None and self.queues.source == "memory":
            reported["queues"] = {name: dataclasses.asdict(depth) for name, depth in self.queues.depths().items()}
        return reported


def _queued(session: Session) -> QueuedByPriority:
    found = queue_counts.queued(session)
    return QueuedByPriority(found.people, found.schedule)


def _undecided(session: Session) -> tuple[UndecidedBoard, ...]:
    rows = names.undecided(session, limit=SHOWN)
    return tuple(UndecidedBoard(row.id, row.url, row.name_taken_at or 0.0) for row in rows)


def _next(session: Session, per_host: int) -> tuple[QueuedRepository, ...]:
    rows = queue_counts.first_queued(session, SHOWN, per_host=per_host)
    return tuple(
        QueuedRepository(
            id=row.id,
            url=row.url,
            place=place,
            priority="schedule" if row.is_scheduled else "people",
            reason=None if row.has_slot else f"{row.host} is at its limit of concurrent counts.",
        )
        for place, row in enumerate(rows, start=1)
    )


def _checks_due(session: Session) -> DueChecks:
    number, seconds = queue_counts.due_checks(session)
    return DueChecks(number, round(seconds))


def _by_state(session: Session, now: float) -> dict[State, StateCount]:
    counts = statistics.counts_by_state(session)
    return {
        state: StateCount(count, _oldest(session, state, now) if count else None) for state, count in counts.items()
    }


def _oldest(session: Session, state: State, now: float) -> OldestRepository | None:
    row = statistics.oldest(session, state)
    if row is None:
        return None
    seconds = None if row.since is None else max(0, round(now - row.since))
    return OldestRepository(row.id, row.url, row.since, seconds)


def _report(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["report"])
    return found


def _worker(row: Row) -> WorkerRow:
    report = _report(row)
    return WorkerRow(
        id=row["id"],
        host=row["host"],
        pid=row["pid"],
        version=row["version"],
        queues=tuple(row["queues"].split()),
        started_at=row["started_at"],
        seen_at=row["seen_at"],
        alive=bool(row["alive"]),
        problem=report.get("problem"),
        revision=report.get("revision"),
    )


def _counting_problem(workers: Sequence[WorkerRow]) -> str | None:
    problems = [worker.problem for worker in workers if worker.alive and COMMITS in worker.queues]
    if not problems:
        return "No worker can count now: none that counts repositories is alive."
    found = list(dict.fromkeys(problem for problem in problems if problem))
    return f"No worker can count now: {' '.join(found)}" if all(problems) else None


def _reported_depths(reports: Sequence[Mapping[str, Any]]) -> Mapping[str, Depth] | None:
    """Add up the queues in the memory of live workers."""
    reported = [each["queues"] for each in reports if "queues" in each]
    depths: dict[str, Depth] = {}
    for queues in reported:
        for name, depth in queues.items():
            depths[name] = depths.get(name, Depth()) + Depth(**depth)
    return depths if reported else None


def _reported_budgets(reports: Sequence[Mapping[str, Any]]) -> tuple[ApiBudget, ...]:
    reported = [each["budgets"] for each in reports if each.get("budgets")]
    return tuple(ApiBudget(**each) for each in reported[-1]) if reported else ()


def _reported_tokens(reports: Sequence[Mapping[str, Any]]) -> tuple[TokenStatus, ...]:
    """The status of each token; where reports differ, one that says it is refused."""
    found: dict[int, TokenStatus] = {}
    for reported in (one for each in reports for one in each.get("tokens", ())):
        budgets = tuple(ApiBudget(**budget) for budget in reported.get("budgets", ()))
        status = TokenStatus(**{**reported, "denied": tuple(reported["denied"]), "budgets": budgets})
        if status.number not in found or status.refused_since is not None:
            found[status.number] = status
    return tuple(found[number] for number in sorted(found))


def _reported_away(reports: Sequence[Mapping[str, Any]]) -> float | None:
    """The earliest time since which a worker gets no answer."""
    return min((each["github_away_since"] for each in reports if each.get("github_away_since")), default=None)
