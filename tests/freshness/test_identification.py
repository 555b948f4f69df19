"""Who a repository is that was counted for the first time: its host is asked once, and the count waits for nothing."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.app import factories
from podium.app.worker_tasks import hook_checks
from podium.freshness.check import Hosts, Identify
from podium.freshness.hooks.hook_deliveries import Delivered, deliver
from podium.freshness.hooks.hook_events import HookEvent, HookKind
from podium.repositories.address import parse_address
from podium.repositories.model import Repository, State
from podium.repositories.store.freshness import pushes
from podium.settings import Settings
from podium.storage.sqlite import SqliteDatabase
from tests.freshness.test_name_check import ADA, count, row, submitted
from tests.support.githttp import GitHost, serve_repositories
from tests.support.github_double import GitHubDouble
from tests.support.hosted import Hosting
from tests.support.json_host import JsonAnswer
from tests.support.repos import chain, make_bare
from tests.support.rows import RecordingQueues, repository

TOKEN = "token-of-a-test"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = make_bare(tmp_path / "served" / "r.git")
    chain(folder, [ADA, ADA])
    return folder


@pytest.fixture
def hosting(folder: Path) -> Hosting:
    return Hosting({"o/r": folder, "o/s": folder})


@pytest.fixture
def host(hosting: Hosting, tmp_path: Path) -> Iterator[GitHost]:
    with serve_repositories(tmp_path / "served", hosting=hosting) as running:
        yield running


@pytest.fixture
def double(hosting: Hosting) -> Iterator[GitHubDouble]:
    with GitHubDouble(hosting) as running:
        yield running


class Site:
    """Counts repositories, and asks their hosts as a worker does."""

    def __init__(self, db: SqliteDatabase, settings: Settings, hosts: Hosts) -> None:
        self.db, self.settings, self.hosts = db, settings, hosts
        self.queues: Any = RecordingQueues()

    def counted(self, url: str) -> Repository:
        number = submitted(self.db, url)
        assert count(self.db, self.settings, number) is None
        return repository(self.db, number)

    def ask_what_is_due(self) -> None:
        checks = hook_checks(self.db, self.queues, self.hosts, lambda: True, threading.Event())
        checks.run()
        checks.stop(wait=True)


@contextlib.contextmanager
def site_of(
    db: SqliteDatabase, folder: Path, host: GitHost, double: GitHubDouble | None, **values: Any
) -> Iterator[Site]:
    if double is not None:
        values |= {
            "github_server_url": host.url,
            "github_api_url": double.api_url,
            "github_graphql_url": double.graphql_url,
        }
    settings = Settings(data_dir=str(folder), git_hosts=(host.url,), private_git_hosts=(host.url,), **values)
    with contextlib.closing(factories.hosts(settings, db)) as hosts:
        yield Site(db, settings, hosts)


def test_the_number_is_known_as_soon_as_a_repository_was_counted_without_asking_for_its_head(
    sqlite: SqliteDatabase, tmp_path: Path, host: GitHost, double: GitHubDouble
) -> None:
    with site_of(sqlite, tmp_path, host, double) as site:
        counted = site.counted(f"{host.url}/o/r")
        assert pushes.is_unidentified(counted) and counted.state is State.USERS_PROCESSING
        asked = len(host.requests)
        site.ask_what_is_due()
        found = repository(sqlite, counted.id)
        assert (found.host_number, found.hook_due_at, found.state) == ("1000", None, State.USERS_PROCESSING)
        assert len(host.requests) == asked
        site.ask_what_is_due()
        assert double.asked() == 1


def test_two_names_of_one_repository_are_one_board_as_soon_as_both_were_counted(
    sqlite: SqliteDatabase, tmp_path: Path, host: GitHost, hosting: Hosting, double: GitHubDouble
) -> None:
    with site_of(sqlite, tmp_path, host, double) as site:
        old = site.counted(f"{host.url}/o/r")
        hosting.rename("o/r", "o/new")
        new = site.counted(f"{host.url}/o/new")
        site.ask_what_is_due()
        assert row(sqlite, new.id) is None
        assert repository(sqlite, old.id).url == f"{host.url}/o/new"


def test_a_name_that_was_used_again_before_the_number_was_known_is_another_repository_from_then_on(
    sqlite: SqliteDatabase, tmp_path: Path, host: GitHost, hosting: Hosting, double: GitHubDouble, folder: Path
) -> None:
    with site_of(sqlite, tmp_path, host, double) as site:
        board = site.counted(f"{host.url}/o/r")
        site.ask_what_is_due()
        hosting.delete("o/r")
        hosting.add("o/r", folder)
        with sqlite.write() as session:
            pushes.plan(session, board.id, 0.0, check=True)
        site.ask_what_is_due()
        found = repository(sqlite, board.id)
        assert found.name_taken_at and (found.host_number, found.head) == ("1000", board.head)


def test_a_push_in_the_second_before_the_question_is_counted(
    sqlite: SqliteDatabase, tmp_path: Path, host: GitHost, double: GitHubDouble
) -> None:
    with site_of(sqlite, tmp_path, host, double) as site:
        board = site.counted(f"{host.url}/o/r")
        address = parse_address(board.url, host.url)
        push = HookEvent(HookKind.PUSH, address, None, branches=("main",), default_branch="main")
        assert deliver(sqlite, site.queues, push) is Delivered.ACCEPTED
        assert repository(sqlite, board.id).state is State.PENDING


def test_with_a_token_a_hundred_new_repositories_are_asked_about_at_a_time(
    sqlite: SqliteDatabase, tmp_path: Path, host: GitHost, double: GitHubDouble
) -> None:
    with site_of(sqlite, tmp_path, host, double, github_tokens=(TOKEN,)) as site:
        boards = [site.counted(f"{host.url}/o/{name}") for name in "rs"]
        site.ask_what_is_due()
        found = [repository(sqlite, board.id) for board in boards]
        assert all(each.check_at and each.hook_due_at is None and not each.hook_wants_check for each in found)
        assert double.asked() == 0


def test_a_host_without_an_api_is_asked_once_and_then_costs_nothing(
    sqlite: SqliteDatabase, tmp_path: Path, host: GitHost
) -> None:
    with site_of(sqlite, tmp_path, host, None) as site:
        host.api = lambda _target, _headers: JsonAnswer(404, b"<html>")
        first = site.counted(f"{host.url}/o/r")
        site.ask_what_is_due()
        assert repository(sqlite, first.id).checked_at
        asked = len(host.requests)
        second = site.counted(f"{host.url}/o/s")
        assert site.hosts.way_to_identify(second) is Identify.LATER
        counted = len(host.requests)
        assert counted > asked
        site.ask_what_is_due()
        found = repository(sqlite, second.id)
        assert (found.hook_due_at, found.hook_wants_check, found.check_at) == (None, False, None)
        assert len(host.requests) == counted
