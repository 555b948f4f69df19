"""Workers that are stopped while GitHub is slow end in time, and others continue their work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.jobs.messages.queues import USERS
from tests.support.community import build, gather
from tests.support.distributed import Arrangement, arranged
from tests.support.githttp import GitHost, serve_repositories
from tests.support.github_double import GitHubDouble
from tests.support.postgres import Postgres
from tests.support.server import wait_until
from tests.support.valkey import Valkey


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHost]:
    (tmp_path / "repositories" / "o").mkdir(parents=True)
    for number in (1, 2):
        build(tmp_path / "repositories" / "o" / f"r{number}", gather(30, first=number * 100))
    with serve_repositories(tmp_path / "repositories") as host:
        yield host


@pytest.fixture
def github(host: GitHost) -> Iterator[GitHubDouble]:
    with GitHubDouble({name: host.folder / name for name in ("o/r1", "o/r2")}) as github:
        yield github


@pytest.fixture
def arrangement(
    tmp_path: Path, postgres: Postgres, valkey: Valkey, host: GitHost, github: GitHubDouble
) -> Iterator[Arrangement]:
    settings = {
        "GITHUB_SERVER_URL": host.url,
        "GITHUB_API_URL": github.api_url,
        "GITHUB_GRAPHQL_URL": github.graphql_url,
        "GITHUB_TOKEN": "token-of-a-test",
        "NO_PROXY": "127.0.0.1",
    }
    with arranged(tmp_path, postgres, valkey, **settings) as arrangement:
        yield arrangement


def test_a_batch_that_waits_for_github_is_released(
    arrangement: Arrangement, host: GitHost, github: GitHubDouble, postgres: Postgres
) -> None:
    with arrangement.api() as server:
        first = arrangement.worker("all")
        server.submit(f"{host.url}/o/r1")
        server.wait_for(f"{host.url}/o/r1", "completed")
        asked, github.latency = github.asked(), 60.0
        server.submit(f"{host.url}/o/r2")
        wait_until(lambda: github.asked() > asked, "GitHub to be asked")
        first.terminate()
        assert first.wait(10) == 0
        # No claim and no taken message is left that would have to expire first.
        database = arrangement.settings["DATABASE_URL"].rpartition("/")[2]
        claims = "SELECT count(DISTINCT batch), count(claim_token) FROM commit_data WHERE NOT processed"
        assert postgres.ask(claims, database) == [(1, 0)]
        assert server.ask("/queues").body["queues"][USERS]["waiting"] == 1
        github.latency = 0.0
        arrangement.worker("users")
        server.wait_for(f"{host.url}/o/r2", "completed")
    assert "Traceback" not in arrangement.said()
