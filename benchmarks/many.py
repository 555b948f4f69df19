"""Compare the cost of one repository among ten others with its cost among a thousand with a million rows.

python -m benchmarks.many [--repositories N] [--people N] [--plans] [--tries N]

On PostgreSQL. First every statement is explained as it runs (EXPLAIN ANALYZE, BUFFERS); ``--plans`` prints the plans.
Then the same work is timed without EXPLAIN, in turn on both databases.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from podium.jobs import reconciler
from podium.jobs.messages.queues import NullQueues
from podium.repositories.store import transitions
from podium.storage import migrate
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.storage.session import Database
from tests.support.bulk_rows import fill
from tests.support.plans import Explained, Statement
from tests.support.postgres import Postgres, running_postgres
from tests.support.repository_life import RepositoryLife
from tests.support.web import Site, open_site

FEW = 10
# One of the crowd's completed repositories; see tests/support/bulk_rows.py.
_BOARD = "https://github.com/someone/project7"


def main() -> None:
    """Fill both databases, explain, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repositories", type=int, default=1000)
    parser.add_argument("--people", type=int, default=1000, help="people per repository")
    parser.add_argument("--plans", action="store_true")
    parser.add_argument("--tries", type=int, default=50)
    options = parser.parse_args()
    with running_postgres() as server, tempfile.TemporaryDirectory(prefix="podium-benchmark-") as folder:
        few = _filled(server, FEW, options.people)
        many = _filled(server, options.repositories, options.people)
        _say_sizes(server, many.name)
        of_few, of_many = (_explained(each.db, Path(folder) / each.name) for each in (few, many))
        _say_errands(of_few, of_many, options.repositories)
        if options.plans:
            _say_plans(of_many)
        _say_times(few.db, many.db, Path(folder), options.repositories, options.tries)
        for each in (few, many):
            each.db.close()


class _Filled:
    def __init__(self, name: str, db: PostgresDatabase) -> None:
        self.name, self.db = name, db


def _filled(server: Postgres, repositories: int, people: int) -> _Filled:
    name = server.create()
    migrate.migrate(server.url(name))
    db = PostgresDatabase(server.url(name), most=5)
    fill(db, repositories=repositories, people=people)
    return _Filled(name, db)


def _say_sizes(server: Postgres, database: str) -> None:
    sizes = server.ask(
        """SELECT relname, reltuples::bigint, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples > 100 ORDER BY 3 DESC""",
        database,
    )
    print("| table | rows | bytes a row | of indexes |\n|---|---|---|---|")
    for name, rows, table, indexes in sizes:
        print(f"| {name} | {rows:,} | {table / rows:.0f} | {indexes / rows:.0f} |")


def _explained(db: Database, folder: Path) -> list[Statement]:
    folder.mkdir()
    explained = Explained(db)
    errands = RepositoryLife(explained, folder)
    errands.run()
    errands.look()
    return [statement for statement in explained.statements if statement.errand]


def _say_errands(few: list[Statement], many: list[Statement], repositories: int) -> None:
    print(f"\n| errand | statements | pages among {FEW} | among {repositories:,} | ms among {FEW} | among the others |")
    print("|---|---|---|---|---|---|")
    of_few, of_many = _by_errand(few), _by_errand(many)
    for errand, others in of_many.items():
        ours = of_few[errand]
        pages = [sum(each.plan.work for each in found) for found in (ours, others)]
        took = [sum(each.plan.milliseconds for each in found) for found in (ours, others)]
        print(f"| {errand} | {len(others)} | {pages[0]:,} | {pages[1]:,} | {took[0]:.1f} | {took[1]:.1f} |")


def _by_errand(statements: list[Statement]) -> Mapping[str, list[Statement]]:
    return {errand: list(found) for errand, found in itertools.groupby(statements, lambda each: each.errand)}


def _say_plans(statements: list[Statement]) -> None:
    for statement in statements:
        times = f", the first of {statement.times}" if statement.times > 1 else ""
        print(f"\n{statement.errand}{times}, {statement.plan.milliseconds:.2f} ms: {statement.line}")
        for line in statement.plan.lines:
            print(f"    {line}")


def _say_times(few: Database, many: Database, folder: Path, repositories: int, tries: int) -> None:
    print(f"\n| milliseconds, median of {tries} | among {FEW} | among {repositories:,} |\n|---|---|---|")
    with _things(few, folder) as ours, _things(many, folder) as others:
        for name, do in ours.items():
            took: tuple[list[float], list[float]] = ([], [])
            for _ in range(tries):
                for each, one in zip(took, (do, others[name]), strict=True):
                    each.append(_seconds(one))
            print(f"| {name} | {statistics.median(took[0]) * 1000:.1f} | {statistics.median(took[1]) * 1000:.1f} |")


def _seconds(do: Callable[[], object]) -> float:
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


@contextlib.contextmanager
def _things(db: Database, folder: Path) -> Iterator[Mapping[str, Callable[[], object]]]:
    def complete() -> None:
        with db.write() as session:
            transitions.complete(session, 7)

    with open_site(folder, _Kept(db), board_cache_bytes=0, submissions_per_minute=0) as site:
        yield {
            "GET /leaderboard, none of it in memory": _asks(site, f"/leaderboard?repoUrl={_BOARD}"),
            "GET /repositories?limit=10": _asks(site, "/repositories?limit=10"),
            "POST /leaderboard, known": lambda: site.client().post(f"/leaderboard?repoUrl={_BOARD}"),
            "enqueue_due": lambda: reconciler.enqueue_due(db, NullQueues()),
            "the completion check": complete,
        }


def _asks(site: Site, path: str) -> Callable[[], object]:
    return lambda: site.client().get(path)


class _Kept:
    """A database that is not closed with the site that it is lent to."""

    def __init__(self, db: Database) -> None:
        self.read, self.write = db.read, db.write

    def close(self) -> None:
        """Leave it open."""


if __name__ == "__main__":
    main()
