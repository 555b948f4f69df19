"""The commit log in memory: segments put together, windows, and what a board of it takes."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from podium.errors import BadCommitLog
from podium.leaderboard.board_data import keep_on
from podium.leaderboard.board_size import COMMIT, NAMED, PERSON, board_size
from podium.leaderboard.counts.commit_log import EVER, CommitLog, read_log, read_roles
from podium.leaderboard.rules import Rules
from podium.repositories.store import queries
from podium.storage.commit_log.segment import Segment
from podium.storage.session import Database
from podium.timeutil import DAY
from tests.support.boards import Counted, at
from tests.support.commit_logs import Commit, segment_of
from tests.support.growth import growth
from tests.support.memory_boards import MemoryBoard, people_of
from tests.support.rows import some_repository

MONDAY = at("2024-01-08")


def log_of(*segments: Sequence[Commit], counted_at: int = at("2024-05-01")) -> CommitLog:
    return MemoryBoard([0, 0, 0], ["human"], segments, counted_at).under(Rules()).log


def test_segments_of_several_counts_are_one_log() -> None:
    dice = random.Random(7)
    commits = [
        Commit(dice.randrange(3), MONDAY + dice.randrange(100), dice.random() < 0.3, tuple(dice.sample(range(3), 2)))
        for _ in range(60)
    ]
    whole = log_of(commits)
    assert log_of(commits[40:], commits[:10], [], commits[10:40]) == whole
    for person in range(3):
        for is_merge in (False, True):
            mine = sorted(c.when for c in commits if c.author == person and c.is_merge is is_merge)
            assert list(whole.within(person, is_merge, EVER)) == mine
            window = MONDAY + 20, MONDAY + 60
            assert list(whole.within(person, is_merge, window)) == [when for when in mine if 20 <= when - MONDAY < 60]
    # One author, one set and one kind of commit are one entry.
    assert len(whole.named.sets) == len({(c.author, c.is_merge, frozenset(c.named)) for c in commits})


def test_odd_dates_are_outside_of_every_window() -> None:
    counted_at = at("2024-05-01")
    odd = (-(2**63), DAY - 1, counted_at + DAY + 1, 2**63 - 1)
    log = log_of([Commit(0, when) for when in (*odd, DAY, counted_at + DAY)], counted_at=counted_at)
    assert (log.odd_dates, log.commits(EVER)[0]) == (4, 6)
    assert log.commits(log.window(Rules(since=-(2**62))))[0] == log.commits(log.window(Rules(until=2**62)))[0] == 2


def test_the_commits_nearest_to_a_window_are_ordinary_ones_of_anyone() -> None:
    dice = random.Random(22)
    ordinary = range(DAY, MONDAY + DAY + 1)
    for _ in range(40):
        dates = [MONDAY + dice.randrange(-9, 9) for _ in range(dice.randrange(6))]
        dates += dice.choices((0, DAY - 1, 2**40), k=3)
        log = log_of([Commit(dice.randrange(3), date, dice.random() < 0.3) for date in dates], counted_at=MONDAY)
        since = MONDAY + dice.randrange(-12, 12)
        until = since + dice.randrange(5)
        fine = [date for date in dates if date in ordinary]
        assert log.around((since, until)) == (
            max((date for date in fine if date < since), default=None),
            min((date for date in fine if date >= until), default=None),
        )


def test_a_log_of_other_people_is_damaged() -> None:
    board = MemoryBoard([0, 0], ["human"], [[Commit(0, MONDAY)]], MONDAY)
    people, repository = people_of(board), some_repository(total_commits=1, commits_processed_at=float(MONDAY))
    for commit in (
        Commit(5, MONDAY),
        Commit(1, MONDAY),
        Commit(0, MONDAY, named=(7,)),
        Commit(0, MONDAY, is_merge=True),
    ):
        with pytest.raises(BadCommitLog):
            read_log([segment_of([commit])], people, repository, keep_on)
    with pytest.raises(BadCommitLog):
        read_roles([segment_of([Commit(0, MONDAY, roles=((7, 1),))])], people, keep_on)


def test_reading_a_log_grows_with_it_whatever_it_names() -> None:
    """Each commit names another set of people, and each is in a segment of its own person."""

    def board(size: int) -> tuple[MemoryBoard, list[Segment]]:
        commits = [
            Commit(n % 200, MONDAY + n, named=(n % 199, n % 97, n % 89), roles=((n % 83, 3),)) for n in range(size)
        ]
        parts = [commits[start::64] for start in range(64)]
        return MemoryBoard(range(200), ["human"] * 200, [commits], MONDAY + 10**6), [segment_of(part) for part in parts]

    boards = {size: board(size) for size in (1_000, 2_000)}
    repositories = {n: some_repository(total_commits=n, commits_processed_at=1e10) for n in boards}
    people = {size: people_of(boards[size][0]) for size in boards}
    assert growth(lambda n: read_log(boards[n][1], people[n], repositories[n], keep_on), 1_000) < 3
    assert growth(lambda n: read_roles(boards[n][1], people[n], keep_on), 1_000) < 3


def test_a_board_is_estimated_by_people_commits_and_sets(db: Database) -> None:
    counted = Counted(db)

    def estimate() -> int:
        with db.read() as session:
            row = queries.by_id(session, counted.id)
            assert row is not None
            return board_size(session, row, 10**9).estimate

    counted.person("a@x", "A")
    counted.person("b@x", "B")
    before = estimate()
    assert before >= 2 * PERSON
    counted.commit("a@x", MONDAY, times=10)
    assert estimate() == before + 10 * COMMIT
    # A set has its length and its members.
    counted.commit("a@x", MONDAY, "b@x", roles={"a@x": ["reviewed"], "b@x": ["acked"]}, times=5)
    assert estimate() == before + 15 * COMMIT + (2 + 3) * NAMED
