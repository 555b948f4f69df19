"""Bytes that a saved count takes for each commit, on SQLite and PostgreSQL.

python -m benchmarks.log_bytes [PATH …]
    PATH            a repository of this machine
    --synthetic N   a history of N commits of N / 30 people as well (0: none)
"""

from __future__ import annotations

import argparse
import contextlib
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.history_job import one_pass
from benchmarks.saving import save_tally
from podium.history.totals import Tally
from podium.storage import migrate, sqlite_schema
from podium.storage.commit_log import segments
from podium.storage.commit_log.codec import COLUMNS
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.storage.session import Database
from podium.storage.sqlite import SqliteDatabase
from tests.support.postgres import running_postgres
from tests.support.rows import add_repository

_TABLES = ("commit_log", "commit_data")


def main() -> None:
    """Save each history in both databases, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--synthetic", type=int, default=1_000_000)
    options = parser.parse_args()
    print(
        f"| history | database | commits | {' | '.join(f'{table}, bytes per commit' for table in _TABLES)} "
        f"| of it {', '.join(COLUMNS)} | load, s |\n|---|---|---|{'---|' * len(_TABLES)}---|---|"
    )
    with running_postgres() as postgres:
        for name, tally in _histories(options.paths, options.synthetic):
            with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as folder:
                sqlite = SqliteDatabase(Path(folder) / "podium.db")
                sqlite_schema.create(sqlite)
                _measure(name, "SQLite", sqlite, "SELECT SUM(pgsize) FROM dbstat WHERE name LIKE '%%%s%%'", tally)
            url = postgres.url(postgres.create())
            migrate.migrate(url)
            _measure(name, "PostgreSQL", PostgresDatabase(url, most=5), "SELECT pg_total_relation_size('%s')", tally)


def _histories(paths: list[Path], synthetic: int) -> Iterator[tuple[str, Tally]]:
    for path in paths:
        yield path.name, one_pass(path)
    if synthetic:
        yield "synthetic", _synthetic(synthetic)


def _measure(name: str, database: str, db: Database, size: str, tally: Tally) -> None:
    with contextlib.closing(db):
        number = add_repository(db)
        save_tally(db, number, tally, "head")
        with db.read() as session:
            bytes_of = [session.value(size.replace("%s", table).replace("%%", "%")) for table in _TABLES]
            sums = ", ".join(f"SUM(LENGTH({column}))" for column in COLUMNS)
            [columns] = session.tuples(f"SELECT {sums} FROM commit_log")
            count_id = session.value("SELECT count_id FROM repository WHERE id = :id", id=number)
            started = time.perf_counter()
            for _ in segments.load(session, number, count_id, columns=("named", "named_sets")):
                pass
            took = time.perf_counter() - started
        per_commit = [f"{each / tally.total_commits:.2f}" for each in bytes_of]
        parts = ", ".join(f"{each / tally.total_commits:.2f}" for each in columns)
        cells = (name, database, f"{tally.total_commits:,}", *per_commit, parts, f"{took:.2f}")
        print(f"| {' | '.join(cells)} |", flush=True)


def _synthetic(commits: int) -> Tally:
    """People whose numbers of commits fall off as in real histories, over twenty years."""
    dice, tally = random.Random(1), Tally()
    people = max(1, commits // 30)
    for start in range(0, commits, 10_000):
        some = range(start, min(start + 10_000, commits))
        authors = [int(people * dice.random() ** 4) for _ in some]
        facts = [
            (
                (f"Some One {author}", f"someone{author}@example.org"),
                1_100_000_000 + number * 600_000_000 // commits + dice.randrange(86_400),
                dice.random() < 0.1,
                (),
                (),
                b"parent",
                False,
            )
            for number, author in zip(some, authors, strict=True)
        ]
        tally.add([b"%040x" % dice.getrandbits(160) for _ in some], facts)
    return tally


if __name__ == "__main__":
    main()
