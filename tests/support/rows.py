"""Rows, written straight into the tables, and queues that only remember."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from podium.jobs import lease, reconciler
from podium.jobs.messages.memory_broker import MemoryBackend
from podium.repositories.model import COLUMNS, Repository, State
from podium.repositories.store import queries
from podium.storage.session import Database, Session

RIGHT_NOW: Any = object()


def add_repository(
    db: Database,
    key: str = "github.com/o/r",
    *,
    host: str = "github.com",
    state: str = "pending",
    generation: int = 0,
    enqueued_at: Any = RIGHT_NOW,
) -> int:
    """Add a repository; give its id."""
    with db.write() as session:
        number: int = session.value(
            f"""INSERT INTO repository
                (key, url, host, owner, name, state, generation, enqueued_at, created_at, updated_at)
            VALUES (:key, :url, :host, 'o', 'r', :state, :generation,
                {"{now}" if enqueued_at is RIGHT_NOW else ":enqueued_at"}, {{now}}, {{now}}) RETURNING id""",
            key=key,
            url=f"https://{key}",
            host=host,
            state=state,
            generation=generation,
            enqueued_at=None if enqueued_at is RIGHT_NOW else enqueued_at,
        )
    return number


def add_person(db: Database, repository_id: int, email: str, name: str = "Someone", commits: int = 1) -> None:
    """Add a row of commit data."""
    add_people(db, repository_id, {email: commits}, name)


def add_people(db: Database, repository_id: int, commits: Mapping[str, int], name: str = "Someone") -> None:
    """Add a row of commit data for each e-mail, with its number of commits."""
    with db.write() as session:
        before = session.value("SELECT count(*) FROM commit_data WHERE repository_id = :id", id=repository_id)
        session.executemany(
            """INSERT INTO commit_data (repository_id, email, name, mailmap_email, mailmap_name, mailmap_identity,
                commit_count, sample_sha, ordinal)
            VALUES (:id, :email, :name, :email, :name, :email, :commits, :sha, :ordinal)""",
            [
                {
                    "id": repository_id,
                    "email": email,
                    "name": name,
                    "commits": number,
                    "sha": "0" * 40,
                    "ordinal": ordinal,
                }
                for ordinal, (email, number) in enumerate(commits.items(), start=before)
            ],
        )


def repository(db: Database, repository_id: int) -> Repository:
    """The repository as it is now."""
    with db.read() as session:
        found = queries.by_id(session, repository_id)
    assert found is not None
    return found


def some_repository(**values: Any) -> Repository:
    """A repository that is in no database; what ``values`` do not say is 0, or None."""
    numbers = (
        "id",
        "trimmed_commits",
        "generation",
        "lease_token",
        "virtual_start",
        "crashes",
        "attempts",
        "transient_attempts",
        "created_at",
        "updated_at",
    )
    defaults: dict[str, Any] = {**dict.fromkeys(COLUMNS), **dict.fromkeys(numbers, 0), "state": State.PENDING}
    return Repository(**defaults | values)


@contextlib.contextmanager
def leased(db: Database, repository_id: int, *, seconds: float = 3600) -> Iterator[lease.Lease]:
    """Take the lease on a repository and hold it, as a commit worker does."""
    found = lease.grab(db, repository_id, seconds=seconds)
    assert found is not None
    with lease.hold(db, found, seconds=seconds) as held:
        yield held


def former_keys(session: Session, repository_id: int) -> list[str]:
    """The names that lead to a repository, the newest first."""
    rows = session.tuples(
        "SELECT key FROM former_name WHERE repository_id = :id AND key NOT LIKE '~%' ORDER BY at DESC, key",
        id=repository_id,
    )
    return [key for (key,) in rows]


class EmptyBacklog(MemoryBackend):
    """Queues that have lost their messages, until ``note_filled``."""

    def waiting(self, *_queues: str) -> int:
        return 0


@dataclasses.dataclass
class RecordingQueues:
    """Remembers what was enqueued: ids, in order."""

    enqueued: list[tuple[int, ...]] = dataclasses.field(default_factory=list)
    delays: list[float] = dataclasses.field(default_factory=list)
    _lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def enqueue_commits(self, repository_id: int, /, *, delay: float = 0) -> None:
        with self._lock:
            self.enqueued.append((repository_id,))
            self.delays.append(delay)

    def enqueue_users(self, repository_id: int, generation: int, batch: int, /, *, delay: float = 0) -> None:
        with self._lock:
            self.enqueued.append((repository_id, generation, batch))
            self.delays.append(delay)


def expire_lease(db: Database, repository_id: int) -> None:
    """As if the holder had not renewed its lease for longer than that lasts."""
    with db.write() as session:
        session.run("UPDATE repository SET lease_until = {now} - 0.01 WHERE id = :id", id=repository_id)


def enqueue_due(db: Database, **options: float) -> list[tuple[int, ...]]:
    """What the reconciler enqueues now."""
    queues = RecordingQueues()
    reconciler.enqueue_due(db, queues, **options)
    return queues.enqueued


def is_any_transaction_blocked(db: Database) -> bool:
    """Whether a transaction of this PostgreSQL database waits for another one; other tests have other databases."""
    with db.read() as session:
        return bool(
            session.value(
                """SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'"""
            )
        )


def wait_for_a_blocked_transaction(db: Database) -> None:
    for _ in range(10_000):
        if is_any_transaction_blocked(db):
            return
    raise AssertionError("No transaction waits for another one.")
