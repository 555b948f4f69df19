"""Migrate a PostgreSQL database of a million people while others write to it, and print how long a write waited.

python -m benchmarks.migrating [--repositories N] [--people N] [--from REVISION] [--calm SECONDS]

The database is filled at the newest revision, taken back to an older one, and migrated while three clients work: one
changes rows of repositories, one inserts and deletes people, and one reads. Before that they work for some seconds
without a migration.
"""

from __future__ import annotations

import argparse
import contextlib
import threading
import time
from collections.abc import Iterator

import psycopg

from podium.storage import migrate
from podium.storage.postgresql.postgres import PostgresDatabase
from tests.support.bulk_rows import fill
from tests.support.postgres import running_postgres

_PAUSE = 0.005

_RENEW = "UPDATE repository SET lease_until = %(now)s, progress = 'x' WHERE id = %(id)s"
_ADD = """INSERT INTO commit_data (repository_id, email, name, mailmap_email, mailmap_name, mailmap_identity,
    sample_sha, ordinal) VALUES (%(id)s, 'new', %(now)s::text, '', '', '', '', 0)"""
_REMOVE = "DELETE FROM commit_data WHERE repository_id = %(id)s AND email = 'new'"
_READ = "SELECT id, state, head FROM repository WHERE id = %(id)s"

# By the name of a client: its statements in turn.
CLIENTS = {"change a repository": (_RENEW,), "insert and delete people": (_ADD, _REMOVE), "read": (_READ,)}


class Client:
    """Runs its statements, one transaction each, and notes what each took."""

    def __init__(self, url: str, statements: tuple[str, ...], repositories: int) -> None:
        self._url = url
        self._statements = statements
        self._repositories = repositories
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.took: list[float] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        with psycopg.connect(self._url, autocommit=True, prepare_threshold=None) as connection:
            number = 0
            while not self._stop.wait(_PAUSE):
                number = number % self._repositories + 1
                for statement in self._statements:
                    began = time.monotonic()
                    connection.execute(statement.encode(), {"id": number, "now": began})
                    self.took.append(time.monotonic() - began)


@contextlib.contextmanager
def working(url: str, repositories: int) -> Iterator[dict[str, Client]]:
    """All clients at work for the length of a ``with`` block."""
    clients = {name: Client(url, statements, repositories) for name, statements in CLIENTS.items()}
    for client in clients.values():
        client.start()
    try:
        yield clients
    finally:
        for client in clients.values():
            client.stop()


def _report(title: str, seconds: float, clients: dict[str, Client]) -> None:
    print(f"\n{title}: {seconds:.1f} s\n\n| client | statements | median ms | longest ms |\n|---|---|---|---|")
    for name, client in clients.items():
        took = sorted(client.took)
        print(f"| {name} | {len(took):,} | {took[len(took) // 2] * 1000:.1f} | {took[-1] * 1000:.0f} |", flush=True)


def main() -> None:
    """Fill, take back, migrate under load, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repositories", type=int, default=1050)
    parser.add_argument("--people", type=int, default=1000, help="people per repository")
    parser.add_argument("--from", dest="before", default=migrate.REVISIONS[-2])
    parser.add_argument("--calm", type=float, default=5.0)
    options = parser.parse_args()
    with running_postgres() as server:
        name = server.create()
        url = server.url(name)
        migrate.migrate(url)
        db = PostgresDatabase(url, most=5)
        fill(db, repositories=options.repositories, people=options.people)
        db.close()
        ((people,),) = server.ask("SELECT count(*) FROM commit_data", name)
        migrate.migrate(url, options.before)
        print(f"{people:,} people of {options.repositories:,} repositories, at revision {options.before}")
        with working(url, options.repositories) as clients:
            time.sleep(options.calm)
        _report("Without a migration", options.calm, clients)
        began = time.monotonic()
        with working(url, options.repositories) as clients:
            migrate.migrate(url)
            took = time.monotonic() - began
        _report(f"While it is migrated to {migrate.HEAD}", took, clients)


if __name__ == "__main__":
    main()
