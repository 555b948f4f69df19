"""Boards that were completed while GitHub refused the tokens fill by themselves once it accepts one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from podium.accounts.github.token_check import GitHubState, TokenCheck
from podium.accounts.unresolved_boards import AT_ONCE, UnresolvedBoards
from podium.app import factories
from podium.app.worker_tasks import reopen
from podium.jobs.messages.queues import NullQueues
from podium.repositories.store.queue import unresolved
from podium.repositories.store.queue.unresolved import UnresolvedCode, WhyUnresolved
from podium.storage.session import Database
from tests.support.github_double import GitHubDouble
from tests.support.github_history import Accounts, KnownAccount
from tests.support.github_repository import build, together
from tests.support.resolving import TOKEN, Desk, desk
from tests.support.rows import add_repository

WORKS = GitHubState(answers=True, has_token=True)


def accounts() -> Accounts:
    known = Accounts()
    known.add(KnownAccount(1, "ada", "Ada"), "ada@x.org")
    known.add(KnownAccount(2, "bob"), "bob@x.org")
    return known


class Check:
    """The check of a desk's tokens, some seconds later than now."""

    def __init__(self, podium: Desk) -> None:
        self.later = 0.0
        self._check = TokenCheck(podium.github, *podium.pools, podium.stop, sleep=lambda _: None)

    def __call__(self, is_needed: bool) -> GitHubState:
        return self._check.run(time.time() + self.later, is_needed=is_needed)


def boards_of(podium: Desk, check: Check) -> UnresolvedBoards:
    stale = factories.stale_rows(podium.settings)
    return UnresolvedBoards(
        podium.db,
        check,
        lambda number: reopen(podium.db, NullQueues(), stale, number),
        has_tokens=podium.pools[0] is not None,
    )


def test_a_board_fills_once_github_accepts_the_token_again(db: Database, tmp_path: Path) -> None:
    build(tmp_path / "r.git", [("ada@x.org", together("bob@x.org"))])
    with (
        GitHubDouble({"o/r": tmp_path / "r.git"}, accounts(), tokens=()) as double,
        desk(db, double) as podium,
    ):
        number = podium.count(tmp_path / "r.git")
        # Without a token GitHub names authors, not co-authors.
        assert podium.resolve(number).unresolved_reason
        assert podium.rows(number) == {"@ada": 1, "bob@x.org": 1}
        check = Check(podium)
        boards = boards_of(podium, check)
        asked = len(double.seen)
        assert boards.run() == 0
        assert len(double.seen) == asked, "a refused token is not asked with before its time"
        check.later = 121.0
        assert boards.run() == 0
        assert len(double.seen) == asked + 1
        double.tokens.add(TOKEN)
        check.later = 121.0 + 241.0
        assert boards.run() == 1
        row = podium.resolve(number)
        assert (row.state, row.unresolved_reason) == ("completed", None)
        assert podium.rows(number) == {"@ada": 1, "@bob": 1}
        assert boards.run() == 0


def test_a_board_without_token_fills_once_the_operator_sets_one(db: Database, tmp_path: Path) -> None:
    build(tmp_path / "r.git", [("ada@x.org", together("bob@x.org"))])
    with GitHubDouble({"o/r": tmp_path / "r.git"}, accounts()) as double:
        with desk(db, double, tokens=()) as podium:
            number = podium.count(tmp_path / "r.git")
            assert podium.resolve(number).unresolved_reason
            assert boards_of(podium, Check(podium)).run() == 0
        with desk(db, double) as podium:
            assert boards_of(podium, Check(podium)).run() == 1
            assert podium.resolve(number).unresolved_reason is None
            assert podium.rows(number) == {"@ada": 1, "@bob": 1}


def test_a_revoked_token_is_found_without_any_work(sqlite: Database) -> None:
    with GitHubDouble({}, Accounts(), tokens=(TOKEN,)) as double, desk(sqlite, double) as podium:
        check = Check(podium)
        assert check(False) == WORKS
        assert check(False) == WORKS
        assert len(double.seen) == 1
        double.tokens.clear()
        check.later = 301.0
        assert check(False) == GitHubState(answers=True, has_token=False)
        assert podium.pools[0] is not None
        assert podium.pools[0].health(time.time())[0].refused_since is not None


def test_without_a_token_nothing_is_asked_while_no_board_waits(sqlite: Database) -> None:
    with GitHubDouble({}, Accounts()) as double, desk(sqlite, double, tokens=()) as podium:
        assert boards_of(podium, Check(podium)).run() == 0
        assert not double.seen


class Reopened(list[int]):
    def __call__(self, number: int) -> bool:
        self.append(number)
        return True


def complete(db: Database, code: UnresolvedCode | None, number: int, delay: float = 0.0) -> int:
    added = add_repository(db, f"github.com/o/r{number}", state="completed")
    with db.write() as session:
        unresolved.explain(session, added, "Why.", WhyUnresolved(code or "token", delay))
        if code is None:
            session.run(
                "UPDATE repository SET unresolved_code = NULL, accounts_again_at = NULL WHERE id = :id", id=added
            )
    return added


@pytest.mark.parametrize(
    ("github", "has_tokens", "reopened"),
    [
        (WORKS, True, {None, "token", "limit", "denied", "away", "more"}),
        (GitHubState(answers=True, has_token=False), True, set()),
        (GitHubState(answers=False, has_token=True), True, set()),
        (GitHubState(answers=False, has_token=False), False, set()),
    ],
)
def test_boards_are_looked_up_again_when_what_they_wait_for_is_there(
    db: Database, github: GitHubState, has_tokens: bool, reopened: set[str | None]
) -> None:
    # The first is of an earlier version.
    codes: tuple[UnresolvedCode | None, ...] = (None, "token", "limit", "denied", "away", "more", "final")
    numbers = {complete(db, code, number): code for number, code in enumerate(codes)}
    later = complete(db, "away", 100, delay=60.0)
    soon = complete(db, "limit", 101, delay=60.0)
    seen = Reopened()
    UnresolvedBoards(db, lambda _: github, seen, has_tokens=has_tokens).run()
    assert {numbers[number] for number in seen if number in numbers} == reopened
    assert later not in seen
    assert (soon in seen) == bool(reopened)


def test_a_pass_is_bounded_and_a_board_that_fails_again_waits_longer_each_time(db: Database) -> None:
    for number in range(AT_ONCE + 5):
        complete(db, "token", number)
    seen = Reopened()
    boards = UnresolvedBoards(db, lambda _: WORKS, seen, has_tokens=True)
    assert [boards.run() for _ in range(3)] == [AT_ONCE, 5, 0]
    assert len(set(seen)) == AT_ONCE + 5
    waits = []
    for _ in range(10):
        with db.write() as session:
            waits.append(session.value("SELECT accounts_again_at - {now} FROM repository WHERE id = :id", id=seen[0]))
            session.run("UPDATE repository SET accounts_again_at = {now} WHERE id = :id", id=seen[0])
        assert boards.run() == 1
    assert [round(wait / 600) for wait in waits] == [1, 2, 4, 8, 16, 32, 64, 128, 144, 144]
    # New repositories come first.
    for number in range(AT_ONCE):
        add_repository(db, f"github.com/o/new{number}", state="users_processing")
    complete(db, "token", 1000)
    assert boards.run() == 0


def test_a_board_with_nothing_left_to_look_up_waits_no_longer(db: Database) -> None:
    complete(db, "token", 1)
    boards = UnresolvedBoards(db, lambda _: WORKS, lambda _: False, has_tokens=True)
    assert boards.run() == 0
    with db.read() as session:
        assert unresolved.waiting(session) == 0
