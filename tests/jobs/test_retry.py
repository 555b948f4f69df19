"""The rule for retries, as a table, and its effect on a repository's row."""

from __future__ import annotations

import dataclasses

import pytest

from podium.errors import HistoryError, Interrupted, LeaseLost, QueueError, StorageError
from podium.jobs import failures
from podium.jobs.retry import (
    AskAgain,
    Fail,
    Postpone,
    Release,
    Retry,
    Tries,
    WaitForHost,
    decide,
    gone_delay,
    probe_delay,
)
from podium.storage.session import Database
from podium.textutil.mask import without_folders
from tests.support.rows import repository

TRANSIENT = HistoryError("unreachable", "try later", transient=True)


@pytest.mark.parametrize(
    ("error", "attempts", "expected"),
    [
        (HistoryError("missing", "gone"), 0, Fail("missing", "gone")),
        (HistoryError("too-large", "too large"), 0, Fail("too-large", "too large")),
        (TRANSIENT, 0, WaitForHost(2.0, no_connection=True, code="unreachable")),
        (TRANSIENT, 99, WaitForHost(2.0, no_connection=True, code="unreachable")),
        (HistoryError("git-failed", "no git", transient=True), 1, Retry(4.0)),
        (HistoryError("git-failed", "no git", transient=True), 3, Fail("git-failed", "no git")),
        (StorageError("busy"), 99, Postpone(5.0)),
        (StorageError("full", "database-full"), 99, Postpone(60.0)),
        (StorageError("too slow", "database-timeout"), 99, Postpone(60.0)),
        (QueueError("away"), 99, Postpone(5.0)),
        (Interrupted("stop"), 9, Release()),
        (LeaseLost("taken"), 9, Release()),
    ],
)
def test_what_follows_from_an_error(error: Exception, attempts: int, expected: object) -> None:
    assert decide(error, Tries(attempts), max_attempts=4, jitter=0.0) == expected


def test_a_host_is_tried_for_about_a_day_with_growing_delays() -> None:
    error = HistoryError("interrupted-transfer", "Try again.", transient=True)
    delays: list[float] = []
    while isinstance(decision := decide(error, Tries(of_host=len(delays)), 4, jitter=0.0), WaitForHost):
        delays.append(decision.delay)
    assert delays[:4] == [2, 4, 8, 16] and delays == sorted(delays) and max(delays) == 1800
    assert 20 < sum(delays) / 3600 < 25
    assert isinstance(decision, Fail) and "about a day" in decision.reason
    spread = decide(error, Tries(of_host=3), 4, jitter=1.0)
    assert isinstance(spread, WaitForHost) and spread.delay == 24


def test_the_command_line_waits_for_no_host() -> None:
    for code in ("unreachable", "host-error", "interrupted-transfer", "missing"):
        error = HistoryError(code, "No.", transient=code != "missing")
        assert decide(error, Tries(has_board=True), 4, 0.0, patient=False) == Fail(code, "No.")


def test_only_a_board_is_asked_for_again_that_its_host_denies() -> None:
    for code in ("missing", "taken-down"):
        assert decide(HistoryError(code, "No."), Tries(has_board=True), 4, 0.0) == AskAgain(code, "No.")
        assert decide(HistoryError(code, "No."), Tries(), 4, 0.0) == Fail(code, "No.")


def test_an_outage_is_noticed_as_over_within_half_of_its_length() -> None:
    assert [probe_delay(seconds, 0.0) for seconds in (0, 60, 600, 86_400)] == [2, 30, 300, 600]
    assert [gone_delay(seconds, 0.0) for seconds in (0, 599, 600, 7200, 1e7)] == [600, 1, 600, 3600, 86_400]


def test_unexpected_errors_are_spread_and_bounded() -> None:
    assert decide(ValueError(), Tries(0), 4, jitter=1.0) == Retry(3.0)
    assert decide(ValueError(), Tries(50), 99, jitter=0.0) == Retry(300.0)


def test_an_unexpected_error_is_retried_and_then_fails_without_its_text() -> None:
    assert isinstance(decide(ValueError("secret"), Tries(), 4, 0.0), Retry)
    failed = decide(ValueError("secret"), Tries(3), 4, 0.0)
    assert isinstance(failed, Fail)
    assert "ValueError" in failed.reason
    assert "secret" not in failed.reason


def test_a_retry_is_saved_with_its_time_and_a_failure_with_its_reason(db: Database, repository_id: int) -> None:
    error = HistoryError("git-failed", "git cannot be started.", transient=True)
    with db.write() as session:
        failures.apply(session, repository(db, repository_id), 4, error)
    row = repository(db, repository_id)
    assert (row.state, row.attempts) == ("pending", 1)
    assert (row.not_before or 0) > row.updated_at
    with db.write() as session:
        failures.apply(session, dataclasses.replace(row, attempts=3), 4, error)
    row = repository(db, repository_id)
    assert (row.state, row.error_code, row.error) == ("failed", "git-failed", "git cannot be started.")


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
