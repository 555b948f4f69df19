"""PostgreSQL through psycopg, which is imported late: the import takes as long as ranking a small repository.

A writing transaction is READ COMMITTED and locks rows with ``{for_update}``, the repository's first. A reading one is
REPEATABLE READ and sees one snapshot.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from podium.errors import BadSetting
from podium.storage.pool import Pool
from podium.storage.postgresql.postgres_errors import explained, is_away, is_silent
from podium.storage.postgresql.postgres_sql import translated
from podium.storage.session import Params, Row, Session
from podium.storage.transactions import own_writes
from podium.storage.transactions.time_limits import BUSY_TIMEOUT, GRACE, IDLE_IN_TRANSACTION, LONG, NORMAL, TimeLimit
from podium.telemetry import metrics

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import DictRow

    from podium.storage.postgresql.postgres_connection import BoundedConnection

_LOOK_EVERY = 0.25
# Smaller COPYs leave the planner's statistics to autovacuum.
_WORTH_ANALYZING = 1000

_READ = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# Not READ WRITE: a database that its operator or host made read-only by default stays so.
_WRITE = "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED"

# In the message that begins the transaction, so that they take no time on the network.
_LIMITS = (
    f"; SET LOCAL lock_timeout = '{BUSY_TIMEOUT:.0f}s'"
    f"; SET LOCAL idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION:.0f}s'"
    "; SET LOCAL statement_timeout = "
)
# The operator's limit of a whole transaction, which 17 added.
_NO_TRANSACTION_TIMEOUT = "; SET LOCAL transaction_timeout = 0"

# DATABASE_URL takes precedence.
_DEFAULTS = {
    "application_name": "podium",
    "client_encoding": "UTF8",
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "2",
    "tcp_user_timeout": "20000",
}


class PostgresDatabase:
    """A PostgreSQL database at a libpq URL.

    Args:
        most: connections of this process.
        patience: seconds to wait for a server that is away.

    Raises:
        BadSetting: the URL cannot be read.
    """

    def __init__(self, url: str, *, most: int, patience: float = 0.0) -> None:
        self._conninfo, self._where = read_url(url)
        self._patience = patience
        # Rows since the last ANALYZE.
        self._loaded: dict[str, int] = {}
        self._pool = Pool(self._connect, _is_usable, most=most, patience=BUSY_TIMEOUT)

    def read(self, limit: TimeLimit = NORMAL) -> contextlib.AbstractContextManager[Session]:
        return self._transaction(_READ, limit)

    def write(self, limit: TimeLimit = NORMAL) -> contextlib.AbstractContextManager[Session]:
        return self._transaction(_WRITE, limit)

    @contextlib.contextmanager
    def _transaction(self, begin: str, limit: TimeLimit) -> Iterator[Session]:
        import psycopg

        try:
            with self._begun(begin, limit) as connection:
                session = _PostgresSession(connection.cursor())
                try:
                    yield session
                    _commit(connection)
                    if begin == _WRITE:
                        own_writes.note()
                except BaseException:
                    _roll_back(connection)
                    raise
                self._analyze(connection, session.loaded)
        except psycopg.Error as error:
            metrics.add(metrics.DATABASE_ERRORS, kind=type(error).__name__)
            raise explained(self._where, error) from error

    @contextlib.contextmanager
    def _begun(self, begin: str, limit: TimeLimit) -> Iterator[BoundedConnection]:
        """A connection that was lost while idle is replaced; nothing ran on it."""
        import psycopg

        now = time.monotonic()
        deadline = now + self._patience
        ends_at = float("inf") if limit.total is None else now + limit.total
        was_idle = True
        while True:
            with contextlib.ExitStack() as lent:
                try:
                    within = limit.begin if limit.begin < BUSY_TIMEOUT else None
                    connection = lent.enter_context(self._pool.lend(within=within))
                    _begin(connection, begin, limit, ends_at)
                except psycopg.OperationalError as error:
                    # An answer of the server, such as an unknown database, is final.
                    if not was_idle and (time.monotonic() > deadline or not is_away(error)):
                        raise
                    # One that hangs does so on a new connection, too.
                    if time.monotonic() > ends_at or (is_silent(error) and not self._patience):
                        raise
                    if not was_idle:
                        time.sleep(_LOOK_EVERY)
                    was_idle = False
                    self._pool.close_idle()
                    continue
                yield connection
                return

    def _analyze(self, connection: BoundedConnection, loaded: Mapping[str, int]) -> None:
        for table, rows in loaded.items():
            # A large count is saved in several transactions.
            self._loaded[table] = self._loaded.get(table, 0) + rows
            if _analyze(connection, table, self._loaded[table]):
                self._loaded[table] = 0

    def _connect(self, within: float | None) -> BoundedConnection:
        # Late, as above.
        from podium.storage.postgresql.postgres_connection import connect

        return connect(self._conninfo, within)

    def close(self) -> None:
        self._pool.close()


def read_url(url: str) -> tuple[str, str]:
    """libpq's form of the URL, and a name of the database without credentials.

    Raises:
        BadSetting: the URL cannot be read. The message does not repeat it.
    """
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    try:
        given = conninfo_to_dict("postgresql://" + url.partition("://")[2])
        # An error would repeat half of a password with a '/' or a '@'.
        if not re.fullmatch(r"[0-9,]*", str(given.get("port", ""))) or "@" in str(given.get("host", "")):
            raise psycopg.ProgrammingError("a part of the password is taken for something else")
        # psycopg asks getaddrinfo(), which raises for `.example.org` and a part of 64 letters.
        for host in str(given.get("host", "")).split(","):
            host.encode("idna")
    except (psycopg.ProgrammingError, UnicodeError):
        raise BadSetting(
            "DATABASE_URL cannot be read: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with %XX for every "
            "character of USER and PASSWORD that is neither a letter nor a digit."
        ) from None
    where = f"{given.get('dbname', '')} at {given.get('host', 'localhost')}:{given.get('port', 5432)}".strip()
    return make_conninfo("", **{**_DEFAULTS, **given}), where


def _begin(connection: BoundedConnection, begin: str, limit: TimeLimit, ends_at: float) -> None:
    connection.answer_seconds, connection.ends_at = limit.begin, ends_at
    newest = _NO_TRANSACTION_TIMEOUT if connection.info.server_version >= 170000 else ""
    connection.execute(f"{begin}{_LIMITS}{limit.statement * 1000:.0f}{newest}".encode())
    connection.answer_seconds = limit.statement + GRACE


def _is_usable(connection: BoundedConnection) -> bool:
    from psycopg.pq import TransactionStatus

    return connection.info.transaction_status == TransactionStatus.IDLE


def _roll_back(connection: BoundedConnection) -> None:
    import psycopg

    if connection.closed:
        return
    try:
        connection.execute("ROLLBACK")
    except psycopg.Error:
        # Already reported, or the next transaction meets it; closing also rolls back.
        connection.close()


def _commit(connection: BoundedConnection) -> None:
    # After an ignored error, COMMIT answers with a rollback and no error.
    if connection.execute("COMMIT").statusmessage != "COMMIT":
        import psycopg

        raise psycopg.errors.InFailedSqlTransaction("a statement failed, and its transaction went on")


def _analyze(connection: BoundedConnection, table: str, rows: int) -> bool:
    """Analyze a table to which ``rows`` were added, if they are many.

    Without statistics the planner takes a new repository for a tiny one. A board of thirty thousand rows then takes
    a minute, until autovacuum runs.
    """
    import psycopg

    if rows < _WORTH_ANALYZING:
        return False
    # A fault here meets the next transaction.
    with contextlib.suppress(psycopg.Error):
        known = connection.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", (table,)).fetchone()
        if known is not None and rows > known["reltuples"] * 0.1:
            _begin(connection, _WRITE, LONG, float("inf"))
            try:
                connection.execute(f"ANALYZE (SKIP_LOCKED) {table}".encode())
                _commit(connection)
            except psycopg.Error:
                _roll_back(connection)
            else:
                return True
    return False


class _PostgresSession:
    def __init__(self, cursor: psycopg.Cursor[DictRow]) -> None:
        self._cursor = cursor
        self._loads = False
        self.loaded: dict[str, int] = {}

    def _execute(self, sql: str, params: Mapping[str, Any]) -> psycopg.Cursor[DictRow]:
        self._check_loads()
        return self._cursor.execute(translated(sql).encode(), params)

    def _check_loads(self) -> None:
        if self._loads:
            # psycopg and the COPY would wait for each other forever, with the rows locked.
            raise RuntimeError("A statement cannot be run while rows are being loaded: run it before.")

    def all(self, sql: str, /, **params: Any) -> list[Row]:
        return list(self._execute(sql, params).fetchall())

    def tuples(self, sql: str, /, **params: Any) -> list[tuple[Any, ...]]:
        from psycopg.rows import tuple_row

        self._check_loads()
        with self._cursor.connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(translated(sql).encode(), params).fetchall()

    def one(self, sql: str, /, **params: Any) -> Row | None:
        return self._execute(sql, params).fetchone()

    def value(self, sql: str, /, **params: Any) -> Any:
        row = self.one(sql, **params)
        return None if row is None else next(iter(row.values()))

    def run(self, sql: str, /, **params: Any) -> int:
        return self._execute(sql, params).rowcount

    def executemany(self, sql: str, rows: Iterable[Params | Sequence[Any]], /) -> None:
        self._cursor.executemany(translated(sql).encode(), rows)

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        with self._cursor.copy(statement.encode()) as copy:
            self._loads = True
            try:
                for number, row in enumerate(rows, start=self.loaded.get(table, 0) + 1):
                    copy.write_row(row)
                    self.loaded[table] = number
            finally:
                self._loads = False
