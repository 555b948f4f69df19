"""What waits in all is limited; boards that exist are served and refreshed all the same."""

from __future__ import annotations

import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from podium.errors import QueueFull
from podium.jobs.messages.queues import NullQueues
from podium.repositories.address import parse_address
from podium.repositories.store.queue.due_work import waiting
from podium.storage.session import Database
from podium.submissions.capacity import UNKNOWN_SIZE, Capacity
from podium.submissions.submit import submit
from tests.support.web import is_problem, open_site


def test_beyond_the_capacity_only_new_repositories_are_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_site(tmp_path, loopback=False, show_emails=False, max_waiting=3) as site:
        site.repository("octo/fresh")
        site.repository("octo/stale", last_processed_at=0)
        site.repository("octo/failed", state="failed", error="No.")
        client = site.client("192.0.2.1")
        for n in range(3):
            assert client.post(f"/leaderboard?repoUrl=octo/r{n}").status_code == 202
        enqueued = list(site.queues.enqueued)

        refused = client.post("/leaderboard?repoUrl=octo/new")
        assert is_problem(refused, 503, "Too many repositories wait")
        assert (refused.json()["code"], refused.headers["retry-after"]) == ("queue-full", "60")
        form = client.post("/submit", data={"repoUrl": "octo/new"})
        assert (form.status_code, form.headers["retry-after"]) == (503, "60")
        assert "Too many repositories wait" in form.text
        assert site.queues.enqueued == enqueued
        assert client.get("/leaderboard?repoUrl=octo/new").status_code == 404
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

        assert client.post("/leaderboard?repoUrl=octo/r0").status_code == 202
        assert client.post("/leaderboard?repoUrl=octo/fresh").status_code == 200
        stale = client.post("/leaderboard?repoUrl=octo/stale")
        assert (stale.status_code, stale.json()["refreshing"]) == (200, True)
        assert client.get("/leaderboard?repoUrl=octo/stale").status_code == 200


def test_a_retry_needs_room_too(tmp_path: Path) -> None:
    with open_site(tmp_path, max_waiting=1, admin_token="a-token-of-16-characters") as site:
        failed = site.repository("octo/failed", state="failed", error="No.")
        waits = site.repository("octo/waits", state="pending")
        headers = {"authorization": "Bearer a-token-of-16-characters"}
        path = "/repositories/retry?repoUrl=octo/failed"
        assert is_problem(site.client().post(path, headers=headers), 503, "Too many repositories wait")
        assert site.client().get(f"/repositories/{failed}").json()["state"] == "failed"
        site.change(waits, state="completed")
        assert site.client().post(path, headers=headers).status_code == 202


def test_large_clones_fill_the_capacity_sooner(tmp_path: Path) -> None:
    with open_site(tmp_path, max_waiting_bytes=10**9) as site:
        large = site.repository("octo/large", clone_bytes=95 * 10**7, state="pending")
        assert is_problem(site.client().post("/leaderboard?repoUrl=octo/new"), 503, "wait")
        site.change(large, state="completed")
        codes = [site.client().post(f"/leaderboard?repoUrl=octo/r{n}").status_code for n in range(12)]
        assert codes == [202] * (10**9 // UNKNOWN_SIZE) + [503, 503]


def test_submissions_at_the_same_moment_do_not_exceed_the_capacity(db: Database) -> None:
    def one(n: int) -> None:
        with contextlib.suppress(QueueFull):
            address = parse_address(f"o/r{n}")
            submit(db, NullQueues(), address, refresh_after=0, client_id=str(n), capacity=Capacity(5, 0))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(20)))
    with db.read() as session:
        assert waiting(session, unknown_size=7) == (5, 35)


def test_there_may_be_no_limit(db: Database) -> None:
    for n in range(3):
        submit(db, NullQueues(), parse_address(f"o/r{n}"), refresh_after=0, capacity=Capacity(0, 0))
    with db.read() as session:
        assert waiting(session, unknown_size=0) == (3, 0)
