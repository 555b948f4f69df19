"""The audit log keeps what administrators did, and stays small."""

from __future__ import annotations

import getpass

import pytest

from podium.audit import audit_log
from podium.storage.session import Database


def test_entries_come_newest_first_and_in_pages(db: Database) -> None:
    with db.write() as session:
        for number in range(5):
            audit_log.record(session, audit_log.API, "retry", f"#{number}")
    with db.read() as session:
        first = audit_log.latest(session, 2)
        second = audit_log.latest(session, 2, before=first[-1].id)
    assert [entry.subject for entry in first + second] == ["#4", "#3", "#2", "#1"]
    assert (first[0].actor, first[0].act, first[0].detail) == ("api", "retry", None)
    assert first[0].at > 1.7e9


def test_hostile_text_becomes_one_short_line(db: Database) -> None:
    with db.write() as session:
        audit_log.record(session, "a\x00\n" * 500, "forget", "s\x1b[2J" * 500, "d\u202e" * 2000)
        (entry,) = audit_log.latest(session, 10)
    assert len(entry.actor) <= 100
    assert len(entry.subject) <= 500
    assert entry.detail is not None
    assert len(entry.detail) <= 1000
    assert (entry.actor + entry.subject + entry.detail).isprintable()


def test_the_oldest_entries_are_deleted_beyond_the_limit(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "KEPT", 3)
    monkeypatch.setattr(audit_log, "KEPT_REFUSALS", 2)
    with db.write() as session:
        for number in range(5):
            audit_log.record(session, audit_log.PAGE, "retry", str(number))
        # Strangers cannot displace acts.
        for number in range(5):
            audit_log.record(session, audit_log.PAGE, audit_log.SIGN_IN_REFUSED, str(number))
        entries = audit_log.latest(session, 100)
    assert [(entry.act, entry.subject) for entry in entries] == [
        ("sign-in refused", "4"),
        ("sign-in refused", "3"),
        ("retry", "4"),
        ("retry", "3"),
        ("retry", "2"),
    ]


def test_a_user_without_a_name_is_named_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert audit_log.command_line().startswith("command line uid ")
