"""Thousands of people are looked up with few requests and correct results, under any of GitHub's faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.storage.session import Database
from tests.support.community import Community, build, gather
from tests.support.github_double import GitHubDouble
from tests.support.github_script import PASSING, REFUSALS, Script
from tests.support.resolving import desk


@pytest.fixture(scope="module", params=[500, pytest.param(6_500, marks=pytest.mark.long)])
def community(request: pytest.FixtureRequest) -> Community:
    """People of every kind; the many of `make long` have more than 5,000 e-mails."""
    size: int = request.param
    return gather(size)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, community: Community) -> Path:
    folder = tmp_path_factory.mktemp("community") / "r.git"
    build(folder, community)
    assert len(community.emails) > 500
    return folder


def needing_a_request(community: Community) -> int:
    return sum("noreply" not in email for email in community.emails)


def test_every_row_matches_the_accounts_with_one_request_for_fifty_emails(
    db: Database, folder: Path, community: Community
) -> None:
    expected = community.rows()
    with GitHubDouble({"o/r": folder}, community.accounts) as double, desk(db, double) as podium:
        number = podium.count(folder)
        before = podium.rows(number)
        assert before.keys() >= set(community.emails[:1])
        assert sum(before.values()) == expected.total()
        row = podium.resolve(number)
        assert (row.state, row.unresolved_reason) == ("completed", None)
        assert podium.rows(number) == dict(expected)
        needed = -(-needing_a_request(community) // 50)
        assert double.asked() <= needed + 1
        board = podium.board(number)
        assert board["unresolved"] == sum(not p.account for p in community.people)
        with db.read() as session:
            summed = session.value("SELECT SUM(commit_count + merge_count) FROM repository_contributor")
        assert summed == sum(
            community.authored[email] for person in community.people if person.account for email in person.emails
        )

        # The same people in another repository, and the same repository again, need no request.
        asked = double.asked()
        other = podium.count(folder, "o/other")
        assert podium.resolve(other).state == "completed"
        assert podium.rows(other) == dict(expected)
        assert podium.count(folder) == number
        assert podium.resolve(number).state == "completed"
        assert not podium.again(number)
        assert double.asked() == asked


def test_totals_stay_the_same_while_accounts_arrive(db: Database, tmp_path: Path) -> None:
    community, folder = gather(200), tmp_path / "r.git"
    build(folder, community, extra=50)
    total = community.rows().total()
    with GitHubDouble({"o/r": folder}, community.accounts) as double, desk(db, double) as podium:
        number = podium.count(folder)
        generation = podium.row(number).generation
        for batch in range(3):
            podium.users.run(number, generation, batch, podium.stop)
            assert sum(podium.rows(number).values()) == total
            assert podium.board(number)["isPartial"]


def test_the_board_is_the_same_under_all_faults_and_limits(db: Database, folder: Path, community: Community) -> None:
    """The double fails the test for a request beyond a limit, or while one is in force."""
    # Refusals too, but never the same one three times in a row, which would confirm it.
    emails = len(community.emails)
    limit = emails // 65
    script = Script(probability=0.4, seed=7, among=(*PASSING, *REFUSALS), apart=12)
    # On a busy machine each of the four workers may ask a second time before the one that was refused has noted it.
    workers = 8
    with (
        GitHubDouble(
            {"o/r": folder}, community.accounts, script=script, limit=limit, window=4, hang=1, workers=workers
        ) as double,
        desk(db, double, timeout=0.5, speedup=50) as podium,
    ):
        number = podium.count(folder)
        row = podium.resolve(number)
        assert (row.state, row.unresolved_reason, row.attempts) == ("completed", None, 0)
        assert podium.rows(number) == dict(community.rows())
        assert len({seen.fault for seen in double.seen} - {None}) > (20 if emails > 5_000 else 8)
        assert double.asked() > 2 * limit
        assert podium.waits
