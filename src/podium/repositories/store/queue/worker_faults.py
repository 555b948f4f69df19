"""Repositories that a worker cannot count, for a reason of its own; rules: :mod:`podium.jobs.worker_fault_rules`."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from podium.storage.session import Session

# The repositories that worker :worker may count.
NOT_BY_THIS_WORKER = """NOT EXISTS (
    SELECT 1 FROM worker_fault AS fault
    WHERE fault.repository_id = repository.id AND fault.worker_id = :worker
        AND (fault.try_again_at IS NULL OR fault.try_again_at > {now})
)"""


@dataclasses.dataclass(frozen=True, slots=True)
class LiveWorker:
    """report: JSON of its heartbeat."""

    id: str
    report: str


@dataclasses.dataclass(frozen=True, slots=True)
class LimitFault:
    repository_id: int
    code: str
    message: str


def note_machine(
    session: Session, repository_id: int, worker_id: str, code: str, message: str, *, first: float, latest: float
) -> None:
    """Note a fault of the worker's machine. It may try again after ``first`` seconds, later after twice as many."""
    session.run(
        """INSERT INTO worker_fault (repository_id, worker_id, code, message, at, try_again_at)
        VALUES (:id, :worker, :code, :message, {now}, {now} + :first)
        ON CONFLICT (repository_id, worker_id) DO UPDATE SET code = :code, message = :message, at = {now},
            try_again_at = {now} + CASE
                WHEN worker_fault.try_again_at IS NULL THEN :first
                WHEN 2 * (worker_fault.try_again_at - worker_fault.at) > :latest THEN :latest
                ELSE 2 * (worker_fault.try_again_at - worker_fault.at) END""",
        id=repository_id,
        worker=worker_id,
        code=code,
        message=message,
        first=first,
        latest=latest,
    )


def note_limit(session: Session, repository_id: int, worker_id: str, code: str, message: str) -> None:
    """Note that a repository exceeds a limit of the worker, which does not try it again."""
    session.run(
        """INSERT INTO worker_fault (repository_id, worker_id, code, message, at, try_again_at)
        VALUES (:id, :worker, :code, :message, {now}, NULL)
        ON CONFLICT (repository_id, worker_id) DO UPDATE SET code = :code, message = :message, at = {now},
            try_again_at = NULL""",
        id=repository_id,
        worker=worker_id,
        code=code,
        message=message,
    )


def of_repository(session: Session, repository_id: int) -> frozenset[str]:
    """The workers for which a repository exceeds a limit."""
    rows = session.all(
        "SELECT worker_id FROM worker_fault WHERE repository_id = :id AND try_again_at IS NULL", id=repository_id
    )
    return frozenset(row["worker_id"] for row in rows)


def live(session: Session, queue: str, *, dead_after: float) -> list[LiveWorker]:
    """The workers of a queue with a recent heartbeat."""
    rows = session.all("SELECT id, queues, report FROM worker WHERE seen_at >= {now} - :age", age=dead_after)
    return [LiveWorker(row["id"], row["report"]) for row in rows if queue in row["queues"].split()]


def is_left_by(session: Session, repository_id: int, worker_id: str) -> bool:
    """Whether a repository waits that this worker cannot count."""
    found = session.one(
        f"""SELECT 1 AS one FROM repository WHERE id = :id AND state IN ('pending', 'commits_processing')
            AND NOT {NOT_BY_THIS_WORKER}""",
        id=repository_id,
        worker=worker_id,
    )
    return found is not None


def left_by(session: Session, worker_id: str, *, seconds: float) -> dict[int, str]:
    """Waiting repositories that this worker does not try within ``seconds``, with the reasons."""
    rows = session.all(
        """SELECT repository.id, fault.message FROM worker_fault AS fault
        JOIN repository ON repository.id = fault.repository_id
        WHERE fault.worker_id = :worker AND (fault.try_again_at IS NULL OR fault.try_again_at > {now} + :seconds)
            AND repository.state IN ('pending', 'commits_processing')""",
        worker=worker_id,
        seconds=seconds,
    )
    return {row["id"]: row["message"] for row in rows}


@dataclasses.dataclass(frozen=True, slots=True)
class FaultOfWorker:
    """``message``: of one of the ``repositories`` that the worker could not count."""

    worker_id: str
    code: str
    message: str
    repositories: int


def by_worker(session: Session, *, limit: int) -> list[FaultOfWorker]:
    """The faults of each worker, by code."""
    rows = session.all(
        """SELECT worker_id, code, max(message) AS message, count(*) AS repositories FROM worker_fault
        GROUP BY worker_id, code ORDER BY worker_id, code LIMIT :limit""",
        limit=limit,
    )
    return [FaultOfWorker(**row) for row in rows]


def workers_by_code(session: Session, *, within: float) -> dict[str, int]:
    """How many workers had a fault in the last so many seconds, by its code."""
    return dict(
        session.tuples(
            "SELECT code, count(DISTINCT worker_id) FROM worker_fault WHERE at > {now} - :age GROUP BY code", age=within
        )
    )


def is_any(session: Session) -> bool:
    return session.one("SELECT 1 AS one FROM worker_fault LIMIT 1") is not None


def forget(session: Session, repository_id: int) -> None:
    session.run("DELETE FROM worker_fault WHERE repository_id = :id", id=repository_id)


def forget_machine(session: Session, worker_id: str) -> None:
    """The worker's machine works again: it may try every repository."""
    session.run("DELETE FROM worker_fault WHERE worker_id = :id AND try_again_at IS NOT NULL", id=worker_id)


def forget_dead(session: Session, *, dead_after: float) -> None:
    session.run(
        "DELETE FROM worker_fault WHERE worker_id NOT IN (SELECT id FROM worker WHERE seen_at >= {now} - :age)",
        age=dead_after,
    )


def beyond_limits(session: Session, workers: Collection[str]) -> list[LimitFault]:
    """Waiting repositories that exceed a limit of each of ``workers``; none without workers."""
    if not workers:
        return []
    names = {f"worker{place}": worker for place, worker in enumerate(sorted(workers))}
    rows = session.all(
        f"""SELECT repository.id AS repository_id, max(fault.code) AS code, max(fault.message) AS message
        FROM worker_fault AS fault JOIN repository ON repository.id = fault.repository_id
        WHERE repository.state IN ('pending', 'commits_processing')
            AND (repository.lease_until IS NULL OR repository.lease_until < {{now}})
            AND fault.try_again_at IS NULL AND fault.worker_id IN ({", ".join(f":{name}" for name in names)})
        GROUP BY repository.id HAVING count(*) = :number LIMIT 100""",
        number=len(names),
        **names,
    )
    return [LimitFault(**row) for row in rows]
