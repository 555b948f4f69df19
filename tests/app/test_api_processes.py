"""Several API processes as one server: what they need, what each may use, and how their counters are added up."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.app.processes.api_process import share_of
from podium.app.processes.api_supervisor import check_shared
from podium.errors import BadSetting
from podium.settings import Settings
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.telemetry import metrics, metrics_pipe
from podium.telemetry.batched_metrics import BatchedMetrics
from podium.telemetry.metrics_pipe import MetricsPipe
from podium.telemetry.prometheus import Prometheus
from tests.support.cli import ADMIN
from tests.support.distributed import arranged
from tests.support.postgres import Postgres
from tests.support.processes import children
from tests.support.server import wait_until
from tests.support.valkey import Valkey
from tests.support.web import Site

_SHARED = {"database_url": "postgresql://u@h/d", "redis_url": "redis://h"}


@pytest.mark.parametrize("missing", ["database_url", "redis_url"])
def test_processes_need_postgresql_and_redis(missing: str) -> None:
    with pytest.raises(BadSetting, match="needs PostgreSQL and Redis"):
        check_shared(Settings(**{**_SHARED, missing: ""}), workers=False)  # type: ignore[arg-type]


def test_workers_run_beside_several_processes() -> None:
    check_shared(Settings(**_SHARED), workers=False)  # type: ignore[arg-type]
    with pytest.raises(BadSetting, match="podium worker all"):
        check_shared(Settings(**_SHARED), workers=True)  # type: ignore[arg-type]


def test_all_processes_together_keep_the_bounds_of_one() -> None:
    whole = Settings(read_budget=1000, board_cache_bytes=100, max_connections=7, live_connections_per_client=1)
    share = share_of(whole, 2)
    assert (share.read_budget, share.board_cache_bytes) == (500, 50)
    assert (share.max_connections, share.live_connections_per_client) == (4, 1)
    assert share_of(Settings(read_budget=0), 4).read_budget == 0


def test_the_parent_adds_up_what_its_processes_count() -> None:
    total = Prometheus(None)
    metrics.install(total)
    try:
        for _ in range(2):
            output = io.BytesIO()
            batched = BatchedMetrics(MetricsPipe(output))
            for number in range(2500):
                batched.add(metrics.HTTP_REQUESTS, 1, {"method": "GET", "route": "/", "status": "200"})
                batched.add(metrics.HTTP_SECONDS, 0.002 if number % 2 else 5.0, {"route": "/"})
            assert output.getvalue() == b""
            batched.flush()
            lines = output.getvalue().splitlines(keepends=True)
            assert len(lines) == 4
            for line in lines:
                metrics_pipe.receive(line, None)
    finally:
        metrics.install(None)
    page = total.page().decode()
    assert 'podium_http_requests_total{method="GET",route="/",status="200"} 5000.0' in page
    assert 'podium_http_request_seconds_count{route="/"} 5000.0' in page
    assert 'podium_http_request_seconds_bucket{le="0.005",route="/"} 2500.0' in page
    # The parent's page has the facts of all processes.
    assert "process_cpu_seconds_total" in page


@pytest.mark.long
def test_two_processes_share_a_port_and_a_dead_one_is_replaced(
    tmp_path: Path, postgres: Postgres, valkey: Valkey
) -> None:
    with (
        arranged(tmp_path, postgres, valkey, PODIUM_METRICS_TOKEN="m" * 32) as arrangement,
        arrangement.api(arguments=("--processes", "2")) as server,
    ):
        both = wait_until(lambda: len(children(server.process.pid)) == 2 and children(server.process.pid), "two")

        def requests() -> float:
            request = urllib.request.Request(
                f"http://127.0.0.1:{server.port}/metrics", headers={"Authorization": "Bearer " + "m" * 32}
            )
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as response:
                lines = response.read().decode().splitlines()
            return sum(float(line.split()[-1]) for line in lines if 'total{method="GET",route="/version"' in line)

        for _ in range(10):
            assert server.ask("/version").status == 200
        # The other process sends what it has counted within a second.
        wait_until(lambda: requests() == 10, "all requests to be counted")
        os.kill(both[0], signal.SIGKILL)
        for _ in range(5):
            assert server.ask("/version").status == 200
        wait_until(
            lambda: len(children(server.process.pid)) == 2 and both[0] not in children(server.process.pid), "two"
        )
        wait_until(lambda: requests() == 15, "no request to be forgotten")


@contextlib.contextmanager
def connected_to(process: int, others: list[int], port: int) -> Iterator[http.client.HTTPConnection]:
    """A connection that ``process`` accepted, because the others were stopped meanwhile."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        for other in others:
            os.kill(other, signal.SIGSTOP)
        try:
            assert ask(connection, "/version")[0] == 200
        finally:
            for other in others:
                os.kill(other, signal.SIGCONT)
        # A closed one would be opened again, to any process.
        connection.auto_open = 0
        yield connection


def ask(connection: http.client.HTTPConnection, path: str, method: str = "GET", **headers: str) -> tuple[int, Any]:
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    return answer.status, json.loads(body) if body else None


@pytest.mark.long
def test_what_one_process_changes_shows_in_the_others(tmp_path: Path, postgres: Postgres, valkey: Valkey) -> None:
    with contextlib.ExitStack() as stack:
        arrangement = stack.enter_context(arranged(tmp_path, postgres, valkey))
        db = stack.enter_context(contextlib.closing(PostgresDatabase(arrangement.settings["DATABASE_URL"], most=1)))
        site = Site(tmp_path, db, loopback=True)
        hidden, forgotten = site.repository("octo/hidden"), site.repository("octo/forgotten")
        for number in (hidden, forgotten):
            site.person(number, "Ada", "ada@example.org", 3)
        with db.write() as session:
            # The rows above have numbers of their own.
            session.value("SELECT setval(pg_get_serial_sequence('repository', 'id'), 1000)")
        server = stack.enter_context(arrangement.api(arguments=("--processes", "2"), PODIUM_READ_BUDGET="0"))
        both = wait_until(lambda: len(children(server.process.pid)) == 2 and children(server.process.pid), "two")
        one, two = (
            stack.enter_context(connected_to(process, [other for other in both if other != process], server.port))
            for process in both
        )

        def listed(connection: http.client.HTTPConnection) -> set[str]:
            return {row["url"].rpartition("/")[2] for row in ask(connection, "/repositories")[1]}

        def board(connection: http.client.HTTPConnection, name: str) -> int:
            return ask(connection, f"/leaderboard?repoUrl=octo/{name}")[0]

        for connection in (one, two):
            assert {board(connection, name) for name in ("hidden", "forgotten")} == {200}
            assert listed(connection) == {"hidden", "forgotten"}

        def changes(connection: http.client.HTTPConnection, name: str, status: int, *, lists: bool) -> None:
            def shown() -> bool:
                return board(connection, name) == status and (name in listed(connection)) == lists

            wait_until(shown, f"the change of {name} to show")

        assert ask(one, "/leaderboard?repoUrl=octo/new", "POST")[0] == 202
        changes(two, "new", 202, lists=True)
        # As a worker hides what its host made private.
        site.change(hidden, hidden_at=1.0)
        for connection in (one, two):
            changes(connection, "hidden", 404, lists=False)
        assert ask(two, f"/repositories/{forgotten}", "DELETE", **ADMIN)[0] == 204
        changes(one, "forgotten", 404, lists=False)
