"""The cost of a batch does not grow with its repository: every statement finds its rows by an index."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from podium.storage.session import Session
from podium.storage.sqlite import SqliteDatabase
from podium.storage.transactions.time_limits import NORMAL, TimeLimit
from tests.support.github_double import GitHubDouble
from tests.support.github_history import Accounts, KnownAccount
from tests.support.github_repository import build
from tests.support.resolving import desk

_TOKENS = re.compile(r"\{(?:now|for_update)\}")


class Listening:
    """Records the statements that a database runs."""

    def __init__(self, db: SqliteDatabase) -> None:
        self._db, self.heard = db, {}  # type: tuple[SqliteDatabase, dict[str, None]]

    def write(self, _limit: TimeLimit = NORMAL) -> contextlib.AbstractContextManager[Any]:
        return self._listened(self._db.write)

    def read(self, _limit: TimeLimit = NORMAL) -> contextlib.AbstractContextManager[Any]:
        return self._listened(self._db.read)

    @contextlib.contextmanager
    def _listened(self, begin: Callable[[], contextlib.AbstractContextManager[Session]]) -> Iterator[Any]:
        heard = self.heard

        class Ear:
            def __getattr__(self, name: str) -> Any:
                def ask(sql: str, *rows: Any, **params: Any) -> Any:
                    heard[sql] = None
                    return getattr(session, name)(sql, *rows, **params)

                return ask

        with begin() as session:
            yield Ear()

    def close(self) -> None:
        """Do nothing: the fixture closes the database."""


def test_no_statement_of_a_batch_reads_more_of_the_repository_than_the_batch(
    sqlite: SqliteDatabase, tmp_path: Path
) -> None:
    build(tmp_path / "r.git", [(f"p{n}@x.org", "Work") for n in range(120)])
    accounts = Accounts()
    accounts.add(KnownAccount(1, "p"), "p0@x.org")
    listening = Listening(sqlite)
    with GitHubDouble({"o/r": tmp_path / "r.git"}, accounts) as double, desk(sqlite, double) as podium:
        number = podium.count(tmp_path / "r.git")
        job = dataclasses.replace(podium.users, db=listening)
        job.run(number, podium.row(number).generation, 0, podium.stop)
    asked = [sql for sql in listening.heard if "commit_data" in sql]
    assert len(asked) >= 6
    with contextlib.closing(sqlite3.connect(tmp_path / "podium.db")) as db:
        for sql in asked:
            text = _TOKENS.sub(lambda token: "1.0" if token[0] == "{now}" else "", sql)
            names = dict.fromkeys(re.findall(r":(\w+)", text), 1)
            plan = [row[3] for row in db.execute("EXPLAIN QUERY PLAN " + text, names)]
            reads = [step for step in plan if "commit_data" in step]
            assert reads and all("ix_commit_data_unprocessed" in step for step in reads), (sql, plan)
            # Completing looks for any unprocessed row.
            assert "NOT EXISTS" in sql or "LIMIT 1" in sql or any("batch=?" in step for step in reads), (sql, plan)
