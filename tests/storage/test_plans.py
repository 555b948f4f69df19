"""No statement looks at what belongs to other repositories: each is explained where it runs, among many of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.repositories.listing import MANY, Totals
from podium.repositories.store.freshness import due_checks
from podium.repositories.store.queue import due_work
from podium.repositories.store.readers.selection import Selection
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.storage.session import Database
from podium.storage.sqlite import SqliteDatabase
from tests.support.bulk_rows import fill, settle
from tests.support.plans import Explained, Statement
from tests.support.postgres import Postgres
from tests.support.repository_life import RepositoryLife
from tests.support.rows import add_repository
from tests.support.sqlite_database import open_or_create

LARGE = {"repository", "contributor", "repository_contributor", "known_email", "commit_data", "commit_log"}
# Enough that PostgreSQL reads an index rather than the whole table. SQLite does not go by the number of rows.
REPOSITORIES, PEOPLE, PEOPLE_ON_SQLITE = 600, 60, 20
# How many there are in all is counted on an index once in a while: see podium.repositories.listing.Totals.
TOTAL = re.compile(
    r"SELECT count\(\*\) FROM repository WHERE host <> '' AND hidden_at IS NULL AND parent_key IS NULL"
    r"( AND state = :state)?"
)

# Threads of their own note these, at any time.
NOTED = ("UPDATE repository SET people = ", "UPDATE repository SET last_read_at = ")
# The places of all that wait are read once in a while: see podium.repositories.queue_places.
PLACES = ("SELECT id, virtual_start, not_before IS NULL", "FROM worker WHERE")
# Pauses are read at most every few seconds: see podium.web.cache.paused_checks.
PAUSES = "SELECT kind, name FROM pause"


def _sqlite(folder: Path, repositories: int) -> SqliteDatabase:
    db = open_or_create(folder / "podium.db")
    fill(db, repositories=repositories, people=PEOPLE_ON_SQLITE)
    return db


def _postgresql(server: Postgres) -> PostgresDatabase:
    name = server.create_migrated()
    # Statistics of every row, not of a random sample: the plans are the same in every run.
    server.ask(f"ALTER DATABASE {name} SET default_statistics_target = 1000")
    db = PostgresDatabase(server.url(name), most=5)
    fill(db, repositories=REPOSITORIES, people=PEOPLE)
    return db


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def crowded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database of many repositories."""
    if request.param == "sqlite":
        db: Database = _sqlite(tmp_path_factory.mktemp("crowded"), REPOSITORIES)
    else:
        db = _postgresql(request.getfixturevalue("postgres"))
    yield db
    db.close()


def errands(db: Database, folder: Path) -> list[Statement]:
    """What runs for one repository among those of ``db``, explained."""
    explained = Explained(db)
    RepositoryLife(explained, folder).run()
    found = [
        one
        for one in explained.statements
        if one.errand
        and not TOTAL.fullmatch(one.line)
        and not one.line.startswith(NOTED)
        and not one.line.startswith(PAUSES)
        and not (one.errand.startswith("GET ") and any(places in one.line for places in PLACES))
    ]
    assert len(found) > 150
    return found


@pytest.fixture(scope="module")
def among_many(crowded: Database, tmp_path_factory: pytest.TempPathFactory) -> list[Statement]:
    """What runs for one repository of that database."""
    return errands(crowded, tmp_path_factory.mktemp("errands"))


def test_no_large_table_is_read_from_end_to_end(among_many: list[Statement]) -> None:
    scans = [
        f"{one.errand}: {one.line}\n  " + "\n  ".join(one.plan.lines)
        for one in among_many
        if LARGE.intersection(one.plan.sequential)
    ]
    assert not scans, "\n".join(scans)


@pytest.mark.parametrize("crowded", ["sqlite"], indirect=True)
def test_the_work_for_a_repository_does_not_grow_with_the_others(among_many: list[Statement], tmp_path: Path) -> None:
    few = _sqlite(tmp_path, 250)
    among_few = errands(few, tmp_path)
    few.close()
    assert [(one.errand, one.line) for one in among_few] == [(one.errand, one.line) for one in among_many]
    grown = [
        f"{one.errand}: from {one.plan.work} to {other.plan.work}: {one.line}"
        for one, other in zip(among_few, among_many, strict=True)
        if other.plan.work > one.plan.work * 1.2 + 5
    ]
    assert not grown, "\n".join(grown)


def test_a_statement_without_an_index_is_seen(crowded: Database) -> None:
    explained = Explained(crowded)
    with explained.read() as session:
        session.value("SELECT count(*) FROM commit_data c WHERE c.sample_sha = :sha", sha="0" * 40)
        session.value("SELECT id FROM commit_data WHERE repository_id = :id LIMIT 1", id=9)
    whole, found = explained.statements
    assert whole.plan.sequential == ("commit_data",)
    assert not found.plan.sequential
    assert whole.plan.work > 20 * max(1, found.plan.work)


def test_a_large_total_is_counted_once_in_a_while(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podium.repositories.listing.MANY", 2)
    times = iter(range(0, 1000, 10))
    totals = Totals(clock=lambda: next(times))

    def total() -> int:
        with sqlite.read() as session:
            return totals.of(session, Selection())

    assert MANY > 1000
    for number in range(4):
        add_repository(sqlite, f"github.com/o/{number}")
        if number < 2:
            assert total() == number + 1
    # Each count takes ten seconds by this clock: kept for two hundred, in which it is asked for nineteen times.
    assert [total() for _ in range(20)] == [2] * 19 + [4]


def test_the_schedule_reads_what_is_due_and_nothing_else(db: Database) -> None:
    fill(db, repositories=REPOSITORIES, people=10)
    with db.write() as session:
        session.run(
            """UPDATE repository SET last_read_at = {now}, commits_processed_at = 1,
                check_at = CASE WHEN id % 100 = 0 THEN {now} - 1 WHEN id % 100 <> 1 THEN {now} + 100000 END"""
        )
        # Branches and tags, half of them of one that is here.
        session.run(
            """UPDATE repository SET parent_key = CASE WHEN id % 200 = 0 THEN 'github.com/o/nowhere'
                ELSE (SELECT min(key) FROM repository) END WHERE id % 50 = 0"""
        )
    settle(db)
    explained = Explained(db)
    with explained.write() as session:
        due_checks.pending(session, every=86_400.0)
        assert 0 < due_checks.enrol(session, every=86_400.0) < 10
        assert 0 < due_checks.pass_over(session, every=86_400.0) < 10
        taken = due_checks.take_due(session, limit=100)
        due_checks.take_early(session, "github.com", every=86_400.0, limit=90, without=[row.id for row in taken])
        claims = {row.id: (str(row.id), row.check_at or 0.0) for row in taken}
        assert 0 < len(claims) < 10
        due_checks.numbers_of_others(session, "github.com", [number for number, _ in claims.values()])
        assert due_checks.settle_unchanged(session, claims, every=86_400.0) == len(claims)
        due_work.longest_scheduled(session)
    scans = [one.line for one in explained.statements if "repository" in one.plan.sequential]
    assert not scans, "\n".join(scans)
    assert max(one.plan.work for one in explained.statements) < REPOSITORIES
