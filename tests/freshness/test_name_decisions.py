"""What administrators decide and block: it holds under every name of a repository."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from podium.blocks import block_list
from podium.blocks.block_list import BlockKind
from podium.cli import main
from podium.errors import Blocked, Conflict
from podium.forgetting.forget_repository import forget_repository
from podium.freshness import name_decisions
from podium.jobs.messages.queues import NullQueues
from podium.repositories.model import State
from podium.repositories.store import queries
from podium.repositories.store.freshness import names
from podium.storage import sqlite_schema
from podium.storage.session import Database
from podium.storage.sqlite import SqliteDatabase
from podium.submissions.submit import submit
from tests.freshness.test_apply_answer import answered, at, board, by_key
from tests.support.rows import repository


def test_the_old_board_is_kept_as_it_is(db: Database) -> None:
    number = board(db, "a/x", host_number="1")
    answered(db, number, "a/x", "2")
    with db.read() as session:
        assert [row.id for row in names.undecided(session, limit=9)] == [number]
    name_decisions.keep(db, number, actor="test")
    row = repository(db, number)
    assert row.name_taken_at and (row.check_at, row.refresh_every, row.state) == (None, 0, State.COMPLETED)
    # Its host may say so again.
    answered(db, number, "a/x", "2")
    with db.read() as session:
        assert not names.undecided(session, limit=9)
    with pytest.raises(Conflict, match="has its name"):
        name_decisions.keep(db, board(db, "a/y"), actor="test")


def test_starting_over_forgets_the_board_and_counts_the_repository_that_has_the_name(db: Database) -> None:
    number = board(db, "a/x", host_number="1")
    answered(db, number, "a/x", "2")
    name_decisions.start_over(db, number, actor="test")
    row = by_key(db, "github.com/a/x")
    assert row is not None and row.id != number
    assert (row.state, row.host_number, row.name_taken_at) == (State.PENDING, "2", None)
    with pytest.raises(Conflict):
        name_decisions.start_over(db, row.id, actor="test")


@pytest.mark.parametrize("decide", [name_decisions.keep, name_decisions.start_over])
def test_branches_and_tags_without_a_row_of_their_repository_are_decided_together(
    sqlite: SqliteDatabase, decide: Any
) -> None:
    rows = [board(sqlite, "a/x", revision=name) for name in ("dev", "v1")]
    with sqlite.write() as session:
        names.mark_taken(session, "github.com/a/x", None)
    with sqlite.read() as session:
        assert [row.id for row in names.undecided(session, limit=9)] == rows[:1]
    decide(sqlite, rows[1], actor="test")
    with sqlite.read() as session:
        assert not names.undecided(session, limit=9)
        left = [queries.by_id(session, number) is not None for number in rows]
    assert left == [decide is name_decisions.keep] * 2


def test_the_command_shows_and_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    with contextlib.closing(SqliteDatabase(tmp_path / "podium.db")) as db:
        sqlite_schema.create(db)
        number = board(db, "a/x", host_number="1")
        answered(db, number, "a/x", "2")
        assert main(["queue"]) == 0
        assert f"Another repository has taken the name of:\n#{number} https://github.com/a/x" in capsys.readouterr().out
        assert main(["queue", "keep", str(number)]) == 0
        assert main(["queue"]) == 0
        assert "is kept as it is" in (shown := capsys.readouterr().out) and "has the name of" not in shown
        assert main(["queue", "start-over", f"#{number}"]) == 0
        assert main(["queue", "start-over", str(number)]) == 2


def test_a_board_that_waits_for_the_name_moves_there_when_it_is_free(db: Database) -> None:
    waiting, old = board(db, "a/new", host_number="2"), board(db, "a/x", host_number="1")
    answered(db, old, "a/x", "2")
    name_decisions.start_over(db, old, actor="test")
    assert by_key(db, "github.com/a/x") is None
    answered(db, waiting, "a/x", "2")
    assert repository(db, waiting).key == "github.com/a/x"


def test_a_blocked_repository_cannot_come_back_under_another_name(db: Database) -> None:
    number = board(db, "a/x", host_number="1")
    answered(db, number, "a/y", "1")
    forget_repository(db, number, actor="test", is_blocked=True)
    for name in ("a/x", "a/y", "A/X"):
        with pytest.raises(Blocked):
            submit(db, NullQueues(), at(name), refresh_after=0)
    # Under a name that was never seen its number tells.
    later = board(db, "a/z")
    assert answered(db, later, "a/z", "1").hides
    with db.write() as session:
        assert queries.by_id(session, later) is None
        assert [each.value for each in block_list.blocks(session)] == ["github.com/a/y"]
        assert block_list.remove(session, BlockKind.REPOSITORY, "github.com/a/x")
        assert not block_list.blocks(session)


def test_a_block_of_a_former_name_holds_for_the_present_one(db: Database) -> None:
    number = board(db, "a/x")
    answered(db, number, "a/y")
    with db.write() as session:
        block_list.add(session, BlockKind.REPOSITORY, "github.com/a/x")
        with pytest.raises(Blocked):
            block_list.check(session, at("a/y"))


def test_a_forgotten_repository_has_no_former_names(db: Database) -> None:
    number = board(db, "a/x")
    answered(db, number, "a/y")
    forget_repository(db, number, actor="test")
    for name in ("a/x", "a/y"):
        assert submit(db, NullQueues(), at(name), refresh_after=0).is_new
