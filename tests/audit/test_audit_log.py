"""The audit log keeps what administrators did, and stays small."""

from __future__ import annotations

import contextlib
import getpass
from pathlib import Path

import pytest

from podium.app import factories
from podium.app.operations import migrate_database
from podium.audit import audit_log
from podium.settings import Settings
from podium.storage import migrate
from podium.storage.session import Database
from tests.support.web import open_site


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


def test_a_migration_is_recorded_once_and_only_where_the_log_exists(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path))
    for revision in ("0001", "head", "head"):
        migrate_database(settings, to=revision, check=False)
    with contextlib.closing(factories.open_database(settings)) as db, db.read() as session:
        (entry,) = audit_log.latest(session, 10)
    assert (entry.act, entry.subject, entry.detail) == ("migrate", migrate.HEAD, "from 0001")
    assert entry.actor.startswith("command line ")
    assert audit_log.SINCE in migrate.REVISIONS


def test_a_refresh_by_the_administrator_is_recorded(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        site.repository("octo/hello")
        for query in ("", "?repoUrl=octo/hello", "?repoUrl=octo/missing"):
            site.administrator().post(f"/refresh{query}")
        assert site.client().post("/refresh").status_code == 401
        with site.db.read() as session:
            found = [(entry.actor, entry.act, entry.subject) for entry in audit_log.latest(session, 10)]
    assert found == [("api", "refresh", "https://github.com/octo/hello"), ("api", "refresh", "all boards: 1")]


def test_a_user_without_a_name_is_named_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert audit_log.command_line().startswith("command line uid ")
