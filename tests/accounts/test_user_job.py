"""A look-up that fails again and again: a board that was complete is completed without the accounts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from podium.accounts.lookup import LookupStep
from podium.accounts.stale import MaxAges
from podium.accounts.user_job import UserJob
from podium.storage.session import Database
from tests.support.rows import add_people, add_repository, repository


class FailingLookup:
    def find(self, *_: Any) -> Iterator[LookupStep]:
        raise RuntimeError("unexpected")

    def close(self) -> None:
        pass


def job(db: Database) -> UserJob:
    return UserJob(db, FailingLookup(), "github.com", MaxAges(1e9, 1e9, 1e9), max_crashes=5, max_rounds=5)


def in_look_up(db: Database, *, was_complete: bool, **columns: Any) -> int:
    number = add_repository(db, state="users_processing")
    add_people(db, number, {"a@example.org": 1})
    columns |= {"head": "h", "commits_processed_at": 2.0, "last_processed_at": 1.0 if was_complete else None}
    with db.write() as session:
        for name, value in columns.items():
            session.run(f"UPDATE repository SET {name} = :value WHERE id = :id", value=value, id=number)
        session.run("UPDATE commit_data SET batch = 0, processed = false")
    return number


@pytest.mark.parametrize(("was_complete", "state"), [(True, "completed"), (False, "failed")])
def test_a_worker_that_crashes_again_and_again_fails_no_board(db: Database, *, was_complete: bool, state: str) -> None:
    number = in_look_up(db, was_complete=was_complete, crashes=4)
    with db.write() as session:
        session.run("UPDATE commit_data SET claim_token = 'dead', claim_until = {now} - 1")
    job(db).run(number, 0, 0, threading.Event())
    row = repository(db, number)
    assert (row.state, row.unresolved_reason is not None) == (state, was_complete)


@pytest.mark.parametrize(("was_complete", "state"), [(True, "completed"), (False, "failed")])
def test_unexpected_errors_fail_no_board(db: Database, *, was_complete: bool, state: str) -> None:
    number = in_look_up(db, was_complete=was_complete, attempts=4)
    job(db).run(number, 0, 0, threading.Event())
    row = repository(db, number)
    assert (row.state, row.unresolved_reason is not None) == (state, was_complete)
