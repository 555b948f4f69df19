"""A database that explains every statement at the moment it runs it: how it would be done, and how much work it was.

Statements are taken from whatever code runs on it, so that none can be forgotten or go its own way. Work is counted in
what does not depend on the machine: pages that PostgreSQL touched, or steps of SQLite's virtual machine in hundreds.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from podium.storage.session import Database, Params, Row, Session
from podium.storage.sqlite import SqliteDatabase
from podium.storage.transactions.time_limits import NORMAL, TimeLimit

_STEPS = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """How a statement is done.

    sequential: the tables that it reads from end to end. lines: the plan for people. work: see above.
    milliseconds: how long it took by the database's own clock; 0 where the database does not tell.
    """

    sequential: tuple[str, ...]
    lines: tuple[str, ...]
    work: int
    milliseconds: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it ran. errand: what for. times: how often at once; the plan is of the first time."""

    errand: str
    sql: str
    plan: Plan
    times: int = 1

    @property
    def line(self) -> str:
        """The statement in one line."""
        return " ".join(re.sub(r"--[^\n]*", "", self.sql).split())


class Explained:
    """``db``, of which every statement is explained before it runs. Not for threads that run at once."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._explain = _of_sqlite if isinstance(db, SqliteDatabase) else _of_postgresql
        self._errand = ""
        self.statements: list[Statement] = []

    @contextlib.contextmanager
    def errand(self, name: str) -> Iterator[None]:
        """Whatever runs in the ``with`` block runs for that."""
        before, self._errand = self._errand, name
        try:
            yield
        finally:
            self._errand = before

    @contextlib.contextmanager
    def read(self, limit: TimeLimit = NORMAL) -> Iterator[Session]:
        with self._db.read(limit) as session:
            yield _ExplainedSession(self, session)

    @contextlib.contextmanager
    def write(self, limit: TimeLimit = NORMAL) -> Iterator[Session]:
        with self._db.write(limit) as session:
            yield _ExplainedSession(self, session)

    def close(self) -> None:
        """Leave it open: it belongs to whoever opened it."""

    def _note(self, session: Session, sql: str, params: Params, times: int = 1) -> None:
        self.statements.append(Statement(self._errand, sql, self._explain(session, sql, params), times))


class _ExplainedSession:
    def __init__(self, explained: Explained, session: Session) -> None:
        self._explained = explained
        self._session = session

    def all(self, sql: str, /, **params: Any) -> list[Row]:
        self._explained._note(self._session, sql, params)
        return self._session.all(sql, **params)

    def tuples(self, sql: str, /, **params: Any) -> list[tuple[Any, ...]]:
        self._explained._note(self._session, sql, params)
        return self._session.tuples(sql, **params)

    def one(self, sql: str, /, **params: Any) -> Row | None:
        self._explained._note(self._session, sql, params)
        return self._session.one(sql, **params)

    def value(self, sql: str, /, **params: Any) -> Any:
        self._explained._note(self._session, sql, params)
        return self._session.value(sql, **params)

    def run(self, sql: str, /, **params: Any) -> int:
        self._explained._note(self._session, sql, params)
        return self._session.run(sql, **params)

    def executemany(self, sql: str, rows: Iterable[Params | Sequence[Any]], /) -> None:
        all_rows = list(rows)
        if all_rows:
            self._explained._note(self._session, *_named(sql, all_rows[0]), times=len(all_rows))
        self._session.executemany(sql, all_rows)

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
        self._session.copy(table, columns, rows)


def _named(sql: str, row: Params | Sequence[Any]) -> tuple[str, Params]:
    """The same statement with names for its parameters."""
    if not isinstance(row, Sequence):
        return sql, row
    numbers = itertools.count()
    return re.sub(r"\?", lambda _: f":p{next(numbers)}", sql), {f"p{n}": value for n, value in enumerate(row)}


def _of_postgresql(session: Session, sql: str, params: Params) -> Plan:
    session.run("SAVEPOINT explained")
    found = session.value(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", **params)[0]
    session.run("ROLLBACK TO SAVEPOINT explained")
    session.run("RELEASE SAVEPOINT explained")
    top = found["Plan"]
    nodes = list(_nodes(top, 0))
    return Plan(
        sequential=tuple(node["Relation Name"] for node, _ in nodes if node["Node Type"] == "Seq Scan"),
        lines=tuple("  " * depth + _told(node) for node, depth in nodes),
        work=top["Shared Hit Blocks"] + top["Shared Read Blocks"],
        milliseconds=found["Planning Time"] + found["Execution Time"],
    )


def _nodes(node: dict[str, Any], depth: int) -> Iterator[tuple[dict[str, Any], int]]:
    # A part of the plan that was never needed was never done.
    if node.get("Actual Loops") != 0:
        yield node, depth
        for child in node.get("Plans", ()):
            yield from _nodes(child, depth + 1)


def _told(node: dict[str, Any]) -> str:
    words = [node["Node Type"]]
    if "Index Name" in node:
        words.append(node["Index Name"])
    if "Relation Name" in node:
        words.append(f"on {node['Relation Name']}")
    words += [f"({node[key]})" for key in ("Index Cond", "Recheck Cond") if key in node and "Plans" not in node]
    pages = node["Shared Hit Blocks"] + node["Shared Read Blocks"]
    rows = node["Actual Rows"] * node["Actual Loops"]
    return " ".join(words) + f": rows {rows:.0f}, pages {pages}, {node['Actual Total Time']:.2f} ms"


def _of_sqlite(session: Session, sql: str, params: Params) -> Plan:
    steps = session.all(f"EXPLAIN QUERY PLAN {sql}", **params)
    work, took = _steps(session, sql, params)
    return Plan(
        sequential=_walked(session, sql, params),
        lines=tuple(str(step["detail"]) for step in steps),
        work=work,
        milliseconds=took,
    )


def _walked(session: Session, sql: str, params: Params) -> tuple[str, ...]:
    """The tables that the statement's program walks through from an end.

    Not from the query plan, which calls tables by names that parts of the same statement may have too.
    """
    roots = dict(session.tuples("SELECT rootpage, name FROM sqlite_schema WHERE type = 'table'"))
    cursors: dict[int, str] = {}
    found = []
    for _, opcode, cursor, root, *_ in session.tuples(f"EXPLAIN {sql}", **params):
        if opcode in ("OpenRead", "OpenWrite"):
            cursors.pop(cursor, None)
            if root in roots:
                cursors[cursor] = roots[root]
        elif opcode in ("Rewind", "Last", "Count") and cursor in cursors:
            found.append(cursors[cursor])
    return tuple(found)


def _steps(session: Session, sql: str, params: Params) -> tuple[int, float]:
    connection = session._connection  # type: ignore[attr-defined]
    counted = itertools.count()
    connection.execute("SAVEPOINT explained")
    connection.set_progress_handler(lambda: next(counted) < 0, _STEPS)
    start = time.perf_counter()
    session.all(sql, **params)
    took = time.perf_counter() - start
    connection.set_progress_handler(None, 0)
    connection.execute("ROLLBACK TO explained")
    connection.execute("RELEASE explained")
    return next(counted), took * 1000
