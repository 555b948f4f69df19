"""Names that change while repositories are counted: redirects of git, mirrors, and the question before a count."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest

from podium.app import factories
from podium.errors import QueueError, StorageError
from podium.forgetting.forget_repository import forget_repository
from podium.freshness.name_check import NameCheck
from podium.jobs import lease
from podium.repositories.address import parse_address
from podium.repositories.model import Repository, State
from podium.repositories.store import queries, transitions
from podium.repositories.store.freshness import names
from podium.settings import Settings
from podium.storage.sqlite import SqliteDatabase
from tests.support.githttp import Fault, GitHost
from tests.support.github_double import GitHubDouble
from tests.support.hosted import Hosting
from tests.support.repos import chain, make_bare

ADA = b"Ada <ada@example.org> 1700000000 +0000"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = make_bare(tmp_path / "served" / "r.git")
    chain(folder, [ADA, ADA])
    return folder


def settings_of(git_host: GitHost, folder: Path) -> Settings:
    return Settings(data_dir=str(folder), git_hosts=(git_host.url,), private_git_hosts=(git_host.url,))


def submitted(db: SqliteDatabase, url: str) -> int:
    address = parse_address(url)
    with db.write() as session:
        transitions.insert(session, address, virtual_start=0.0, client_id=None)
        found = queries.by_key(session, address.key)
    assert found is not None
    return found.id


def row(db: SqliteDatabase, number: int) -> Repository | None:
    with db.read() as session:
        return queries.by_id(session, number)


def count(db: SqliteDatabase, settings: Settings, number: int) -> Exception | None:
    job = factories.commit_job(settings, db, factories.server_source(settings, db))
    return job.run(number, threading.Event())


def counted_again(db: SqliteDatabase, number: int) -> None:
    with db.write() as session:
        transitions.restart(session, number, State.USERS_PROCESSING, virtual_start=0.0, client_id=None)


def mirrors(folder: Path) -> list[str]:
    return sorted(path.name.partition("-")[0] for path in (folder / "mirrors").glob("*.git"))


def test_a_renamed_repository_is_not_cloned_again(
    sqlite: SqliteDatabase, tmp_path: Path, folder: Path, hosting: Hosting, git_host: GitHost
) -> None:
    settings = settings_of(git_host, tmp_path)
    number = submitted(sqlite, f"{git_host.url}/o/r")
    assert count(sqlite, settings, number) is None
    hosting.rename("o/r", "new/name")
    counted_again(sqlite, number)
    assert count(sqlite, settings, number) is None
    found = row(sqlite, number)
    assert found is not None and (found.url, found.total_commits) == (f"{git_host.url}/new/name", 2)
    before = len(git_host.requests)
    chain(folder, [ADA] * 3)
    counted_again(sqlite, number)
    assert count(sqlite, settings, number) is None
    # It asks for the head at the new name, and fetches what is new into the mirror that it had.
    assert not [request for request in git_host.requests[before:] if "/o/r" in request]
    assert len(mirrors(tmp_path)) == 1 and "new+name" in mirrors(tmp_path)[0]


def test_an_alias_is_joined_before_anything_is_fetched(
    sqlite: SqliteDatabase, tmp_path: Path, hosting: Hosting, git_host: GitHost
) -> None:
    settings = settings_of(git_host, tmp_path)
    hosting.rename("o/r", "o/present")
    number = submitted(sqlite, f"{git_host.url}/o/present")
    assert count(sqlite, settings, number) is None
    git_host.requests.clear()
    alias = submitted(sqlite, f"{git_host.url}/o/r")
    assert count(sqlite, settings, alias) is not None
    # The heads were listed once, under the present name.
    assert [each for each in git_host.requests if each.startswith("POST /o/present")] == [
        "POST /o/present/git-upload-pack"
    ]
    assert row(sqlite, alias) is None
    with sqlite.read() as session:
        assert names.present_id(session, alias) == number
    assert len(mirrors(tmp_path)) == 1


def test_another_repository_with_the_name_gets_a_mirror_of_its_own(
    sqlite: SqliteDatabase, tmp_path: Path, hosting: Hosting, git_host: GitHost
) -> None:
    settings = settings_of(git_host, tmp_path)
    number = submitted(sqlite, f"{git_host.url}/o/r")
    assert count(sqlite, settings, number) is None
    first = next((tmp_path / "mirrors").glob("*.git"))
    (first / "mark").touch()
    # Forgotten on another machine, and submitted again.
    forget_repository(sqlite, number, actor="test")
    submitted(sqlite, f"{git_host.url}/o/other")
    assert count(sqlite, settings, submitted(sqlite, f"{git_host.url}/o/r")) is None
    assert not (first / "mark").exists()


def test_a_name_that_another_repository_has_is_not_counted(
    sqlite: SqliteDatabase, tmp_path: Path, hosting: Hosting, git_host: GitHost
) -> None:
    with GitHubDouble(hosting) as double:
        settings = Settings(
            data_dir=str(tmp_path),
            github_server_url=git_host.url,
            github_api_url=double.api_url,
            github_graphql_url=double.graphql_url,
        )
        number = submitted(sqlite, f"{git_host.url}/o/r")
        with sqlite.write() as session:
            session.run("UPDATE repository SET host_number = '999', head = 'x', commits_processed_at = 1")
        leased = lease.grab(sqlite, number, seconds=60)
        assert leased is not None
        with contextlib.closing(factories.hosts(settings, sqlite)) as hosts:
            assert not NameCheck(sqlite, hosts).may_count(leased, threading.Event())
    found = row(sqlite, number)
    assert found is not None and found.refresh_error == names.WHY_TAKEN
    assert (found.state, found.lease_holder) == (State.COMPLETED, None)
    assert not git_host.requests
    # A count all the same is refused.
    with sqlite.write() as session:
        transitions.restart(session, number, State.COMPLETED, virtual_start=0.0, client_id=None)
    assert str(count(sqlite, settings, number)) == names.WHY_TAKEN
    assert not git_host.requests


@pytest.mark.parametrize("error", [QueueError("Redis is away"), StorageError("the database is away"), KeyError("bug")])
def test_a_question_that_fails_gives_the_lease_back_and_is_no_crash_of_a_worker(
    sqlite: SqliteDatabase, tmp_path: Path, git_host: GitHost, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = submitted(sqlite, f"{git_host.url}/o/r")
    with sqlite.write() as session:
        session.run("UPDATE repository SET host_number = '999'")
    leased = lease.grab(sqlite, number, seconds=0.0)
    assert leased is not None

    def fails(*_: object) -> None:
        raise error

    with contextlib.closing(factories.hosts(settings_of(git_host, tmp_path), sqlite)) as hosts:
        monkeypatch.setattr(hosts, "identify", fails)
        with pytest.raises(type(error)):
            NameCheck(sqlite, hosts).may_count(leased, threading.Event())
    again = lease.grab(sqlite, number, seconds=60)
    assert again is not None and again.crashes == 0


@pytest.mark.parametrize("case", ["replaced by its owner", "another repository", "silent"])
def test_a_history_without_a_commit_of_the_one_before_is_only_counted_if_the_host_knows_the_repository(
    sqlite: SqliteDatabase, tmp_path: Path, folder: Path, hosting: Hosting, git_host: GitHost, case: str
) -> None:
    with GitHubDouble(hosting) as double:
        settings = Settings(
            data_dir=str(tmp_path),
            github_server_url=git_host.url,
            github_api_url=f"{git_host.url}/away" if case == "silent" else double.api_url,
            github_graphql_url=double.graphql_url,
        )
        number = submitted(sqlite, f"{git_host.url}/o/r")
        assert count(sqlite, settings, number) is None
        before = row(sqlite, number)
        with sqlite.write() as session:
            session.run("UPDATE repository SET host_number = '1000'")
        if case == "another repository":
            hosting.delete("o/r")
            folder = make_bare(folder.parent / "other.git")
            hosting.add("o/r", folder)
        chain(folder, [b"Bo <bo@example.org> 1600000000 +0000"] * 5)
        if case == "silent":
            git_host.faults[:] = [Fault("status", "/away", status=502)]
        counted_again(sqlite, number)
        error = count(sqlite, settings, number)
    after = row(sqlite, number)
    assert before is not None and after is not None
    if case == "replaced by its owner":
        assert error is None and after.total_commits == 5
        return
    assert (after.state.stage, after.total_commits, after.head) == (before.state.stage, 2, before.head)
    assert after.refresh_error == str(error) and bool(after.name_taken_at) is (case == "another repository")
    assert (after.check_at is not None) or case != "silent"
