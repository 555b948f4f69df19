"""Metrics: what is counted, that a child's counts reach its parent, and who may read them."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import synthetic
from podium.accounts.github.budget import ANONYMOUS
from podium.accounts.github.client import GitHub
from podium.accounts.github.faults import (
    Action,
    BadToken,
    DelayUntil,
    Done,
    GiveUp,
    Gone,
    Halve,
    Moved,
    RetryAfter,
    outcome_label,
)
from podium.accounts.github.github_session import GitHubSession
from podium.accounts.github.requests import RepositoryRequest, WindowRequest
from podium.accounts.github.token_pool import MemoryBudgetStore, TokenPool
from podium.errors import StorageError
from podium.jobs.messages import broker
from podium.jobs.messages.broker import JobQueues
from podium.jobs.messages.memory_broker import MemoryBackend
from podium.jobs.messages.queues import COMMITS as COMMIT_QUEUE
from podium.jobs.overflow import OverflowSlots, RunningJob
from podium.monitoring.gauges import Gauges
from podium.monitoring.inspector import Inspector
from podium.monitoring.overview import Overview
from podium.storage.session import Database
from podium.storage.sqlite import SqliteDatabase
from podium.telemetry import metrics, metrics_pipe
from podium.telemetry.current_job import Job, note_outcome
from podium.telemetry.metrics import Metric
from podium.telemetry.prometheus import Prometheus
from tests.support.cli import ADMIN, Podium
from tests.support.githttp import Fault, GitHost, serve_repositories
from tests.support.github_double import GitHubDouble
from tests.support.github_script import Script
from tests.support.metrics import Samples, samples, value
from tests.support.processes import counting_processes
from tests.support.rows import add_repository
from tests.support.server import Server, serving, wait_until
from tests.support.web import open_site

COMMITS = 700


@pytest.fixture
def counted() -> Iterator[Prometheus]:
    prometheus = Prometheus(tuple)
    metrics.install(prometheus)
    yield prometheus
    metrics.install(None)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_facts_about_processes_include_those_that_it_started(counted: Prometheus) -> None:
    def facts() -> dict[str, float]:
        return {name: number for (name, _), number in samples(counted.page()).items() if name.startswith("process_")}

    alone = facts()
    # Linux counts no resident memory of a program that has only just started.
    command = ["sh", "-c", "echo started; read line"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdout.readline() == b"started\n"
        both = facts()
        for name in ("process_resident_memory_bytes", "process_virtual_memory_bytes", "process_open_fds"):
            assert both[name] > alone[name]
        assert both["process_start_time_seconds"] == alone["process_start_time_seconds"]
        assert child.stdin
        child.stdin.close()
    # The time of a child that has ended is not lost: a counter never falls.
    assert facts()["process_cpu_seconds_total"] >= both["process_cpu_seconds_total"]


def test_nothing_is_counted_without_a_sink(counted: Prometheus) -> None:
    metrics.install(None)
    metrics.add(metrics.JOBS, queue="q", outcome="done")
    metrics.install(counted)
    metrics.add(metrics.JOBS, queue="q", outcome="done")
    metrics.add(metrics.JOB_SECONDS, 3.0, queue="q")
    found = samples(counted.page())
    assert value(found, "podium_jobs_total", queue="q", outcome="done") == 1
    assert value(found, "podium_job_seconds_bucket", queue="q", le="5.0") == 1
    assert value(found, "podium_job_seconds_bucket", queue="q", le="2.5") == 0
    assert not [name for name, _ in found if name.endswith("_created")]


def test_the_command_line_does_not_import_the_library() -> None:
    modules = "sys, podium.cli.rank.rank_command, podium.counting.commit_job"
    script = f"import {modules}; print('prometheus_client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


# From a child to its parent


class Pipe:
    """A stream from a child to its parent, without processes."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def write(self, line: bytes) -> int:
        metrics_pipe.receive(line, self._job)
        return len(line)

    def flush(self) -> None:
        pass


def test_a_childs_metrics_are_counted_by_its_parent(counted: Prometheus) -> None:
    parents, childs = Job("commit-processing", 1, "a"), Job("commit-processing", 1, "a", outcome="retry")
    pipe = metrics_pipe.MetricsPipe(Pipe(parents))
    pipe.add(metrics.COMMITS, 5, {})
    pipe.add(metrics.COMMITS, 6, {})
    pipe.add(metrics.GITHUB_REQUESTS, 1, {"kind": "window", "outcome": "done"})
    pipe.send_outcome(childs)
    found = samples(counted.page())
    assert value(found, "podium_commits_counted_total") == 11
    assert value(found, "podium_github_requests_total", kind="window", outcome="done") == 1
    assert parents.outcome == "retry"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\n",
        b"nonsense\n",
        b"[]\n",
        b"7\n",
        b'{"metric": "no_such", "value": 1, "labels": {}}',
        b'{"metric": "podium_commits_counted_total"}',
        b'{"metric": "podium_commits_counted_total", "value": "many", "labels": {}}',
        b'{"metric": "podium_commits_counted_total", "value": -3, "labels": {}}',
        b'{"metric": "podium_jobs_total", "value": 1, "labels": {"queue": "q"}}',
        b'{"metric": ["podium_jobs_total"]}',
        b'{"outcome": 7}',
    ],
)
def test_other_output_of_a_child_is_ignored(line: bytes, counted: Prometheus) -> None:
    before = {name: of for name, of in samples(counted.page()).items() if name[0].startswith("podium")}
    job = Job("commit-processing", 1, "a")
    metrics_pipe.receive(line, job)
    assert {name: of for name, of in samples(counted.page()).items() if name[0].startswith("podium")} == before
    assert job.outcome == "done"


def test_a_parent_that_has_ended_raises_no_error_in_its_child() -> None:
    class Gone:
        def write(self, line: bytes) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise AssertionError

    metrics_pipe.MetricsPipe(Gone()).add(metrics.COMMITS, 5, {})


# Jobs


def test_a_job_in_the_overflow_slot_is_counted_again_at_its_end(
    counted: Prometheus, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "_POLL_MILLISECONDS", 20)
    caplog.set_level(logging.INFO)
    go_on, backend = threading.Event(), MemoryBackend()

    def on_commits(_: int, _running: RunningJob) -> None:
        assert go_on.wait(30)
        note_outcome("retry")

    def jobs(outcome: str) -> float:
        return value(samples(counted.page()), "podium_jobs_total", queue=COMMIT_QUEUE, outcome=outcome)

    engine = JobQueues(
        backend, on_commits, lambda *_: None, commit_threads=1, user_threads=1, overflow=OverflowSlots(0.02)
    )
    engine.start()
    try:
        engine.enqueue_commits(7)
        wait_until(lambda: jobs("overflow") == 1, "the message to be acknowledged")
        assert not engine.is_idle()
        go_on.set()
        wait_until(lambda: jobs("retry") == 1, "the job to end")
        wait_until(engine.is_idle, "nothing to be in hand")
    finally:
        go_on.set()
        engine.stop()
    assert jobs("done") == 0


# GitHub


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        (Done(), "done"),
        (RetryAfter(1, ""), "fault"),
        (Halve(""), "too_much"),
        (DelayUntil(0, "primary", ""), "limited_primary"),
        (DelayUntil(0, "secondary", ""), "limited_secondary"),
        (BadToken(""), "bad_token"),
        (Gone(""), "gone"),
        (Moved(""), "moved"),
        (GiveUp("sso", ""), "refused_sso"),
    ],
)
def test_the_outcome_of_a_request_is_one_word(action: Action, outcome: str) -> None:
    assert outcome_label(action) == outcome


def test_requests_to_github_are_counted_by_kind_and_outcome(counted: Prometheus) -> None:
    script = Script([None, "500", None])
    with GitHubDouble({}, script=script) as double, GitHub(double.api_url, double.graphql_url) as client:
        asking = GitHubSession(client, TokenPool([ANONYMOUS], MemoryBudgetStore()), threading.Event(), max_faults=5)
        for _ in range(2):
            asking.ask(RepositoryRequest("/repos/o/r"))
        asking.ask(WindowRequest("/repos/o/r", "0" * 40))
    found = samples(counted.page())
    assert value(found, "podium_github_requests_total", kind="repository", outcome="gone") == 1
    assert value(found, "podium_github_requests_total", kind="repository", outcome="fault") == 1
    assert value(found, "podium_github_requests_total", kind="window", outcome="gone") == 1


# Of the whole installation


def test_an_overview_is_cached_for_twenty_times_as_long_as_it_took() -> None:
    now = [100.0]
    reads: list[float] = []

    def read() -> Overview:
        reads.append(now[0])
        now[0] += 2.0
        raise StorageError("away")

    gauges = Gauges(read, clock=lambda: now[0])
    assert [gauge.name for gauge in gauges()] == ["podium_up"]
    now[0] += 39.0
    gauges()
    assert len(reads) == 1
    now[0] += 2.0
    gauges()
    assert len(reads) == 2


def test_the_gauges_are_those_of_the_database(db: Database) -> None:
    for number in range(3):
        add_repository(db, key=f"github.com/o/{number}")
    add_repository(db, key="github.com/o/done", state="completed")
    found = samples(Prometheus(Gauges(Inspector(db).overview)).page())
    assert value(found, "podium_up") == 1
    # There is no worker.
    assert value(found, "podium_counting_stopped") == 1
    assert value(found, "podium_repositories", state="pending") == 3
    assert value(found, "podium_repositories", state="completed") == 1
    assert ("podium_repositories", frozenset({("state", "failed")})) in found
    assert value(found, "podium_oldest_repository_seconds", state="pending") >= 0


def test_refused_transactions_are_counted_by_reason(db: Database, counted: Prometheus) -> None:
    for _ in range(2):
        with pytest.raises(StorageError), db.write() as session:
            session.run("SELECT * FROM no_such_table")
    kind = "SQLITE_ERROR" if isinstance(db, SqliteDatabase) else "UndefinedTable"
    assert value(samples(counted.page()), "podium_database_errors_total", kind=kind) == 2


def test_no_label_names_a_repository_or_a_person() -> None:
    allowed = {"queue", "outcome", "api", "kind", "method", "route", "status"}
    metric: Metric
    for metric in metrics.ALL.values():
        assert set(metric.labels) <= allowed


# The page, and who may read it


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHost]:
    (tmp_path / "repositories" / "o").mkdir(parents=True)
    synthetic.build(tmp_path / "repositories" / "o" / "r.git", COMMITS, 70)
    with serve_repositories(tmp_path / "repositories") as host:
        yield host


def page(server: Server) -> Samples:
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/metrics", headers=ADMIN)
    with urllib.request.urlopen(request, timeout=30) as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return samples(response.read())


def test_a_servers_metrics_include_its_children(tmp_path: Path, host: GitHost) -> None:
    settings = {"PODIUM_GIT_HOSTS": host.url, "PODIUM_DISK_RESERVE_BYTES": "1M"}
    with serving(Podium(tmp_path / "data"), settings) as server:
        server.submit(f"{host.url}/o/r.git")
        server.submit(f"{host.url}/o/gone.git")
        server.wait_for(f"{host.url}/o/r.git", "completed")
        server.wait_for(f"{host.url}/o/gone.git", "failed")

        def all_told() -> Samples | None:
            found = page(server)
            ended = {
                outcome: value(found, "podium_jobs_total", queue="commit-processing", outcome=outcome)
                for outcome in ("done", "failed")
            }
            return found if ended == {"done": 1, "failed": 1} else None

        found = wait_until(all_told, "both jobs to be counted")
        assert value(found, "podium_commits_counted_total") == COMMITS
        assert value(found, "podium_commits_counting_seconds_total") > 0
        assert value(found, "podium_job_seconds_count", queue="commit-processing") == 2
        assert value(found, "podium_jobs_total", queue="user-processing", outcome="done") >= 1
        assert value(found, "podium_http_requests_total", method="POST", route="/leaderboard", status="202") == 2
        assert ("podium_queue_messages", frozenset({("queue", "user-processing"), ("kind", "waiting")})) in found
        names = {name for name, _ in found}
        assert {
            "podium_workers_alive",
            "podium_build_info",
            "process_open_fds",
            "podium_github_limits_in_force",
        } <= names
        # A path that nobody foresaw is no label of its own.
        server.ask("/no/such/path")
        routes = {dict(labels).get("route") for name, labels in page(server) if name == "podium_http_requests_total"}
        assert "other" in routes
        assert "/no/such/path" not in routes


def test_a_killed_counting_process_is_counted_as_crashed(tmp_path: Path, host: GitHost) -> None:
    settings = {
        "PODIUM_GIT_HOSTS": host.url,
        "PODIUM_DISK_RESERVE_BYTES": "1M",
        "PODIUM_MAX_CRASHES": "1",
        "PODIUM_LEASE_SECONDS": "1",
    }
    host.faults.append(Fault("stall"))
    with serving(Podium(tmp_path / "data"), settings) as server:
        server.submit(f"{host.url}/o/r.git")
        host.wait_for_request("r.git")
        (child,) = wait_until(lambda: counting_processes(server.process.pid), "the counting process")
        os.kill(child, signal.SIGKILL)
        wait_until(
            lambda: value(page(server), "podium_jobs_total", queue="commit-processing", outcome="crashed") == 1,
            "the death to be counted",
        )


@pytest.mark.parametrize("loopback", [True, False])
@pytest.mark.parametrize(
    ("admin", "scrape", "token", "status"),
    [
        ("", "", None, 403),
        ("", "", "wrong", 403),
        ("admin", "", None, 401),
        ("admin", "", "wrong", 401),
        ("admin", "", "admin", 200),
        ("admin", "scrape", "scrape", 200),
        ("admin", "scrape", "admin", 200),
        ("admin", "scrape", "wrong", 401),
        ("", "scrape", "scrape", 200),
        ("", "scrape", None, 401),
    ],
)
def test_who_may_read_the_metrics(
    tmp_path: Path, admin: str, scrape: str, token: str | None, status: int, loopback: bool
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with open_site(tmp_path, loopback=loopback, admin_token=admin, metrics_token=scrape) as site:
        host = "localhost:3000" if loopback else "192.0.2.7"
        assert site.client(host=host).get("/metrics", headers=headers).status_code == status


def test_the_metrics_token_gives_access_to_nothing_else(tmp_path: Path) -> None:
    headers = {"Authorization": "Bearer scrape"}
    with open_site(tmp_path, loopback=False, admin_token="admin", metrics_token="scrape") as site:
        client = site.client(host="192.0.2.7")
        assert client.get("/queues", headers=headers).status_code == 401
        assert client.post("/queues/retry", headers=headers).status_code == 401
        assert json.loads(client.post("/refresh", headers=headers).text)["code"] == "unauthorized"
