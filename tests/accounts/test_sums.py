"""The sums of accounts are written in bounded steps, before the repository is completed."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from podium.accounts.links import Move
from podium.accounts.lookup import NoLookup
from podium.accounts.stale import MaxAges
from podium.accounts.sums import changed_sums, moved_sum_steps
from podium.accounts.user_job import UserJob
from podium.storage.session import Database
from podium.storage.sqlite import SqliteDatabase
from podium.storage.transactions.steps import run_steps
from tests.support.rows import add_people, add_repository, repository
from tests.support.watched_database import Watched, ends_after

STEP = 5


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podium.accounts.sums.EMAILS_PER_QUERY", STEP)


def job(db: Any) -> UserJob:
    ages = MaxAges(account=1e9, email=1e9, unknown_email=1e9)
    return UserJob(db, NoLookup(), "github.com", ages, max_crashes=5, max_rounds=5)


def add_looked_up(db: Database, people: int, key: str = "github.com/o/r", state: str = "users_processing") -> int:
    """Add a repository whose e-mails are all processed; two of them belong to each account."""
    number = add_repository(db, key, state=state)
    add_people(db, number, {f"p{person}@example.org": person + 1 for person in range(people)})
    with db.write() as session:
        session.run("UPDATE commit_data SET processed = TRUE")
        session.executemany(
            """INSERT INTO contributor (id, host, account_id, created_at, updated_at) VALUES (?, 'github.com', ?, 0, 0)
            ON CONFLICT DO NOTHING""",
            [(account + 1, account) for account in range(people // 2)],
        )
        session.executemany(
            """INSERT INTO known_email (host, email, contributor_id, source, known_at)
            VALUES ('github.com', ?, ?, 'host', 0) ON CONFLICT DO NOTHING""",
            [(f"p{person}@example.org", person // 2 + 1) for person in range(people)],
        )
    return number


def sums(db: Database, repository_id: int) -> dict[int, int]:
    with db.read() as session:
        return dict(
            session.tuples(
                "SELECT contributor_id, commit_count FROM repository_contributor WHERE repository_id = :id",
                id=repository_id,
            )
        )


def expected(people: int) -> dict[int, int]:
    return {account + 1: 4 * account + 3 for account in range(people // 2)}


@pytest.mark.parametrize("people", [20, 80])
def test_no_transaction_of_a_completion_grows_with_the_repository(db: Database, people: int) -> None:
    number = add_looked_up(db, people)
    watched = Watched(db)
    assert not job(watched).run(number, 0, 0, threading.Event())
    assert repository(db, number).state == "completed"
    assert sums(db, number) == expected(people)
    assert max(watched.written) <= STEP
    assert len(watched.written) >= people / 2 / STEP


def test_a_completion_that_is_killed_at_any_step_is_finished_by_the_next_worker(sqlite: SqliteDatabase) -> None:
    number = add_looked_up(sqlite, 40)
    transactions, done = 0, False
    while not done:
        transactions += 1
        with sqlite.write() as session:
            session.run("DELETE FROM repository_contributor")
            session.run("UPDATE repository SET state = 'users_processing'")
        done = ends_after(transactions, sqlite, lambda watched: _run(watched, number))
        if repository(sqlite, number).state != "completed":
            _run(sqlite, number)
        assert repository(sqlite, number).state == "completed"
        assert sums(sqlite, number) == expected(40)
    assert transactions > 4


def _run(db: Any, repository_id: int) -> None:
    job(db).run(repository_id, 0, 0, threading.Event())


def test_a_completion_writes_only_sums_that_changed(db: Database) -> None:
    number = add_looked_up(db, 20)
    _run(db, number)
    with db.write() as session:
        session.run("UPDATE repository SET state = 'users_processing'")
        session.run("UPDATE commit_data SET commit_count = 100 WHERE email = 'p7@example.org'")
        session.run("INSERT INTO contributor (id, host, created_at, updated_at) VALUES (99, 'github.com', 0, 0)")
        session.run(
            "INSERT INTO repository_contributor (repository_id, contributor_id, commit_count) VALUES (:id, 99, 1)",
            id=number,
        )
    watched = Watched(db)
    _run(watched, number)
    assert sums(db, number) == expected(20) | {4: 107}
    # The claim's own statements write nothing.
    assert sum(watched.written) == 4


def test_a_moved_email_changes_the_sums_of_both_accounts_on_every_board(db: Database) -> None:
    boards = [add_looked_up(db, 10), add_looked_up(db, 6, "github.com/o/s", "completed")]
    for board in boards:
        _run(db, board)
    with db.write() as session:
        session.run("UPDATE known_email SET contributor_id = 1 WHERE email = 'p4@example.org'")
        steps = moved_sum_steps(session, [Move("p4@example.org", 3, 1)])
    run_steps(db.write, steps, threading.Event())
    assert sums(db, boards[0]) == expected(10) | {1: 8, 3: 6}
    assert sums(db, boards[1]) == {1: 8, 3: 6}


def test_a_late_worker_does_not_complete_a_repository_that_was_counted_again_meanwhile(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = add_looked_up(db, 10)
    _run(db, number)
    with db.write() as session:
        session.run("UPDATE repository SET state = 'users_processing'")

    counts = [1]

    def counted_again_behind(*arguments: Any) -> list[int]:
        found = changed_sums(*arguments)
        with db.write() as session:
            if not counts:
                return found
            counts.clear()
            # All of its e-mails are known already.
            session.run("UPDATE commit_data SET commit_count = 100 WHERE email = 'p7@example.org'")
            session.run("UPDATE repository SET generation = generation + 1")
        return found

    monkeypatch.setattr("podium.accounts.user_job.changed_sums", counted_again_behind)
    _run(db, number)
    assert repository(db, number).state == "completed"
    assert sums(db, number) == expected(10) | {4: 107}
