"""`podium worker` and `podium serve` as processes of their own, on PostgreSQL and Valkey."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import synthetic
from podium.jobs.messages.queues import COMMITS
from tests.support.cli import Podium
from tests.support.distributed import Arrangement, arranged
from tests.support.githttp import Fault, GitHost, serve_repositories
from tests.support.postgres import Postgres
from tests.support.processes import asks_git_for, children, descendants
from tests.support.server import free_port, wait_until
from tests.support.valkey import Valkey


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository of more than one batch of people."""
    folder = tmp_path_factory.mktemp("subject") / "subject.git"
    synthetic.build(folder, 3_000, 400)
    return folder


@pytest.fixture
def host(tmp_path: Path, subject: Path) -> Iterator[GitHost]:
    """A git server with that repository as `o/r1.git` to `o/r4.git`."""
    repositories = tmp_path / "repositories"
    for number in range(1, 5):
        shutil.copytree(subject, repositories / "o" / f"r{number}.git")
    with serve_repositories(repositories) as host:
        yield host


@pytest.fixture
def arrangement(tmp_path: Path, postgres: Postgres, valkey: Valkey, host: GitHost) -> Iterator[Arrangement]:
    with arranged(tmp_path, postgres, valkey, PODIUM_GIT_HOSTS=host.url) as arrangement:
        yield arrangement


def ask(port: int, path: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_api_does_no_work_and_each_worker_works_on_its_own_queue(arrangement: Arrangement, host: GitHost) -> None:
    url = f"{host.url}/o/r1.git"
    with arrangement.api() as server:
        assert server.ask("/ready").status == 200
        assert server.submit(url).status == 202
        queues = server.ask("/queues").body
        assert queues["workers"] == [] and queues["queues"][COMMITS]["waiting"] == 1
        assert server.repository(url)["state"] == "pending"
        arrangement.worker("commits", "--processes", "1")
        server.wait_for(url, "users_processing")
        board = server.board(url)
        assert board["totalCommits"] == 3_000 and board["isPartial"]
        arrangement.worker("users")
        server.wait_for(url, "completed")
        assert server.board(url)["top_contributors"] == board["top_contributors"]


def test_one_process_can_work_on_both_queues(arrangement: Arrangement, host: GitHost) -> None:
    with arrangement.api() as server:
        arrangement.worker("all")
        for number in (1, 2):
            server.submit(f"{host.url}/o/r{number}.git")
        for number in (1, 2):
            server.wait_for(f"{host.url}/o/r{number}.git", "completed")


def test_serve_works_on_the_queues_when_asked_to(arrangement: Arrangement, host: GitHost) -> None:
    url = f"{host.url}/o/r1.git"
    port = free_port()
    with arrangement.api() as server:
        server.submit(url)
        process = arrangement.podium.start(
            "serve", "--workers", "--port", str(port), stderr=arrangement.log, **arrangement.settings
        )
        arrangement.started.append(process)
        server.wait_for(url, "completed")


def test_drain_does_what_is_due_and_returns_1_if_a_repository_failed(arrangement: Arrangement, host: GitHost) -> None:
    assert arrangement.drain("commits") == 0
    with arrangement.api() as server:
        for number in range(1, 5):
            server.submit(f"{host.url}/o/r{number}.git")
        assert arrangement.drain("commits", "--processes", "2") == 0
        assert {row["state"] for row in server.ask("/repositories").body} <= {"users_processing", "completed"}
        assert arrangement.drain("users") == 0
        assert {row["state"] for row in server.ask("/repositories").body} == {"completed"}
        server.submit(f"{host.url}/o/missing.git")
        assert arrangement.drain("commits") == 1
        assert server.repository(f"{host.url}/o/missing.git")["state"] == "failed"
        assert arrangement.drain("commits") == 0


def test_a_worker_answers_probes_on_its_port(arrangement: Arrangement, valkey: Valkey) -> None:
    port = free_port()
    process = arrangement.worker("users", PORT=str(port))

    def is_ready() -> bool:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            return ask(port, "/ready")[0] == 200
        return False

    wait_until(is_ready, "the worker to be ready")
    assert ask(port, "/health") == (200, {"status": "ok"})
    (worker,) = children(process.pid)
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: set(children(process.pid)) - {worker}, "another worker to be there")
    assert ask(port, "/health")[0] == 200
    assert ask(port, "/ready") == (200, {"status": "ready", "problems": []})
    process.terminate()
    assert process.wait(10) == 0


def test_a_stopped_worker_releases_its_repository_within_ten_seconds(arrangement: Arrangement, host: GitHost) -> None:
    # Nothing but the release lets another worker continue: the lease does not expire during the test.
    arrangement.settings["PODIUM_LEASE_SECONDS"] = "3600"
    url = f"{host.url}/o/r1.git"
    host.faults.append(Fault("stall", "/o/r1.git", times=1))
    with arrangement.api() as server:
        first = arrangement.worker("commits", "--processes", "1")
        server.submit(url)
        host.wait_for_request("/o/r1.git")
        first.terminate()
        assert first.wait(10) == 0
        assert server.repository(url)["state"] in ("pending", "commits_processing")
        arrangement.worker("commits", "--processes", "1")
        server.wait_for(url, "users_processing")


def test_a_killed_worker_leaves_no_process_running(arrangement: Arrangement, host: GitHost) -> None:
    url = f"{host.url}/o/r1.git"
    # git asks, once Podium's own request has failed.
    host.faults.append(Fault("status", "/o/r1.git/git-upload-pack", times=1))
    host.faults.append(Fault("stall", "/o/r1.git/info/refs", times=1))
    with arrangement.api() as server:
        first = arrangement.worker("commits", "--processes", "1")
        server.submit(url)
        host.wait_for_request("/o/r1.git/info/refs")
        left = descendants(first.pid)
        assert any(asks_git_for("/o/r1.git", pid) for pid in left)
        first.kill()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), "its processes to end")
        arrangement.worker("commits", "--processes", "1")
        server.wait_for(url, "users_processing")


def test_without_redis_a_worker_says_what_to_set(tmp_path: Path) -> None:
    done = Podium(tmp_path).run("worker", "commits", cwd=None)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "REDIS_URL" in done.stderr


def test_workers_end_if_the_database_is_not_migrated_and_say_what_to_run(
    arrangement: Arrangement, postgres: Postgres
) -> None:
    process = arrangement.worker("all", DATABASE_URL=postgres.url(postgres.create()))
    assert process.wait(30) == 2
    assert "podium migrate" in arrangement.said()


def test_workers_wait_for_a_database_that_is_away(arrangement: Arrangement) -> None:
    process = arrangement.worker("users", DATABASE_URL="postgresql://podium:secret@127.0.0.1:1/x")
    wait_until(lambda: "restarting it" in arrangement.said(), "a second try")
    assert process.poll() is None
    assert "secret" not in arrangement.said()


def test_no_secret_is_logged_or_in_arguments(arrangement: Arrangement, host: GitHost, valkey: Valkey) -> None:
    arrangement.settings["PODIUM_LOG_LEVEL"] = "debug"
    with arrangement.api() as server:
        server.submit(f"{host.url}/o/r1.git")
        # No fork, which has no arguments of its own.
        process = arrangement.worker("all", PYTHONUNBUFFERED="1")
        server.wait_for(f"{host.url}/o/r1.git", "completed")
        arguments = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in (process.pid, *children(process.pid)))
        server.log.seek(0)
        said = arrangement.said() + server.log.read()
    assert said
    for secret in ("ssword", "tests@", "%C3%A4"):
        assert secret not in said
        assert secret.encode() not in arguments


def test_reload_restarts_when_a_file_changes(tmp_path: Path) -> None:
    (source := tmp_path / "source").mkdir()
    port = free_port()
    podium = Podium(tmp_path / "data", "tests.support.reloading_podium")
    process = podium.start("serve", "--reload", "--port", str(port), stderr=subprocess.DEVNULL, WATCHED=str(source))

    def server() -> int | None:
        """The process that answers."""
        found = children(process.pid)
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            ask(port, "/version")
            return found[0] if found == children(process.pid) and len(found) == 1 else None
        return None

    try:
        first = wait_until(server, "the server to answer")
        (source / "changed.py").touch()
        second = wait_until(lambda: (now := server()) != first and now, "another server to answer")
        assert not Path(f"/proc/{first}").exists()
        process.kill()
        wait_until(lambda: not Path(f"/proc/{second}").exists(), "the server to end with its parent")
    finally:
        process.kill()
        process.wait()
