"""What most tests need: a database and queues of their own, on both arrangements that Podium knows."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from _pytest.nodeid import NodeId

from podium.jobs.messages.broker import Backend
from podium.jobs.messages.memory_broker import MemoryBackend
from podium.jobs.messages.redis_broker import RedisBackend, connect
from podium.settings import Settings
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.storage.session import Database
from podium.storage.sqlite import SqliteDatabase
from tests.support import fork_server, markers, temporary_files
from tests.support.postgres import Postgres, running_postgres
from tests.support.sqlite_database import open_or_create
from tests.support.valkey import Valkey, running_valkey

# Collection makes a million objects, none of them garbage: Python's search for it would take a third of the time.
gc.disable()

# No test fails for the time that it takes.
hypothesis.settings.register_profile("podium", deadline=None)
hypothesis.settings.load_profile("podium")

# The markers of tests that wait, and of those that run one after the other.
_FIRST = ("browser", "server", "together")

_ends = contextlib.ExitStack()
# The PostgreSQL that processes side by side share: its port, and the database of which migrated ones are copies.
_shared: tuple[int, str] | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Let tests keep files in memory; side by side, fork their processes from one server and use one PostgreSQL."""
    global _shared  # noqa: PLW0603
    temporary_files.keep_in_memory()
    given = getattr(config, "workerinput", {})
    address, _shared = given.get("fork_server"), given.get("postgres")
    if config.getoption("dist", "no") != "no":
        address = _ends.enter_context(fork_server.running_fork_server())
        if "not server" not in config.getoption("markexpr"):
            server = _ends.enter_context(running_postgres(connections=400))
            _shared = server.port, server.template
    _ends.enter_context(fork_server.forking(address))


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_configure_node(node: Any) -> None:
    """Tell a process that runs tests beside others where the servers are."""
    node.workerinput["fork_server"] = fork_server.address()
    node.workerinput["postgres"] = _shared


def pytest_unconfigure() -> None:
    """End what has been started for all tests."""
    _ends.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with what it needs; where processes run side by side, say what stays together and begins first."""
    # In each of the processes, pytest-xdist sets "dist" to "no".
    side_by_side = hasattr(config, "workerinput")
    for item in items:
        assert isinstance(item, pytest.Function)
        for name in sorted(markers.derive(item)):
            item.add_marker(name)
        if side_by_side and (group := markers.group_of(item)) is not None:
            item.add_marker("together")
            # What pytest-xdist 3.8 does for "xdist_group", in an attribute that pytest 9.2 does not read.
            item._id = NodeId.parse(f"{item.nodeid}@{group}")
    if side_by_side:
        # What takes long comes first: the short tests fill the gaps at the end.
        items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in _FIRST])


def pytest_collection_finish() -> None:
    """Search for garbage again, but not among what lives to the end."""
    gc.enable()
    gc.freeze()
    # By default it searches after each 700 objects.
    gc.set_threshold(10_000)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let what starts servers know whether the test says so."""
    markers.note_running(item)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests, each with a database of its own."""
    if _shared:
        port, template = _shared
        prefix = f"podium_{os.environ['PYTEST_XDIST_WORKER']}"
        with contextlib.closing(Postgres(port, prefix=prefix, template=template)) as server:
            yield server
        return
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """A Valkey server for all tests, which empty it before they use it."""
    with running_valkey() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> str:
    """The name of a database with Podium's tables."""
    return postgres.create_migrated()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """An empty SQLite database with all tables."""
    database = open_or_create(tmp_path / "podium.db")
    yield database
    database.close()


@pytest.fixture
def postgresql(postgres: Postgres, migrated: str) -> Iterator[PostgresDatabase]:
    """An empty PostgreSQL database with all tables."""
    # Takes a tenth of the time that a new database does.
    postgres.empty(migrated)
    database = PostgresDatabase(postgres.url(migrated), most=20)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest) -> Database:
    """An empty database with all tables: the test runs on each of the two that Podium knows."""
    database: Database = request.getfixturevalue(request.param)
    return database


@pytest.fixture
def backend(request: pytest.FixtureRequest, db: Database) -> Iterator[Backend]:
    """Empty queues: in the process beside SQLite, in Valkey beside PostgreSQL."""
    if isinstance(db, SqliteDatabase):
        yield MemoryBackend()
        return
    server: Valkey = request.getfixturevalue("valkey")
    server.flush()
    with connect(Settings(redis_url=server.url)) as client:
        yield RedisBackend(client)
