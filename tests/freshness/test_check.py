"""A check of one repository at a host: what is asked, what is believed, and what follows."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.accounts.github.requests import repository_facts
from podium.app import factories
from podium.freshness.apply_answer import Applied
from podium.freshness.check import Hosts, NoAnswer, check
from podium.freshness.host_answer import HostAnswer, Unseen
from podium.freshness.host_api import HostApis
from podium.freshness.name_check import NameCheck
from podium.jobs import lease
from podium.jobs.messages.queues import NullQueues
from podium.repositories.address import parse_address
from podium.repositories.model import Repository, State
from podium.repositories.store import queries, transitions
from podium.repositories.store.freshness import due_checks, names
from podium.settings import Settings
from podium.storage.sqlite import SqliteDatabase
from podium.submissions.submit import submit
from tests.support import gitea_double, gitlab_double
from tests.support.githttp import Fault, GitHost, serve_repositories
from tests.support.github_double import GitHubDouble
from tests.support.hosted import Hosting
from tests.support.repos import git
from tests.support.rows import former_keys

TOKEN = "token-of-a-test"


# Closed when each test ends.
_opened: list[Hosts] = []


@pytest.fixture(autouse=True)
def _closing() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().close()


def opened(settings: Settings, db: SqliteDatabase) -> Hosts:
    hosts = factories.hosts(settings, db)
    _opened.append(hosts)
    return hosts


def settings_of(git_host: GitHost, double: GitHubDouble | None = None, **values: Any) -> Settings:
    if double is not None:
        values |= {
            "github_server_url": git_host.url,
            "github_api_url": double.api_url,
            "github_graphql_url": double.graphql_url,
        }
    return Settings(git_hosts=(git_host.url,), private_git_hosts=(git_host.url,), **values)


def submitted(db: SqliteDatabase, url: str, github_url: str = "https://github.com", **columns: Any) -> Repository:
    """A completed board of what is at ``url``."""
    address = parse_address(url, github_url)
    values = {"state": "completed", "head": "a" * 40, "commits_processed_at": 1.0, **columns}
    with db.write() as session:
        transitions.insert(session, address, virtual_start=0.0, client_id=None)
        session.run(
            f"UPDATE repository SET {', '.join(f'{name} = :{name}' for name in values)} WHERE key = :key",
            key=address.key,
            **values,
        )
    return row(db, address.key)


def row(db: SqliteDatabase, key: str) -> Repository:
    with db.read() as session:
        found = queries.by_key(session, key)
    assert found is not None
    return found


def checked(db: SqliteDatabase, hosts: Hosts, repository: Repository) -> Applied | NoAnswer:
    return check(db, hosts, repository.id, threading.Event(), next_check_in=100.0)


@pytest.mark.parametrize("tokens", [(TOKEN,), ()])
def test_a_rename_at_github_is_found_with_its_number_and_head(
    sqlite: SqliteDatabase, hosting: Hosting, double: GitHubDouble, git_host: GitHost, tokens: tuple[str, ...]
) -> None:
    hosts = opened(settings_of(git_host, double, github_tokens=tokens), sqlite)
    board = submitted(sqlite, f"{git_host.url}/o/r", git_host.url)
    hosting.rename("o/r", "New/Name")
    applied = checked(sqlite, hosts, board)
    assert applied == Applied(board.id, counts=True, is_renamed=True)
    after = row(sqlite, board.key.replace("o/r", "new/name"))
    assert (after.host_number, after.url, after.state) == ("1000", f"{git_host.url}/New/Name", State.PENDING)


def test_a_name_that_another_repository_has_is_noticed_before_anything_is_fetched(
    sqlite: SqliteDatabase, hosting: Hosting, double: GitHubDouble, git_host: GitHost, folder: Path
) -> None:
    hosts = opened(settings_of(git_host, double), sqlite)
    board = submitted(sqlite, f"{git_host.url}/o/r", git_host.url, host_number="1000")
    hosting.delete("o/r")
    hosting.add("o/r", folder)
    assert checked(sqlite, hosts, board) == Applied(board.id, is_taken=True)
    taken = row(sqlite, board.key)
    assert taken.name_taken_at and (taken.state, taken.head) == (State.COMPLETED, "a" * 40)
    assert not git_host.requests
    assert checked(sqlite, hosts, board) == Applied(board.id, is_taken=True)


def test_the_old_repository_is_found_by_its_number_at_once(
    sqlite: SqliteDatabase, hosting: Hosting, double: GitHubDouble, git_host: GitHost, folder: Path
) -> None:
    hosts = opened(settings_of(git_host, double), sqlite)
    board = submitted(sqlite, f"{git_host.url}/o/r", git_host.url, host_number="1000")
    hosting.rename("o/r", "o/old")
    hosting.add("o/r", folder)
    applied = checked(sqlite, hosts, board)
    assert isinstance(applied, Applied) and applied.is_renamed and applied.counts
    moved = row(sqlite, board.key.replace("o/r", "o/old"))
    assert (moved.id, moved.name_taken_at) == (board.id, None)


def test_without_an_api_the_redirect_of_git_tells(
    sqlite: SqliteDatabase, hosting: Hosting, git_host: GitHost, double: GitHubDouble
) -> None:
    hosting.rename("o/r", "o/s")
    settings = dataclasses.replace(settings_of(git_host, double), github_api_url=f"{git_host.url}/no-api")
    hosts = opened(settings, sqlite)
    board = submitted(sqlite, f"{git_host.url}/o/r", git_host.url)
    applied = checked(sqlite, hosts, board)
    assert isinstance(applied, Applied) and applied.is_renamed
    assert row(sqlite, board.key.replace("o/r", "o/s")).id == board.id


def test_git_decides_whether_a_repository_can_be_read(
    sqlite: SqliteDatabase, hosting: Hosting, double: GitHubDouble, git_host: GitHost
) -> None:
    hosts = opened(settings_of(git_host, double, github_tokens=(TOKEN,)), sqlite)
    board = submitted(sqlite, f"{git_host.url}/o/r", git_host.url)
    hosting["o/r"].is_private = True
    hosting["o/r"].readers.add(TOKEN)
    assert checked(sqlite, hosts, board) == Applied(board.id)
    assert row(sqlite, board.key).gone_since is not None
    git_host.go_away()
    answer = checked(sqlite, hosts, submitted(sqlite, f"{git_host.url}/o/gone", git_host.url))
    assert isinstance(answer, NoAnswer) and answer.code == "unreachable"


def test_a_token_that_reads_a_private_repository_does_not_show_its_board(
    sqlite: SqliteDatabase, hosting: Hosting, double: GitHubDouble, git_host: GitHost
) -> None:
    hosts = opened(settings_of(git_host, double, github_tokens=(TOKEN,)), sqlite)
    board = submitted(sqlite, f"{git_host.url}/o/r", git_host.url, host_number="1000", hidden_at=1.0, gone_since=1.0)
    hosting["o/r"].is_private = True
    hosting["o/r"].readers.add(TOKEN)
    # The name of a private repository is not used.
    hosting.rename("o/r", "o/secret")
    assert hosts.identify(board, threading.Event()) is Unseen.MISSING
    with sqlite.write() as session:
        transitions.restart(session, board.id, State.COMPLETED, virtual_start=0.0, client_id=None)
    leased = lease.grab(sqlite, board.id, seconds=60)
    assert leased is not None and NameCheck(sqlite, hosts).may_count(leased, threading.Event())
    git_host.faults[:] = [Fault("status", "info/refs", status=503)]
    assert isinstance(checked(sqlite, hosts, board), NoAnswer)
    assert row(sqlite, board.key).hidden_at == 1.0
    # It is public, but git has not read it.
    hosting["o/secret"].is_private = False
    applied = checked(sqlite, hosts, board)
    assert isinstance(applied, Applied) and applied.is_renamed
    assert row(sqlite, board.key.replace("o/r", "o/secret")).hidden_at == 1.0
    git_host.faults.clear()
    checked(sqlite, hosts, board)
    assert row(sqlite, board.key.replace("o/r", "o/secret")).hidden_at is None


@pytest.mark.parametrize("every", [0.0, 86_400.0])
def test_a_hidden_board_is_asked_about_again_where_git_did_not_answer(
    sqlite: SqliteDatabase, hosting: Hosting, double: GitHubDouble, git_host: GitHost, every: float
) -> None:
    hosts = opened(settings_of(git_host, double), sqlite)
    board = submitted(
        sqlite, f"{git_host.url}/o/r", git_host.url, host_number="1000", hidden_at=1.0, gone_since=1.0, check_at=1.0
    )
    git_host.faults[:] = [Fault("status", "info/refs", status=503)]
    # As the schedule does: the API shows that it is public again, but only git ends the hiding.
    assert check(sqlite, hosts, board.id, threading.Event()) == Applied(board.id)
    with sqlite.write() as session:
        due_checks.enrol(session, every=every)
    found = row(sqlite, board.key)
    assert found.hidden_at == 1.0 and found.check_at is not None


@pytest.mark.parametrize(
    "fields", [{"private": True}, {"internal": True}, {"visibility": "internal"}, {"visibility": "private"}]
)
def test_what_an_api_does_not_show_to_all_is_private(fields: dict[str, object]) -> None:
    found = repository_facts(
        {"id": 5, "full_name": "o/r", "visibility": "public", "private": False} | fields, "full_name"
    )
    assert found is not None and found.is_private


def test_a_fault_of_the_api_is_not_taken_for_its_answer(
    sqlite: SqliteDatabase, hosting: Hosting, double: GitHubDouble, git_host: GitHost
) -> None:
    settings = settings_of(git_host, double)
    silent = opened(dataclasses.replace(settings, github_api_url=f"{git_host.url}/api"), sqlite)
    board = submitted(
        sqlite,
        f"{git_host.url}/o/r",
        git_host.url,
        host_number="999",
        name_taken_at=1.0,
        taken_number="1000",
        check_at=1.0,
    )
    git_host.faults[:] = [Fault("status", "/api", status=502)]
    # It is asked again soon, and a hook that wanted it is not answered.
    assert isinstance(checked(sqlite, silent, board), NoAnswer)
    assert (row(sqlite, board.key).check_at or 0) > 1.0
    hosting.rename("o/r", "o/s")
    assert checked(sqlite, opened(settings, sqlite), board) == Applied(board.id, is_taken=True)


@pytest.mark.parametrize("kind", ["gitlab", "gitea"])
def test_a_missing_repository_says_nothing_about_the_api_of_its_host(
    sqlite: SqliteDatabase, folder: Path, kind: str
) -> None:
    hosting = Hosting({"group/r": folder})
    serve = gitlab_double.serve_gitlab if kind == "gitlab" else gitea_double.serve_gitea
    with serve(hosting) as api:
        hosts = opened(Settings(git_hosts=(api.url,), private_git_hosts=(api.url,)), sqlite)
        missing, board = submitted(sqlite, f"{api.url}/group/x"), submitted(sqlite, f"{api.url}/group/r")
        assert hosts.identify(missing, threading.Event()) is Unseen.MISSING
        assert isinstance(hosts.identify(board, threading.Event()), HostAnswer)
        assert hosts.identify(missing, threading.Event()) is Unseen.MISSING


def test_faults_switch_an_api_off_for_a_minute_only(sqlite: SqliteDatabase, folder: Path) -> None:
    now = 0.0
    with serve_repositories(folder.parent) as host:
        host.api = gitlab_double.api(Hosting({"group/r": folder}))
        board = submitted(sqlite, f"{host.url}/group/r")
        apis = HostApis(lambda _: None, clock=lambda: now)
        host.faults[:] = [Fault("status", "/api/", status=502)]
        assert apis.ask(board) is Unseen.SILENT
        host.faults.clear()
        asked = len(host.requests)
        assert apis.ask(board) is Unseen.SILENT and len(host.requests) == asked
        now = 61.0
        assert not isinstance(apis.ask(board), Unseen)


def test_a_header_that_never_ends_is_not_read_for_longer_than_an_answer_may_take(
    sqlite: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("podium.freshness.host_api._DEADLINE", 0.1)
    stop, ended = threading.Event(), threading.Event()

    def drip(server: socket.socket) -> None:
        while not ended.is_set():
            with contextlib.suppress(OSError), server.accept()[0] as connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not ended.wait(0.01):
                    connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        board = submitted(sqlite, f"http://127.0.0.1:{server.getsockname()[1]}/r.git")
        assert HostApis(lambda _: None).ask(board, stop=stop) is Unseen.SILENT
        stop.set()
        assert HostApis(lambda _: None).ask(board, stop=stop) is Unseen.SILENT
        ended.set()
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("kind", ["gitlab", "gitea"])
def test_other_hosts_tell_number_and_name_without_a_token(sqlite: SqliteDatabase, folder: Path, kind: str) -> None:
    hosting = Hosting({"group/r": folder})
    serve = gitlab_double.serve_gitlab if kind == "gitlab" else gitea_double.serve_gitea
    hosting.rename("group/r", "Group/New")
    with serve(hosting) as api:
        settings = Settings(git_hosts=(api.url,), private_git_hosts=(api.url,))
        hosts = opened(settings, sqlite)
        board = submitted(sqlite, f"{api.url}/group/r.git")
        answer = hosts.identify(board, threading.Event())
        assert isinstance(answer, HostAnswer) and answer.address is not None
        assert (answer.number, answer.address.url) == ("1000", f"{api.url}/Group/New.git")
        taken = submitted(sqlite, f"{api.url}/group/x", host_number="1000", name_taken_at=1.0)
        assert hosts.identify(taken, threading.Event()) == HostAnswer(
            "1000", parse_address(f"{api.url}/Group/New"), branch="main"
        )


def test_a_former_name_that_another_repository_got_is_free_for_its_board(
    sqlite: SqliteDatabase, hosting: Hosting, double: GitHubDouble, git_host: GitHost, folder: Path
) -> None:
    hosts = opened(settings_of(git_host, double), sqlite)
    board = submitted(sqlite, f"{git_host.url}/o/r", git_host.url)
    hosting.rename("o/r", "o/s")
    checked(sqlite, hosts, board)
    former = parse_address(f"{git_host.url}/o/r", git_host.url)
    with sqlite.write() as session:
        session.run("UPDATE former_name SET at = at - 7200")
        session.run("UPDATE repository SET check_at = NULL")
    assert submit(sqlite, NullQueues(), former, refresh_after=1e9).repository.id == board.id
    assert row(sqlite, board.key.replace("o/r", "o/s")).check_at
    checked(sqlite, hosts, board)
    with sqlite.read() as session:
        assert former_keys(session, board.id) == [board.key]
        assert not names.unconfirmed(session, [board.id])
    hosting.add("o/r", folder)
    with sqlite.write() as session:
        session.run("UPDATE former_name SET at = 0")
    checked(sqlite, hosts, board)
    found = submit(sqlite, NullQueues(), former, refresh_after=1e9)
    assert found.is_new and found.repository.id != board.id
    with sqlite.read() as session:
        # The mirror of the old one is found under the name that it had.
        assert names.mirror_owner(session, board.key.replace("o/r", "o/s"))[1] == [board.key]
    with sqlite.write() as session:
        session.run("UPDATE former_name SET at = 0")
        # The host is asked about no name that only mirrors have.
        assert not names.unconfirmed(session, [board.id])


HOSTILE = [
    b"[" * 100_000,
    b'{"id": true, "path_with_namespace": "a/b"}',
    b'{"id": 5, "path_with_namespace": "../../x"}',
    b'{"id": 5, "path_with_namespace": "a/b", "x": "' + b"y" * (2 << 20) + b'"}',
    b'{"id": 5, "path_with_namespace": "//other.example/b"}',
    b'{"id": 5, "path_with_namespace": "a/b#c"}',
    b"<html>",
]


def test_hostile_answers_of_an_api_are_no_answer(sqlite: SqliteDatabase, folder: Path) -> None:
    with serve_repositories(folder.parent) as host:
        board = submitted(sqlite, f"{host.url}/r.git")
        for body in HOSTILE:
            host.faults[:] = [Fault("status", "/api/v4/", status=200, body=body)]
            hosts = opened(settings_of(host), sqlite)
            assert isinstance(hosts.identify(board, threading.Event()), Unseen), body[:50]
        for location in ("http://127.0.0.2/api/v4/projects/1", "/api/v4/projects/r", "\\\\"):
            host.faults[:] = [Fault("status", "/api/", status=301, location=location)]
            hosts = opened(settings_of(host), sqlite)
            assert isinstance(hosts.identify(board, threading.Event()), Unseen), location
        host.faults.clear()
        assert checked(sqlite, hosts, board) == Applied(board.id, counts=True)
        # What the host runs is remembered: it is not asked again.
        asked = len([request for request in host.requests if "/api/" in request])
        checked(sqlite, hosts, board)
        assert len([request for request in host.requests if "/api/" in request]) == asked


def test_former_names_are_not_those_of_another_host(sqlite: SqliteDatabase, folder: Path) -> None:
    with serve_repositories(folder.parent) as host:
        board = submitted(sqlite, f"{host.url}/r.git")
        host.faults[:] = [
            Fault(
                "status", "r.git/info", status=301, location="http://127.0.0.2/x.git/info/refs?service=git-upload-pack"
            )
        ]
        answer = checked(sqlite, opened(settings_of(host), sqlite), board)
        assert isinstance(answer, NoAnswer) and answer.code == "redirected"
        with sqlite.read() as session:
            assert not former_keys(session, board.id)
    assert git(folder, "rev-parse", "HEAD")
