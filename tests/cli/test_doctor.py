"""`podium doctor`: each problem, made on real servers, is found and reported with what to do."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from podium.app import factories
from podium.app.admin_token import token_file
from podium.app.operations import migrate_database
from podium.cli import doctor
from podium.cli.doctor import database, exposure, github_api, machine, redis_server, side_by_side
from podium.cli.doctor.findings import Finding, as_json, as_text, is_healthy, ok, problem, warning
from podium.git import version
from podium.jobs.messages.queues import COMMITS, USERS
from podium.settings import Settings
from podium.storage import migrate
from podium.storage.session import Database
from podium.workers.heartbeat import DEAD_AFTER, Heartbeat
from tests.support.cli import Podium, migrated_podium
from tests.support.github_double import GitHubDouble
from tests.support.postgres import Postgres
from tests.support.rows import add_repository
from tests.support.server import free_port, serving, wait_until
from tests.support.valkey import Valkey, running_valkey

Found = list[Finding]

# A busy machine may take longer than an operator would wait.
examine = functools.partial(doctor.examine, wait=60)


def levels(found: Found, check: str) -> list[str]:
    return [finding.level for finding in found if finding.check == check]


def reported(found: Found, check: str, *words: str) -> Finding:
    """The one finding about ``check`` that says all of ``words``."""
    matching = [f for f in found if f.check == check and all(w in f"{f.detail} {f.advice}" for w in words)]
    assert len(matching) == 1, found
    return matching[0]


def advised(found: Found, level: str, check: str, *words: str) -> None:
    """Whether it is reported as a problem or a warning, with advice."""
    finding = reported(found, check, *words)
    assert finding.level == level, finding
    assert finding.advice


# All is well


def healthy(folder: Path, **more: Any) -> Settings:
    # The machine that runs the tests may have a small disk.
    return Settings(
        data_dir=str(folder), mirror_cache_bytes=0, disk_reserve_bytes=0, search_path=os.environ["PATH"], **more
    )


def test_a_running_server_is_healthy(tmp_path: Path) -> None:
    podium = Podium(tmp_path / "data")
    small = {"PODIUM_DISK_RESERVE_BYTES": "1M", "PODIUM_MIRROR_CACHE_BYTES": "1M"}
    with serving(podium, small), GitHubDouble({}) as double:
        asked = {"GITHUB_API_URL": double.api_url, "GITHUB_TOKEN": "token-of-a-test"} | small
        done = podium.run("doctor", "--json", "--wait", "60", cwd=None, **asked)
        document = json.loads(done.stdout)
        assert document["healthy"] is True, document
        assert done.returncode == 0
        assert {finding["level"] for finding in document["findings"]} == {"ok"}, document
        seen = {finding["check"] for finding in document["findings"]}
        assert seen == {
            "git",
            "disk",
            "database",
            "revision",
            "drift",
            "workers",
            "queues",
            "failed",
            "stalled",
            "counts",
            "github",
        }
        text = podium.run("doctor", "--wait", "60", cwd=None, **asked).stdout
        assert text.endswith("\n0 problems, 0 warnings.\n")
        double.check()


def test_the_exit_code_tells_of_problems_and_not_of_warnings(tmp_path: Path) -> None:
    podium = migrated_podium(tmp_path / "data")
    small = {"PODIUM_DISK_RESERVE_BYTES": "1M", "PODIUM_MIRROR_CACHE_BYTES": "1M"}
    done = podium.run(
        "doctor", "--offline", "--wait", "60", cwd=None, **small, PODIUM_METRICS_TOKEN="x", PODIUM_ADMIN_TOKN="y"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 problems, 2 warnings." in done.stdout
    assert "PODIUM_ADMIN_TOKN is not a setting of Podium: PODIUM_ADMIN_TOKEN is the nearest." in done.stdout
    done = podium.run("doctor", "--offline", "--wait", "60", cwd=None, **small, PODIUM_MAILMAP_FILE="none")
    assert done.returncode == 1


def test_a_new_machine_is_healthy_and_what_is_normal_there_says_so(tmp_path: Path) -> None:
    podium = Podium(tmp_path / "data")
    # Nothing answers there: a new machine may have no network.
    new = {
        "PODIUM_DISK_RESERVE_BYTES": "1M",
        "PODIUM_MIRROR_CACHE_BYTES": "1M",
        "GITHUB_API_URL": f"http://127.0.0.1:{free_port()}",
    }
    done = podium.run("doctor", "--wait", "60", cwd=None, **new)
    assert (done.returncode, done.stderr) == (0, "")
    assert "normal on a new machine" in done.stdout
    assert "accounts stay unresolved" in done.stdout
    assert not podium.data.exists(), "a doctor who makes what it looks for"
    migrated_podium(podium.data)
    done = podium.run("doctor", "--offline", "--wait", "60", cwd=None, **new)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("normal while `podium serve` does not run") == 2
    assert "0 problems, 0 warnings." in done.stdout


def test_findings_are_printed_for_people_and_for_programs() -> None:
    found = [ok("git", "2.45"), warning("disk", "a\nb", "Free it."), problem("redis", "\x1b[2Jgone", "Start it.")]
    assert as_text(found) == (
        "ok       git    2.45\n"
        "warning  disk   a b\n"
        "                → Free it.\n"
        "problem  redis  \ufffd[2Jgone\n"
        "                → Start it.\n"
        "\n1 problem, 1 warning.\n"
    )
    document = json.loads(as_json(found))
    assert document["healthy"] is is_healthy(found) is False
    assert document["findings"][0] == {"check": "git", "level": "ok", "detail": "2.45"}
    assert is_healthy(found[:2])


# git


def fake_git(folder: Path, says: str) -> str:
    """A PATH on which git says that."""
    script = folder / "git"
    script.write_text(f"#!{sys.executable}\nprint({says!r})\n")
    script.chmod(0o700)
    return str(folder)


@pytest.mark.parametrize(
    ("says", "level", "words"),
    [
        ("git version 2.45.1", "ok", "2.45.1"),
        ("git version 2.39.5 (Apple Git-154)", "ok", "2.39.5"),
        ("git version 2.50.0.windows.1", "ok", "2.50.0"),
        ("git version 2.39.2", "warning", "2.39.4"),
        ("git version 2.44.0", "warning", "2.44.0"),
        ("git version 2.36.6", "problem", "2.45.1 or newer"),
        ("git version 1.8.3.1", "problem", "Update git"),
        ("jit version 3", "problem", "jit version 3"),
        ("", "problem", "Install git"),
    ],
)
def test_git_must_be_new_enough(tmp_path: Path, says: str, level: str, words: str) -> None:
    found = list(machine.git(Settings(search_path=fake_git(tmp_path, says))))
    assert reported(found, "git", words).level == level


def test_a_missing_git_is_a_problem(tmp_path: Path) -> None:
    advised(list(machine.git(Settings(search_path=str(tmp_path)))), "problem", "git", "not installed")


@pytest.mark.parametrize(
    ("number", "lazily"),
    [
        ((2, 39, 3), True),
        ((2, 39, 4), False),
        ((2, 41, 0), True),
        ((2, 46, 0), False),
        ((3, 0, 0), False),
        ((1, 9, 0), True),
    ],
)
def test_the_releases_that_refuse_lazy_fetches_are_known(number: version.Version, lazily: bool) -> None:
    assert version.fetches_lazily(number) is lazily


# The disk


def test_a_disk_without_the_reserve_is_a_problem(tmp_path: Path) -> None:
    found = list(machine.disk(Settings(data_dir=str(tmp_path), disk_reserve_bytes=10**18)))
    advised(found, "problem", "disk", "PODIUM_DISK_RESERVE_BYTES", "Free some space")


def test_a_disk_that_mirrors_may_outgrow_is_a_warning(tmp_path: Path) -> None:
    found = list(machine.disk(Settings(data_dir=str(tmp_path), disk_reserve_bytes=0, mirror_cache_bytes=10**18)))
    advised(found, "warning", "disk", "PODIUM_MIRROR_CACHE_BYTES")


def test_a_data_folder_that_cannot_be_written_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = list(machine.disk(Settings(data_dir=str(tmp_path / "file" / "data"))))
    advised(found, "problem", "disk", "PODIUM_DATA_DIR")


def test_what_may_not_be_looked_at_is_a_problem_and_the_rest_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Settings) -> Iterator[Finding]:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/var/lib/podium")

    monkeypatch.setattr(machine, "disk", refuse)
    found = examine(healthy(tmp_path), ask_github=False)
    advised(found, "problem", "disk", "/var/lib/podium: Permission denied", "access to it")
    assert levels(found, "database")


# The database


def test_a_mailmap_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path), mailmap_file=str(tmp_path / "own"))
    advised(examine(settings, ask_github=False), "problem", "mailmap", "PODIUM_MAILMAP_FILE", "No such file")
    (tmp_path / "own").write_text("A <a@x> <b@x>\n")
    assert levels(examine(settings, ask_github=False), "mailmap") == ["ok"]
    (tmp_path / "own").write_text("A = a@x\n")
    advised(
        examine(settings, ask_github=False), "warning", "mailmap", "own, line 1: not a mailmap line", "Name <e-mail>"
    )


def test_a_file_of_bots_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path), bots_file=str(tmp_path / "bots"))
    advised(examine(settings, ask_github=False), "problem", "bots", "cannot be read", "bots")
    (tmp_path / "bots").write_text("a@example.com\n")
    assert levels(examine(settings, ask_github=False), "bots") == ["ok"]


def test_a_proxy_that_is_not_configured_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "suspected-proxy.json").write_text(json.dumps({"address": "10.0.0.7", "at": time.time()}))
    found = examine(healthy(tmp_path), ask_github=False)
    advised(found, "warning", "settings", "10.0.0.7", "PODIUM_TRUSTED_PROXIES")
    found = examine(healthy(tmp_path, trusted_proxies=("10.0.0.7",)), ask_github=False)
    assert "10.0.0.7" not in str(found)


def test_a_postgresql_that_is_away_is_a_problem_that_tells_no_password(tmp_path: Path) -> None:
    url = f"postgresql://podium:hunter2hunter2@127.0.0.1:{free_port()}/podium"
    found = examine(healthy(tmp_path, database_url=url), ask_github=False)
    advised(found, "problem", "database", "cannot be reached")
    assert "hunter2" not in as_json(found)


def test_a_postgresql_that_refuses_is_a_problem(tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.url().replace("podium:", "nobody:")
    advised(examine(healthy(tmp_path, database_url=url), ask_github=False), "problem", "database", "password")


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a database at the newest revision: on each of the two that Podium knows."""
    # To compare all tables takes longer than everything else.
    monkeypatch.setattr(migrate, "check_tables", lambda _url: None)
    if request.param == "sqlite":
        return of_sqlite(tmp_path / "data")
    server: Postgres = request.getfixturevalue("postgres")
    shared: str = request.getfixturevalue("migrated")
    server.empty(shared)
    return healthy(tmp_path / "data", database_url=server.url(shared))


@pytest.fixture(params=["sqlite", "postgresql"])
def altered(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The same of a database whose tables a test may change, and which are compared."""
    if request.param == "sqlite":
        return of_sqlite(tmp_path / "data")
    server: Postgres = request.getfixturevalue("postgres")
    return healthy(tmp_path / "data", database_url=server.url(server.create_migrated()))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a database without tables."""
    (folder := tmp_path / "data").mkdir()
    if request.param == "sqlite":
        return healthy(folder)
    server: Postgres = request.getfixturevalue("postgres")
    return healthy(folder, database_url=server.url(server.create()))


def of_sqlite(folder: Path) -> Settings:
    return healthy(migrated_podium(folder).data)


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    with contextlib.closing(factories.open_database(settings)) as db:
        yield db


def change(settings: Settings, sql: str, **values: Any) -> None:
    with opened(settings) as db, db.write() as session:
        session.run(sql, **values)


def test_a_database_that_is_as_declared_is_well(altered: Settings) -> None:
    found = examine(altered, ask_github=False)
    assert (levels(found, "database"), levels(found, "revision"), levels(found, "drift")) == (["ok"], ["ok"], ["ok"])


def test_an_older_revision_says_what_to_run(empty: Settings) -> None:
    migrate_database(empty, to="0001", check=False)
    found = examine(empty, ask_github=False)
    advised(found, "problem", "revision", "0001", "podium migrate")
    assert not levels(found, "stalled")


def test_a_newer_revision_says_to_update(altered: Settings) -> None:
    change(altered, "DELETE FROM compatible_revision")
    change(altered, "UPDATE alembic_version SET version_num = '9999'")
    advised(examine(altered, ask_github=False), "problem", "revision", "9999", "Update Podium.")


def test_a_newer_revision_that_names_this_one_is_a_warning(altered: Settings) -> None:
    change(altered, "UPDATE alembic_version SET version_num = 'ffffffffffff'")
    found = examine(altered, ask_github=False)
    advised(found, "warning", "revision", "ffffffffffff", "works beside it", "Update Podium.")
    assert is_healthy(found)
    assert levels(found, "stalled") == ["ok"]


def test_tables_that_were_changed_by_hand_are_found(altered: Settings) -> None:
    change(altered, "DROP INDEX ix_repository_state_enqueued_at")
    advised(
        examine(altered, ask_github=False),
        "problem",
        "drift",
        "ix_repository_state_enqueued_at",
        "podium migrate --check",
    )


def test_a_damaged_database_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "podium.db").write_text("precious notes, and no database\n" * 100)
    advised(examine(healthy(tmp_path), ask_github=False), "problem", "database", "damaged")


def test_a_server_that_is_too_old_is_a_problem(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "OLDEST_SQLITE", (99, 0))
    monkeypatch.setattr(database, "OLDEST_POSTGRES", 99)
    advised(examine(settings, ask_github=False), "problem", "database", "too old")


def test_clocks_that_differ_are_reported(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 100)
    advised(examine(settings, ask_github=False), "warning", "clock", "100 s behind")


# Workers and work


def heart(settings: Settings, *queues: str, dead: int = 0) -> None:
    with opened(settings) as db:
        depths = {queue: {"waiting": 0, "active": 0, "delayed": 0, "dead": dead} for queue in queues}
        Heartbeat(db, queues, lambda: {"queues": depths}).beat()


def add(settings: Settings, state: str, sql: str = "", **values: Any) -> int:
    with opened(settings) as db:
        number = add_repository(db, key=f"github.com/o/{state}", state=state)
        if sql:
            with db.write() as session:
                session.run(f"UPDATE repository SET {sql} WHERE id = :id", id=number, **values)
    return number


def test_no_worker_is_normal_in_embedded_mode_and_a_warning_elsewhere_until_something_waits(
    settings: Settings,
) -> None:
    found = examine(settings, ask_github=False)
    assert levels(found, "workers") == ["warning" if settings.uses_postgres else "ok"] * 2
    add(settings, "pending")
    add(settings, "users_processing")
    found = examine(settings, ask_github=False)
    advised(found, "problem", "workers", COMMITS, "1 repository waiting")
    advised(found, "problem", "workers", USERS, "podium serve")
    heart(settings, COMMITS)
    assert levels(examine(settings, ask_github=False), "workers") == ["ok", "problem"]


def test_a_worker_that_ended_silently_is_reported(settings: Settings) -> None:
    heart(settings, COMMITS, USERS)
    change(settings, "UPDATE worker SET seen_at = {now} - :silent", silent=DEAD_AFTER + 100)
    found = examine(settings, ask_github=False)
    advised(found, "warning", "workers", "1 worker stopped without notice", f":{os.getpid()}")


def test_workers_of_another_version_are_reported(settings: Settings) -> None:
    heart(settings, COMMITS, USERS)
    change(settings, "UPDATE worker SET version = '0.0.1'")
    advised(examine(settings, ask_github=False), "warning", "workers", "0.0.1")


def test_a_schedule_that_runs_without_a_token_is_a_warning(settings: Settings) -> None:
    settings = dataclasses.replace(settings, redis_url=f"redis://127.0.0.1:{free_port()}")
    assert levels(examine(settings, ask_github=False), "schedule") == []
    heart(settings, COMMITS)
    advised(examine(settings, ask_github=False), "warning", "schedule", "A commit worker", "podium worker users")
    heart(settings, USERS)
    advised(examine(settings, ask_github=False), "warning", "schedule", "The user workers", "Set GITHUB_TOKEN")
    token: dict[str, object] = {"number": 1, "refused_since": None, "next_try_at": None, "denied": [], "budgets": []}
    change(settings, "UPDATE worker SET report = :report", report=json.dumps({"tokens": [token]}))
    assert levels(examine(settings, ask_github=False), "schedule") == []


def test_dead_messages_are_reported(settings: Settings) -> None:
    heart(settings, COMMITS, dead=3)
    advised(examine(settings, ask_github=False), "warning", "queues", f"3 messages of {COMMITS}", "podium queue retry")


def test_failed_repositories_are_reported_with_the_latest_reason(settings: Settings) -> None:
    number = add(settings, "failed", "error = 'It is not there.'")
    advised(examine(settings, ask_github=False), "warning", "failed", f"#{number}", "not there", "podium queue retry")


def test_limits_of_github_in_force_are_reported(settings: Settings) -> None:
    change(settings, "INSERT INTO github_limit (key, held_until) VALUES ('k', {now} + 600)")
    advised(examine(settings, ask_github=False), "warning", "limits", "1 token")


STUCK = [
    ("commits_processing", "lease_holder = 'x', lease_until = {now} - 100", "no other has taken it"),
    ("pending", "enqueued_at = {now} - 50000, updated_at = {now} - 50000", "not enqueued"),
    (
        "users_processing",
        "enqueued_at = {now} - 50000, updated_at = {now} - 50000, not_before = {now} - 500",
        "not enqueued",
    ),
    ("commits_processing", "lease_holder = 'x', lease_until = {now} + 10, updated_at = {now} - 5000", "no progress"),
    ("users_processing", "enqueued_at = {now}, updated_at = {now} - 5000", "no progress"),
]


@pytest.mark.parametrize(("state", "sql", "words"), STUCK)
def test_work_that_goes_no_further_is_found(settings: Settings, state: str, sql: str, words: str) -> None:
    number = add(settings, state, sql)
    advised(examine(settings, ask_github=False), "problem", "stalled", f"#{number} ", words)


NOT_STUCK = [
    ("pending", "enqueued_at = {now} - 300, updated_at = {now} - 50000"),
    ("pending", "enqueued_at = NULL, updated_at = {now}"),
    ("commits_processing", "lease_holder = 'x', lease_until = {now} - 5"),
    ("commits_processing", "lease_holder = 'x', lease_until = {now} + 5, updated_at = {now} - 100"),
    ("users_processing", "not_before = {now} + 3000, enqueued_at = {now} - 5000, updated_at = {now} - 5000"),
    ("failed", "updated_at = {now} - 50000"),
    ("completed", "updated_at = {now} - 50000"),
]


@pytest.mark.parametrize(("state", "sql"), NOT_STUCK)
def test_work_that_waits_for_its_turn_is_not_stalled(settings: Settings, state: str, sql: str) -> None:
    add(settings, state, sql)
    assert levels(examine(settings, ask_github=False), "stalled") == ["ok"]


def test_repositories_of_this_machine_are_no_work(settings: Settings) -> None:
    with opened(settings) as db:
        add_repository(db, key="file:///r", host="", state="pending", enqueued_at=None)
    found = examine(settings, ask_github=False)
    assert levels(found, "stalled") == ["ok"]
    assert levels(found, "workers") == ["warning" if settings.uses_postgres else "ok"] * 2


# GitHub


@pytest.fixture
def double() -> Iterator[GitHubDouble]:
    with GitHubDouble({}, tokens=("good", "other")) as double:
        yield double


def at(double: GitHubDouble, *tokens: str) -> Settings:
    return Settings(github_api_url=double.api_url, github_graphql_url=double.graphql_url, github_tokens=tokens)


def github(settings: Settings) -> Found:
    numbers = range(max(1, len(settings.github_tokens)))
    return [finding for number in numbers for finding in github_api.github(settings, number, 30)]


def test_each_token_is_asked_for_its_budget_at_no_cost(double: GitHubDouble) -> None:
    found = github(at(double, "good", "other"))
    assert [finding.level for finding in found] == ["ok", "ok"]
    reported(found, "github", "token 2 of 2: 5,000 of 5,000 graphql points left")
    double.check()


def test_a_token_that_github_does_not_accept_is_a_problem_and_not_repeated(double: GitHubDouble) -> None:
    found = github(at(double, "good", "revoked-token"))
    advised(found, "problem", "github", "token 2 of 2")
    assert "revoked-token" not in as_json(found)


def test_no_token_is_a_warning(double: GitHubDouble) -> None:
    advised(github(at(double)), "warning", "github", "60 of 60", "GITHUB_TOKEN")


def test_a_budget_that_is_spent_is_a_warning() -> None:
    with GitHubDouble({}, tokens=("good",), limit=0) as double:
        advised(github(at(double, "good")), "warning", "github", "0 of 0", "Work waits")


def test_a_token_that_may_do_more_than_it_needs_is_a_warning(double: GitHubDouble) -> None:
    double.scopes = "repo, admin:org"
    advised(github(at(double, "good")), "warning", "github", "repo, admin:org")


def test_a_github_without_limits_is_well() -> None:
    with GitHubDouble({}, tokens=("good",), states_limits=False) as double:
        assert [finding.level for finding in github(at(double, "good"))] == ["ok"]


class _Stranger(BaseHTTPRequestHandler):
    """A server that is no GitHub: what it answers stands in the path."""

    def do_GET(self) -> None:
        status = int(self.path.split("/")[1])
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are quiet."""


@pytest.mark.parametrize("tokens", [(), ("good",)])
@pytest.mark.parametrize("status", [200, 403, 404, 500])
def test_an_address_where_no_github_is_is_a_problem(status: int, tokens: tuple[str, ...]) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Stranger) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/{status}"
        found = github(Settings(github_api_url=address, github_tokens=tokens))
        server.shutdown()
        thread.join()
    advised(found, "problem", "github", "GITHUB_API_URL")


def test_a_github_that_is_away_is_a_problem() -> None:
    settings = Settings(github_api_url=f"http://127.0.0.1:{free_port()}", github_tokens=("good",))
    advised(github(settings), "problem", "github", "cannot be reached", "connect")


# What hangs


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """A port that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_whatever_hangs_is_reported_and_the_rest_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resolved = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved.wait())
    with silent_server() as port:
        settings = healthy(
            tmp_path,
            database_url=f"postgresql://u:secret@127.0.0.1:{port}/d",
            redis_url=f"redis://:secret@127.0.0.1:{port}",
            github_api_url=f"http://127.0.0.1:{port}",
            github_tokens=("one", "two", "three"),
        )
        # The sum of all time-outs is many times as long.
        found = examine(settings, ask_github=True, wait=0.5)
    resolved.set()
    reported(found, "git")
    reported(found, "disk")
    for check in ("redis", "database"):
        advised(found, "problem", check, "not answered")
    assert levels(found, "github") == ["problem"] * 3
    assert "secret" not in as_json(found)


def test_a_silent_redis_and_a_silent_github_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_REDIS_TIMEOUTS", {"socket_connect_timeout": 0.1, "socket_timeout": 0.1})
    monkeypatch.setattr(doctor, "_OF_WAIT", 0.05)
    with silent_server() as port:
        settings = healthy(tmp_path, redis_url=f"redis://127.0.0.1:{port}", github_api_url=f"http://127.0.0.1:{port}")
        found = examine(settings, ask_github=True, wait=4)
    advised(found, "problem", "redis", "Redis cannot be used (Timeout")
    advised(found, "warning", "github", "cannot be reached (timeout)")


def test_a_bug_in_a_check_is_not_hidden() -> None:
    def look() -> Iterator[Finding]:
        yield ok("git", "2.45")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        side_by_side.run([side_by_side.Examination("git", look)], 30)


def test_what_was_found_before_a_check_hangs_is_kept() -> None:
    end = threading.Event()

    def look() -> Iterator[Finding]:
        yield ok("counts", "one")
        end.wait()

    for late, levels in ((None, ["ok", "problem"]), (ok("counts", "enough"), ["ok", "ok"])):
        found = side_by_side.run([side_by_side.Examination("counts", look, late)], 0.05)
        assert [finding.level for finding in found] == levels
    end.set()


# Redis


def redis_of(url: str, folder: Path) -> Found:
    return [f for f in examine(healthy(folder, redis_url=url), ask_github=False) if f.check == "redis"]


@contextlib.contextmanager
def configured(server: Valkey, **options: str) -> Iterator[None]:
    """A server with other options than it started with, for the length of a ``with`` block."""
    names = {name.replace("_", "-"): value for name, value in options.items()}
    with server.client() as client:
        before = {name: client.config_get(name)[name] for name in names}
        for name, value in names.items():
            client.config_set(name, value)
        try:
            yield
        finally:
            for name, value in before.items():
                client.config_set(name, value)


def test_a_redis_that_keeps_what_it_is_given_is_well(valkey: Valkey, tmp_path: Path) -> None:
    valkey.flush()
    with configured(valkey, appendonly="yes"):
        found = redis_of(valkey.url, tmp_path)
    assert [finding.level for finding in found] == ["ok"] * 3
    reported(found, "redis", "Valkey ")
    reported(found, "redis", "noeviction")
    reported(found, "redis", "append-only")


def test_a_redis_that_keeps_nothing_over_a_restart_is_a_warning(valkey: Valkey, tmp_path: Path) -> None:
    advised(redis_of(valkey.url, tmp_path), "warning", "redis", "keeps nothing across a restart", "appendonly yes")


def test_a_redis_that_takes_snapshots_is_well(valkey: Valkey, tmp_path: Path) -> None:
    with configured(valkey, save="3600 1"):
        assert reported(redis_of(valkey.url, tmp_path), "redis", "snapshots").level == "ok"


def test_a_redis_that_cannot_save_is_a_problem(tmp_path: Path) -> None:
    with running_valkey() as server, server.client() as client:
        # A folder stands where the snapshot should go.
        (server.folder / "dump.rdb").mkdir()
        client.set("podium:x", "y")
        client.bgsave()
        wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "the snapshot to fail")
        advised(redis_of(server.url, tmp_path), "problem", "redis", "rdb_last_bgsave_status", "disk may be full")


@pytest.mark.parametrize(
    ("most", "policy", "level", "words"),
    [
        ("100mb", "allkeys-lru", "problem", "allkeys-lru"),
        ("0", "volatile-lru", "warning", "volatile-lru"),
        ("1mb", "noeviction", "problem", "Raise maxmemory"),
        ("100mb", "noeviction", "ok", "noeviction"),
    ],
)
def test_a_redis_that_throws_away_or_is_full_is_found(
    valkey: Valkey, tmp_path: Path, most: str, policy: str, level: str, words: str
) -> None:
    with configured(valkey, maxmemory_policy=policy), configured(valkey, maxmemory=most):
        assert reported(redis_of(valkey.url, tmp_path), "redis", words).level == level


def test_a_redis_with_others_in_its_database_is_a_warning(valkey: Valkey, tmp_path: Path) -> None:
    valkey.flush()
    with valkey.client() as client:
        client.set("session:4711", "theirs")
        client.set("podium:commit-processing", "ours")
    advised(redis_of(valkey.url, tmp_path), "warning", "redis", "session:4711", "database of its own")
    valkey.flush()


def test_a_replica_is_a_problem(valkey: Valkey, tmp_path: Path) -> None:
    with valkey.client() as client:
        client.replicaof("127.0.0.1", str(free_port()))
        try:
            advised(redis_of(valkey.url, tmp_path), "problem", "redis", "replica", "primary")
        finally:
            client.replicaof("NO", "ONE")


def test_a_redis_that_is_away_or_refuses_is_a_problem_that_tells_no_password(valkey: Valkey, tmp_path: Path) -> None:
    for port in (free_port(), valkey.port):
        found = redis_of(f"redis://:hunter2hunter2@127.0.0.1:{port}/0", tmp_path)
        advised(found, "problem", "redis", "REDIS_URL")
        assert "hunter2" not in as_json(found)


def test_a_managed_redis_that_tells_no_settings_is_looked_at_all_the_same(valkey: Valkey, tmp_path: Path) -> None:
    with valkey.client() as client:
        client.acl_setuser("managed", enabled=True, passwords=["+x"], keys=["*"], commands=["+@all", "-config"])
    found = redis_of(f"redis://managed:x@127.0.0.1:{valkey.port}", tmp_path)
    assert reported(found, "redis", "does not show").level == "ok"
    reported(found, "redis", "noeviction")


@pytest.mark.parametrize(
    ("number", "level"),
    [("5.0.7", "problem"), ("6.0.16", "problem"), ("6.2.0", "ok"), ("7.4.1", "ok"), ("8.0", "ok")],
)
def test_a_redis_must_be_new_enough(number: str, level: str) -> None:
    [finding] = redis_server.version({"redis_version": number})
    assert finding.level == level
    assert number in finding.detail


def test_work_is_looked_at_also_where_redis_is_away(settings: Settings) -> None:
    away = dataclasses.replace(settings, redis_url=f"redis://127.0.0.1:{free_port()}")
    add(settings, "pending")
    found = examine(away, ask_github=False)
    advised(found, "problem", "redis", "cannot be used")
    advised(found, "problem", "workers", COMMITS, "podium worker commits")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"redis_url": "redis://127.0.0.1:9"}, "DATABASE_URL"),
        ({"database_url": "postgresql://u@127.0.0.1:9/d"}, "REDIS_URL"),
    ],
)
def test_settings_that_do_not_go_together_are_reported(tmp_path: Path, more: dict[str, str], words: str) -> None:
    advised(examine(healthy(tmp_path, **more), ask_github=False), "warning", "settings", words)


TOKEN = "0123456789abcdef"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"host": "0.0.0.0"}, "no PODIUM_ADMIN_TOKEN"),
        ({"allowed_hosts": ("podium.example",)}, "no PODIUM_ADMIN_TOKEN"),
        ({"redis_host": "redis"}, "no PODIUM_ADMIN_TOKEN"),
        ({"admin_token": "a" * 16}, "PODIUM_ADMIN_TOKEN is easy to guess"),
        ({"metrics_token": "scrape"}, "PODIUM_METRICS_TOKEN is easy to guess"),
        ({"admin_token": TOKEN, "metrics_token": TOKEN}, "every scraper is an administrator"),
        ({"host": "0.0.0.0", "admin_token": TOKEN, "show_emails": True}, "PODIUM_SHOW_EMAILS=true"),
        ({"trusted_proxies": ("*",)}, "trusts everyone"),
        ({"webhook_secrets": ("short",)}, "PODIUM_WEBHOOK_SECRETS is easy to guess"),
        ({"webhook_secrets": (f"gitlab.exmaple={TOKEN}",)}, "bound to gitlab.exmaple"),
        ({"webhook_secrets": (f"whsec_{TOKEN}?",)}, "signing token of GitLab"),
        ({"webhook_secrets": (TOKEN,), "admin_token": TOKEN}, "is a token of this server too"),
        ({"webhook_secrets": tuple(f"{TOKEN}{number}" for number in range(11))}, "has 11 secrets"),
        ({"allowed_hosts": ("podium.example",), "admin_token": TOKEN}, "PODIUM_TRUSTED_PROXIES is empty"),
    ],
)
def test_what_an_operator_would_regret_is_reported(tmp_path: Path, more: dict[str, Any], words: str) -> None:
    found = list(exposure.exposure(healthy(tmp_path, **more)))
    assert [finding for finding in found if words in finding.detail], found
    assert {(finding.check, finding.level) for finding in found} == {("settings", "warning")}
    assert not any(TOKEN in finding.detail + finding.advice for finding in found)


def test_files_that_other_users_can_read_are_reported(tmp_path: Path) -> None:
    settings = healthy(tmp_path)
    tmp_path.chmod(0o700)
    assert list(exposure.exposure(settings)) == []
    tmp_path.chmod(0o755)
    token_file(settings).touch(mode=0o644)
    folder, token = exposure.exposure(settings)
    assert str(tmp_path) in folder.detail and folder.advice == f"chmod 700 {tmp_path}"
    assert str(token_file(settings)) in token.detail


def test_webhooks_are_listed_by_host_without_their_secrets(tmp_path: Path) -> None:
    settings = healthy(
        tmp_path, webhook_secrets=(f"gitlab.example={TOKEN}", f"{TOKEN}xyz"), git_hosts=("https://gitlab.example",)
    )
    found = [finding for finding in examine(settings, ask_github=False) if finding.check == "webhooks"]
    assert [finding.detail for finding in found] == ["2 secrets of webhooks, for github.com, gitlab.example"]


def test_a_server_that_is_set_up_with_care_has_nothing_to_regret(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    more = {"allowed_hosts": ("podium.example",), "trusted_proxies": ("127.0.0.1",), "admin_token": TOKEN}
    assert list(exposure.exposure(healthy(tmp_path, **more))) == []
