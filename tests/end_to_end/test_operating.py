"""What an operator of several processes sees and does: on PostgreSQL and Valkey, with real workers."""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import synthetic
from podium.jobs.messages.queues import COMMITS, USERS
from tests.support.cli import ADMIN_TOKEN
from tests.support.distributed import Arrangement, arranged
from tests.support.githttp import GitHost, serve_repositories
from tests.support.metrics import Samples, samples, value
from tests.support.postgres import Postgres
from tests.support.server import free_port, wait_until
from tests.support.valkey import Valkey, running_valkey

COUNTED = 700


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHost]:
    synthetic.build(tmp_path / "repositories" / "o" / "r.git", COUNTED, 120)
    with serve_repositories(tmp_path / "repositories") as host:
        yield host


@pytest.fixture
def arrangement(tmp_path: Path, postgres: Postgres, valkey: Valkey, host: GitHost) -> Iterator[Arrangement]:
    settings = {"PODIUM_GIT_HOSTS": host.url, "PODIUM_MIRROR_CACHE_BYTES": "1M", "PODIUM_LOG_FORMAT": "json"}
    with arranged(tmp_path, postgres, valkey, **settings) as arrangement:
        yield arrangement


def podium(arrangement: Arrangement, *arguments: str, code: int = 0, **settings: str) -> str:
    """What a command of Podium's says, with the settings of all the processes."""
    done = arrangement.podium.run(*arguments, cwd=None, **arrangement.settings, **settings)
    assert (done.returncode, done.stderr) == (code, ""), done
    return done.stdout


def queue(arrangement: Arrangement) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(podium(arrangement, "queue", "--json"))
    return document


def page(port: int, token: str | None = ADMIN_TOKEN) -> Samples:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return samples(answer.read())


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=30) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def test_the_queues_are_seen_from_anywhere_and_are_empty_in_the_end(arrangement: Arrangement, host: GitHost) -> None:
    good, gone = f"{host.url}/o/r.git", f"{host.url}/o/gone.git"
    with arrangement.api() as server:
        server.submit(good)
        server.submit(gone)
        before = queue(arrangement)
        assert before["queuesSource"] == "redis"
        assert before["queues"][COMMITS] == {"waiting": 2, "active": 0, "delayed": 0, "dead": 0}
        assert before["repositories"]["pending"]["count"] == 2
        assert before["workers"] == []
        ill = podium(arrangement, "doctor", "--offline", "--wait", "60", code=1)
        assert "podium worker commits" in ill

        commits, users = free_port(), free_port()
        arrangement.worker("commits", "--processes", "2", "--port", str(commits))
        arrangement.worker("users", "--port", str(users))
        server.wait_for(good, "completed")
        number = server.wait_for(gone, "failed")["id"]
        wait_until(lambda: answers(commits) and answers(users), "both workers to be ready")
        empty = {name: dict.fromkeys(("waiting", "active", "delayed", "dead"), 0) for name in (COMMITS, USERS)}
        wait_until(lambda: server.ask("/queues").body["queues"] == empty, "the queues to be empty")
        after = queue(arrangement)
        assert after["batchesLeft"] == after["leases"]["held"] == after["waiting"] == 0
        assert [worker["queues"] for worker in after["workers"]].count([COMMITS]) == 2
        assert [worker["queues"] for worker in after["workers"]].count([USERS]) == 1
        # The API answers from a cache, the command does not.
        wait_until(
            lambda: _without_ages(server.ask("/queues").body) == _without_ages(after), "the API to show the same"
        )

        text = podium(arrangement, "queue")
        assert f"#{number} {gone}" in text
        assert "Batches left: 0" in text
        found = json.loads(podium(arrangement, "doctor", "--offline", "--wait", "60", "--json"))
        assert found["healthy"], found

        assert "1 repository is tried again." in podium(arrangement, "queue", "retry")
        _told_by_their_metrics(commits, users)


def _without_ages(overview: dict[str, Any]) -> dict[str, Any]:
    """The repositories of an overview without ``oldest.seconds``, which grows from one overview to the next."""
    return {
        state: {**found, "oldest": found["oldest"] and {**found["oldest"], "seconds": None}}
        for state, found in overview["repositories"].items()
    }


def _told_by_their_metrics(commits: int, users: int) -> None:
    wait_until(lambda: value(page(commits), "podium_jobs_total", queue=COMMITS, outcome="failed") >= 2, "both failures")
    counted, resolved = page(commits), page(users)
    assert value(counted, "podium_commits_counted_total") == COUNTED
    assert value(counted, "podium_jobs_total", queue=COMMITS, outcome="done") >= 1
    assert value(resolved, "podium_jobs_total", queue=USERS, outcome="done") >= 1
    assert value(resolved, "podium_commits_counted_total") == 0
    for each in (counted, resolved):
        assert value(each, "podium_up") == 1
        assert value(each, "podium_repositories", state="completed") == 1
        assert value(each, "podium_workers_alive", queue=COMMITS) == 2


def test_a_worker_that_ends_is_not_taken_for_one_that_is_silent(arrangement: Arrangement) -> None:
    worker = arrangement.worker("users")
    [seen] = wait_until(lambda: queue(arrangement)["workers"], "its heartbeat")
    assert seen["alive"]
    # Its processes notice that their parent is gone, and say that they end.
    os.kill(worker.pid, signal.SIGKILL)
    wait_until(lambda: not queue(arrangement)["workers"], "its end")


def test_a_workers_metrics_are_for_whom_they_are_meant(arrangement: Arrangement) -> None:
    port = free_port()
    arrangement.worker("users", "--port", str(port), PODIUM_METRICS_TOKEN="scrape", PODIUM_ADMIN_TOKEN=ADMIN_TOKEN)
    wait_until(lambda: answers(port), "the worker to be ready")
    assert value(page(port, "scrape"), "podium_up") == 1
    assert value(page(port, ADMIN_TOKEN), "podium_up") == 1
    for wrong in (None, "guess"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            page(port, wrong)
        with refused.value as answer:
            assert answer.code == 401
            assert "token" in json.load(answer)["detail"]


def test_every_line_of_every_worker_is_json_with_ids_and_without_secrets(
    arrangement: Arrangement, host: GitHost
) -> None:
    url = f"{host.url}/o/r.git"
    with arrangement.api() as server:
        arrangement.worker("all", PODIUM_LOG_LEVEL="debug")
        number = server.submit(url).body["id"]
        server.wait_for(url, "completed")
    arrangement.end()
    said = arrangement.said()
    entries = [json.loads(line) for line in said.splitlines()]
    ended = [entry for entry in entries if entry["message"].startswith("job ended")]
    assert {entry["queue"] for entry in ended} == {COMMITS, USERS}
    assert {entry["repository"] for entry in ended} == {number}
    assert all(entry["job"] for entry in ended)
    for secret in ("pässword", "p%C3%A4ssword", "@example"):
        assert secret not in said


def test_a_redis_outage_is_reported_by_all_and_needs_no_manual_step(
    tmp_path: Path, postgres: Postgres, host: GitHost
) -> None:
    with (
        running_valkey() as valkey,
        arranged(tmp_path, postgres, valkey, PODIUM_GIT_HOSTS=host.url) as arrangement,
        arrangement.api() as server,
    ):
        assert value(page(server.port), "podium_up") == 1
        arrangement.worker("all")
        wait_until(lambda: queue(arrangement)["workers"], "a worker")
        valkey.stop()
        done = arrangement.podium.run("queue", cwd=None, **arrangement.settings)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert "REDIS_URL" in done.stderr
        assert server.ask("/queues").status == 503
        found = wait_until(lambda: _where_down(server.port), "the metrics to tell it")
        assert value(found, "podium_http_requests_total", method="GET", route="/queues", status="503") == 1
        assert "cannot be used" in podium(arrangement, "doctor", "--offline", "--wait", "60", code=1)
        wait_until(lambda: "the reconciler waits: Redis cannot be used" in arrangement.said(), "the worker to tell it")
        valkey.start()
        wait_until(lambda: value(page(server.port), "podium_up") == 1, "it to be back")
        assert queue(arrangement)["queuesSource"] == "redis"
        wait_until(lambda: "the reconciler continues" in arrangement.said(), "the worker to tell that too")
        # Once, and not by each thread every few seconds.
        assert arrangement.said().count("the reconciler waits") == 1
        assert "CRITICAL" not in arrangement.said()


def _where_down(port: int) -> Samples | None:
    found = page(port)
    return found if value(found, "podium_up") == 0 else None
