"""``PODIUM_DEMO``: a new server counts these repositories without being asked."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from podium.app import factories
from podium.app.processes.server_process import services
from podium.errors import BadSetting, StorageError
from podium.repositories.model import Repository
from podium.repositories.store import queries
from podium.settings import Settings
from podium.storage.session import Database
from podium.submissions.demo import demo_addresses, submit_unknown
from podium.web.application import create_app
from tests.support.postgres import Postgres
from tests.support.rows import RecordingQueues
from tests.support.web import Client

DEMO = ("git/git", "https://github.com/psf/requests")


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Of a server on an empty database."""
    url = ""
    if request.param == "postgresql":
        request.getfixturevalue("postgresql")
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.url(request.getfixturevalue("migrated"))
    return Settings(data_dir=str(tmp_path / "data"), database_url=url, demo=DEMO)


@pytest.fixture
def db(settings: Settings) -> Iterator[Database]:
    """The server's database."""
    with contextlib.closing(factories.open_database(settings)) as opened:
        yield opened


@contextlib.contextmanager
def started(settings: Settings) -> Iterator[Client]:
    """A client of the server, whose workers run elsewhere."""
    with services(settings, loopback=True, workers=False) as given:
        yield Client(create_app(given), host="localhost:3000")


def known(db: Database) -> list[Repository]:
    with db.read() as session:
        return sorted(queries.latest(session, limit=100), key=lambda row: row.url)


def urls(db: Database) -> list[str]:
    return [row.url for row in known(db)]


def test_the_first_start_submits_the_demo_and_a_restart_changes_nothing(settings: Settings, db: Database) -> None:
    with started(settings) as client:
        page = client.get("/").text
        assert 'href="/r/git/git"' in page
        assert 'href="/r/psf/requests"' in page
    assert urls(db) == ["https://github.com/git/git", "https://github.com/psf/requests"]
    with db.write() as session:
        session.run("UPDATE repository SET state = 'failed', error = 'gone', updated_at = 1 WHERE name = 'git'")
        session.run("UPDATE repository SET state = 'completed', updated_at = 1 WHERE name = 'requests'")
    before = known(db)
    with started(dataclasses.replace(settings, refresh_after=0)):
        assert known(db) == before
    with started(dataclasses.replace(settings, demo=(*DEMO, "octo/new"))):
        assert "https://github.com/octo/new" in urls(db)


def test_processes_that_start_at_once_submit_each_repository_once(db: Database) -> None:
    addresses = demo_addresses(Settings(demo=(*DEMO, "GIT/Git.git")))
    queues = [RecordingQueues() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: submit_unknown(db, each, addresses), queues))
    assert len(urls(db)) == 2
    assert sum(len(each.enqueued) for each in queues) == 2


def test_no_demo_submits_nothing(settings: Settings, db: Database) -> None:
    with started(dataclasses.replace(settings, demo=())):
        assert urls(db) == []


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("not-an-address", "not a repository's address"),
        ("https://gitlab.com/group/name", "PODIUM_GIT_HOSTS"),
        ("http://10.0.0.1:81/group/name", "PODIUM_GIT_HOSTS"),
        ("ext::sh", "Transport helpers"),
    ],
)
def test_a_bad_address_is_named_before_the_server_starts(tmp_path: Path, address: str, reason: str) -> None:
    settings = Settings.from_environment({"PODIUM_DATA_DIR": str(tmp_path), "PODIUM_DEMO": f"git/git, {address}"})
    with pytest.raises(BadSetting, match=reason) as error, started(settings):
        pass
    assert f"{address!r}" in error.value.message
    assert not (tmp_path / "podium.db").exists()


def test_the_error_repeats_no_password() -> None:
    with pytest.raises(BadSetting, match="leave it out") as error:
        demo_addresses(Settings(demo=("https://user:secret@github.com/octo/hello",)))
    assert "secret" not in error.value.message


def test_a_database_that_cannot_be_written_does_not_stop_the_server(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(sqlite, "write", refuse)
    submit_unknown(sqlite, RecordingQueues(), demo_addresses(Settings(demo=DEMO)))
    assert "The disk is full." in caplog.text
