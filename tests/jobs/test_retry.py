"""The rule for retries, as a table, and its effect on a repository's row."""

from __future__ import annotations

import dataclasses

import pytest

from podium.errors import HistoryError, Interrupted, LeaseLost, QueueError, StorageError
from podium.jobs import failures
from podium.jobs.retry import Fail, Postpone, Release, Retry, decide
from podium.storage.session import Database
from podium.textutil.mask import without_folders
from tests.support.rows import repository

TRANSIENT = HistoryError("unreachable", "try later", transient=True)


@pytest.mark.parametrize(
    ("error", "attempts", "expected"),
    [
        (HistoryError("missing", "gone"), 0, Fail("missing", "gone")),
        (TRANSIENT, 0, Retry(2.0)),
        (TRANSIENT, 1, Retry(4.0)),
        (TRANSIENT, 2, Retry(8.0)),
        (TRANSIENT, 3, Fail("unreachable", "try later")),
        (StorageError("busy"), 99, Postpone(5.0)),
        (QueueError("away"), 99, Postpone(5.0)),
        (Interrupted("stop"), 9, Release()),
        (LeaseLost("taken"), 9, Release()),
    ],
)
def test_what_follows_from_an_error(error: Exception, attempts: int, expected: object) -> None:
    assert decide(error, attempts, max_attempts=4, jitter=0.0) == expected


def test_retries_are_spread_and_bounded() -> None:
    assert decide(TRANSIENT, 0, 4, jitter=1.0) == Retry(4.0)
    assert decide(TRANSIENT, 50, 99, jitter=1.0) == Retry(300.0)


def test_an_unexpected_error_is_retried_and_then_fails_without_its_text() -> None:
    assert isinstance(decide(ValueError("secret"), 0, 4, 0.0), Retry)
    failed = decide(ValueError("secret"), 3, 4, 0.0)
    assert isinstance(failed, Fail)
    assert "ValueError" in failed.reason
    assert "secret" not in failed.reason


def test_a_failure_is_saved_with_its_reason_and_a_retry_with_its_time(db: Database, repository_id: int) -> None:
    with db.write() as session:
        failures.apply(session, repository(db, repository_id), 4, TRANSIENT)
    row = repository(db, repository_id)
    assert (row.state, row.attempts) == ("pending", 1)
    assert (row.not_before or 0) > row.updated_at
    with db.write() as session:
        failures.apply(session, dataclasses.replace(row, attempts=3), 4, TRANSIENT)
    row = repository(db, repository_id)
    assert (row.state, row.error_code, row.error) == ("failed", "unreachable", "try later")


def test_an_outage_of_database_or_queue_counts_no_attempt(db: Database, repository_id: int) -> None:
    for error in (StorageError("away"), QueueError("away")):
        third = dataclasses.replace(repository(db, repository_id), attempts=3)
        with db.write() as session:
            failures.apply(session, third, 4, error)
        row = repository(db, repository_id)
        assert (row.state, row.attempts) == ("pending", 0)
        assert (row.not_before or 0) > row.updated_at


@pytest.mark.parametrize("host", ["github.com", ""])
def test_a_saved_reason_names_a_folder_of_this_machine_only_for_a_path(
    db: Database, repository_id: int, host: str
) -> None:
    error = HistoryError("corrupt", "git fetch failed: bad object in '/srv/data/mirrors/o-r.git/objects/x.pack'.")
    with db.write() as session:
        failures.apply(session, dataclasses.replace(repository(db, repository_id), host=host), 4, error)
    expected = "git fetch failed: bad object in 'x.pack'." if host else error.message
    assert repository(db, repository_id).error == expected


@pytest.mark.parametrize(
    "text",
    [
        "see https://github.com/o/r/tree/main",
        "POST /repositories/retry?repoUrl=… counts it again",
        "refs/heads/a",
        "1/2",
    ],
)
def test_addresses_and_routes_are_no_folders_of_this_machine(text: str) -> None:
    assert without_folders(text) == text


@pytest.mark.parametrize("text", ["/srv/a/b c", "(/srv/a/b)", "at /srv/a/b.", "=/srv/a/b", "'/srv/a/b'"])
def test_folders_are_left_out_of_text(text: str) -> None:
    assert "/srv" not in without_folders(text)
