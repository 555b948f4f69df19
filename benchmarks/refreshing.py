"""Measure what it costs to find the boards that have changed: requests, points, fetches, statements and time.

python -m benchmarks.refreshing [--boards N] [--changed N] [--without-token N]

The boards are rows of a SQLite database whose checks are due, and their repositories are two histories on loopback
under many names: one that was counted, and one with a newer commit. With a token the double of GitHub answers, which
counts points as GitHub does; without one git asks a server, one repository after the other, without a pace.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from podium.app import factories
from podium.repositories.address import parse_address
from podium.settings import Settings
from podium.storage.session import Database
from podium.storage.transactions.time_limits import NORMAL, TimeLimit
from tests.support.githttp import serve_repositories
from tests.support.github_double import GitHubDouble
from tests.support.hosted import Hosting
from tests.support.repos import chain, git, make_bare
from tests.support.rows import RecordingQueues
from tests.support.sqlite_database import open_or_create

_TOKEN = "token-of-a-benchmark"
_AUTHOR = b"Ada <ada@example.org> 1700000000 +0000"


class _Counted:
    """A database that counts its statements."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.statements = 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def _counting(self, transaction: Any) -> Iterator[Any]:
        with transaction as session:
            counted = self

            class Session:
                def __getattr__(self, name: str) -> Any:
                    with counted._lock:
                        counted.statements += 1
                    return getattr(session, name)

            yield Session()

    def read(self, limit: TimeLimit = NORMAL, /) -> Any:
        return self._counting(self._db.read(limit))

    def write(self, limit: TimeLimit = NORMAL, /) -> Any:
        return self._counting(self._db.write(limit))

    def close(self) -> None:
        self._db.close()


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boards", type=int, default=1000)
    parser.add_argument("--changed", type=int, default=10)
    parser.add_argument("--without-token", type=int, default=1000, help="boards of the second measurement")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        old, new = make_bare(folder / "served" / "old.git"), make_bare(folder / "served" / "new.git")
        chain(old, [_AUTHOR])
        chain(new, [_AUTHOR, _AUTHOR])
        print("| | boards | changed | counted again | points | asked by git | statements | passes | seconds |")
        print("|---|---|---|---|---|---|---|---|---|")
        _with_token(folder, old, new, options.boards, options.changed)
        _without_token(folder, old, new, options.without_token, options.changed)


def _with_token(folder: Path, old: Path, new: Path, boards: int, changed: int) -> None:
    hosting = Hosting({f"o/r{place}": new if place < changed else old for place in range(boards)})
    with GitHubDouble(hosting, tokens=[_TOKEN]) as double:
        settings = Settings(
            data_dir=str(folder),
            github_api_url=double.api_url,
            github_graphql_url=double.graphql_url,
            github_tokens=(_TOKEN,),
            refresh_every=86_400.0,
        )
        db = _boards(folder / "with.db", "https://github.com", old, boards)
        for what in ("with a token", "with a token, a day later"):
            _measure(settings, db, f"{what} | {boards} | {changed}", lambda: len(double.seen), lambda: 0)
            double.seen.clear()
            # The boards that changed were counted meanwhile.
            with db.write() as session:
                session.run("UPDATE repository SET check_at = {now} - 1, state = 'completed', is_scheduled = false")
        db.close()


def _without_token(folder: Path, old: Path, new: Path, boards: int, changed: int) -> None:
    hosting = Hosting({f"o/r{place}": new if place < changed else old for place in range(boards)})
    with serve_repositories(folder / "served", hosting=hosting) as host:
        settings = Settings(
            data_dir=str(folder),
            private_git_hosts=(host.url,),
            refresh_every=86_400.0,
            refresh_per_host=3_600_000,
        )
        db = _boards(folder / "without.db", host.url, old, boards)
        fetches = lambda: sum("git-upload-pack" in asked and "info/refs" in asked for asked in host.requests)  # noqa: E731
        _measure(settings, db, f"without a token | {boards} | {changed}", lambda: 0, fetches)
        db.close()


def _boards(path: Path, origin: str, folder: Path, number: int) -> Database:
    """A database of boards whose checks are due; their heads are that of the repository at ``folder``."""
    db = open_or_create(path)
    head = git(folder, "rev-parse", "HEAD").decode().strip()
    branch = git(folder, "symbolic-ref", "--short", "HEAD").decode().strip()
    with db.write() as session:
        for place in range(number):
            address = parse_address(f"{origin}/o/r{place}")
            session.run(
                """INSERT INTO repository (key, url, host, owner, name, search_text, state, head, branch, check_at,
                    commits_processed_at, last_read_at, created_at, updated_at)
                VALUES (:key, :url, :host, :owner, :name, '', 'completed', :head, :branch, {now} - 1,
                    {now} - 90000, {now}, {now}, {now})""",
                key=address.key,
                url=address.url,
                host=address.host,
                owner=address.owner,
                name=address.name,
                head=head,
                branch=branch,
            )
    return db


def _measure(
    settings: Settings, db: Database, what: str, github: Callable[[], int], git_requests: Callable[[], int]
) -> None:
    counted, queues = _Counted(db), RecordingQueues()
    pools, client = factories.token_pools(settings, db), factories.github_client(settings)
    schedule = factories.schedule(
        settings, counted, queues, pools=pools, github=client, leads=lambda: True, stop=threading.Event()
    )
    started, passes = time.monotonic(), 0
    while _due(db):
        schedule.run()
        schedule.wait()
        passes += 1
    seconds = time.monotonic() - started
    client.close()
    with db.read() as session:
        scheduled = session.value("SELECT count(*) FROM repository WHERE is_scheduled")
    assert scheduled == len(queues.enqueued)
    print(
        f"| {what} | {scheduled} | {github()} | {git_requests()} | {counted.statements} | {passes} | {seconds:.1f} |",
        flush=True,
    )


def _due(db: Database) -> bool:
    with db.read() as session:
        return bool(session.value("SELECT count(*) FROM repository WHERE check_at < {now} + 100"))


if __name__ == "__main__":
    main()
