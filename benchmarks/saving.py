"""How long another writer waits while a large count is saved, on SQLite and PostgreSQL.

python -m benchmarks.saving
    --people N    people of the repository (300,000), each with commits in three weeks
    --weeks N     weeks of each, with a commit in each of them (3)

A second process writes a row of another repository, and renews the lease of this one, some forty times a second. The
repository is saved twice: at first, and in the place of the first count, whose rows are removed afterwards.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Event
from pathlib import Path

from podium.accounts.repository_emails import classify_emails
from podium.accounts.stale import MaxAges
from podium.clones.mailmaps.mailmap import Identity
from podium.counting.save import Count, save_count
from podium.history.totals import Tally
from podium.jobs import lease
from podium.repositories.store import queries
from podium.storage import migrate, sqlite_schema
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.storage.session import Database
from podium.storage.sqlite import SqliteDatabase
from podium.timeutil import WEEK
from tests.support.postgres import running_postgres
from tests.support.rows import add_repository

_EVERY = 0.025

Waits = dict[str, list[float]]


def main() -> None:
    """Measure on both databases, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=300_000)
    parser.add_argument("--weeks", type=int, default=3)
    options = parser.parse_args()
    tally = _tally(options.people, options.weeks)
    print(f"{options.people} people, {options.people * options.weeks} commits\n")
    print(
        "| database | count | saved in, s | other writes: median, longest wait, ms | renewals: the same |\n"
        "|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as folder, running_postgres() as postgres:
        path = Path(folder) / "podium.db"
        sqlite_schema.create(SqliteDatabase(path))
        _measure("SQLite", lambda: SqliteDatabase(path), tally)
        wal = path.with_name(path.name + "-wal")
        print(f"\nSQLite's write-ahead log at the end: {wal.stat().st_size / 1e6 if wal.exists() else 0:.0f} MB\n")
        url = postgres.url(postgres.create())
        migrate.migrate(url)
        _measure("PostgreSQL", lambda: PostgresDatabase(url, most=5), tally)


def _measure(name: str, connect: Callable[[], Database], tally: Tally) -> None:
    with contextlib.closing(connect()) as db:
        number, other = add_repository(db), add_repository(db, "github.com/o/other")
        for head, what in (("first", "first"), ("second", "in its place")):
            with db.write() as session:
                session.run("UPDATE repository SET state = 'pending' WHERE id = :id", id=number)
            with _writing(connect, other, number) as waits:
                started = time.monotonic()
                save_tally(db, number, tally, head)
                took = time.monotonic() - started
            cells = (
                f"{statistics.median(those) * 1000:.1f}, {max(those) * 1000:.0f}"
                for those in (waits["write"], waits["renewal"])
            )
            print(f"| {name} | {what} | {took:.1f} | {' | '.join(cells)} |", flush=True)


def save_tally(db: Database, repository_id: int, tally: Tally, head: str) -> None:
    """Save a count as the commit worker does."""
    held = lease.grab(db, repository_id, seconds=3600)
    assert held is not None
    identities = {(name, email): Identity(email, name, email) for name, email in tally.people()}
    emails = {email for _, email in tally.people()}
    people = classify_emails(
        "github.com", emails, github_host="github.com", ages=MaxAges(account=1e9, email=1e9, unknown_email=1e9)
    )
    with lease.hold(db, held, seconds=30) as held_lease:
        count = Count(
            held,
            since=None,
            head=head,
            head_committed_at=None,
            branch="main",
            mailmap="",
            tally=tally,
            identities=identities,
            people=people,
        )
        save_count(db, held_lease, count, threading.Event())


@contextlib.contextmanager
def _writing(connect: Callable[[], Database], other: int, held: int) -> Iterator[Waits]:
    context = multiprocessing.get_context("fork")
    ends, waits = context.Event(), Waits()
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_write_until, args=(connect, other, held, ends, sending))
    process.start()
    try:
        yield waits
    finally:
        ends.set()
        waits.update(receiving.recv())
        process.join()


def _write_until(connect: Callable[[], Database], other: int, held: int, ends: Event, sending: object) -> None:
    waits: Waits = {"write": [], "renewal": []}
    with contextlib.closing(connect()) as db:
        while not ends.wait(_EVERY):
            for what, repository_id in (("write", other), ("renewal", held)):
                started = time.monotonic()
                with db.write() as session:
                    queries.lock(session, repository_id)
                    session.run("UPDATE repository SET progress = progress WHERE id = :id", id=repository_id)
                waits[what].append(time.monotonic() - started)
    sending.send(waits)  # type: ignore[attr-defined]


def _tally(people: int, weeks: int) -> Tally:
    tally = Tally()
    for number in range(people):
        author = (f"Some One {number}", f"someone{number}@example.org")
        oids = [b"%040x" % (number * weeks + week) for week in range(weeks)]
        tally.add(oids, [(author, week * WEEK, False, (), (), b"", False) for week in range(weeks)])
    return tally


if __name__ == "__main__":
    main()
