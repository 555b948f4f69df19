"""Branches and tags whose repository was never submitted: one of them is asked about for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from podium.storage.session import Database
from tests.support.fresh_podium import FreshPodium, fresh_podium
from tests.support.hosted import Hosted
from tests.support.repos import set_branch

DAY = 86_400.0
REVISIONS = ("dev", "next")


@pytest.fixture(params=["github", pytest.param("gitlab", marks=pytest.mark.long)])
def podium(request: pytest.FixtureRequest, tmp_path: Path, db: Database) -> Iterator[FreshPodium]:
    settings = {"refresh_every": DAY, "refresh_per_host": 3_600_000}
    with fresh_podium(tmp_path, db, kind=request.param, **settings) as running:
        yield running


def submitted(podium: FreshPodium, name: str = "o/r") -> Hosted:
    hosted = podium.host(name)
    assert hosted.head
    for revision in REVISIONS:
        set_branch(hosted.real.path, hosted.head, revision)
        podium.submit(name, revision)
    # Their branch is not the default branch.
    podium.commit(hosted, "bo")
    return hosted


def shown(podium: FreshPodium, name: str = "o/r") -> list[bool]:
    """Which boards readers see; nothing is read, because the schedule skips rows whose reads are being noted."""
    rows = [podium.row(f"{name}#{revision}") for revision in REVISIONS]
    return [row is not None and row.hidden_at is None for row in rows]


def check(podium: FreshPodium, pass_once: Callable[[], None], seconds: float = 1.2 * DAY) -> int:
    """Let a time pass and the schedule run; return about how many rows the host was asked."""
    podium.pass_time(seconds)
    pass_once()
    with podium.db.read() as session:
        asked: int = session.value("SELECT count(*) FROM repository WHERE checked_at > {now} - :some", some=seconds / 2)
    # What was checked gets its next time.
    pass_once()
    return asked


def test_they_are_hidden_and_shown_as_their_host_says(podium: FreshPodium) -> None:
    hosted = submitted(podium)
    with podium.schedule() as pass_once:
        pass_once()
        assert check(podium, pass_once) == 1
        assert shown(podium) == [True, True]
        hosted.is_private = True
        assert check(podium, pass_once) == 1
        assert shown(podium) == [True, True]
        assert check(podium, pass_once, 660) == 1
        assert shown(podium) == [False, False]
        hosted.is_private = False
        assert check(podium, pass_once) == 1
        assert shown(podium) == [True, True]
        # What the host says of its default branch counts none of them.
        rows = [podium.row(f"o/r#{revision}") for revision in REVISIONS]
        assert [row and (row.generation, row.total_commits) for row in rows] == [(1, 1), (1, 1)]


def test_they_move_with_their_repository(podium: FreshPodium) -> None:
    submitted(podium)
    with podium.schedule() as pass_once:
        pass_once()
        podium.hosting.rename("o/r", "p/s")
        check(podium, pass_once)
    assert (shown(podium), shown(podium, "p/s")) == ([False, False], [True, True])
    found = podium.client.get(
        "/leaderboard", params={"repoUrl": podium.address("o/r"), "rev": "dev"}, follow_redirects=True
    )
    assert found.status_code == 200
