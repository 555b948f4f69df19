"""Repositories for the tests of jobs."""

from __future__ import annotations

import pytest

from podium.jobs import batches
from podium.jobs.messages import broker
from podium.storage.session import Database
from tests.support.rows import add_people, add_repository


@pytest.fixture(autouse=True)
def polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queues that end, and see what is due, within milliseconds."""
    monkeypatch.setattr(broker, "_POLL_MILLISECONDS", 20)


@pytest.fixture
def repository_id(db: Database) -> int:
    return add_repository(db)


@pytest.fixture
def resolving(db: Database) -> int:
    """A repository with 120 e-mails to resolve, one of them under two names."""
    number = add_repository(db, state="users_processing", generation=1)
    add_people(db, number, {f"p{n:03}@example.org": 200 - n for n in range(120)})
    add_people(db, number, {"p000@example.org": 1}, name="Another Name")
    with db.write() as session:
        assert batches.assign(session, number, 0) == 120
    return number
