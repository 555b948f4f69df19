"""Two answers about one repository at once, as of a hook and of the schedule: it ends as with one after the other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from podium.freshness.apply_answer import Applied, apply
from podium.freshness.host_answer import HostAnswer
from podium.storage.session import Database
from tests.freshness.test_apply_answer import NEW_HEAD, at, board, by_key, leads_to
from tests.support.rows import repository


def at_once(db: Database, *asked: tuple[int, HostAnswer]) -> list[Applied]:
    """Apply answers to questions that were asked before any of them arrived."""
    rows = {number: repository(db, number) for number, _ in asked}
    together = threading.Barrier(len(asked))

    def apply_one(each: tuple[int, HostAnswer]) -> Applied:
        number, answer = each
        together.wait(30)
        with db.write() as session:
            return apply(session, rows[number], answer, next_check_in=100.0)

    with ThreadPoolExecutor(len(asked)) as threads:
        return list(threads.map(apply_one, asked))


def test_a_rename_is_made_once(db: Database) -> None:
    number = board(db, "a/x", host_number="1")
    answer = HostAnswer("1", at("a/y"), NEW_HEAD, is_readable=True)
    applied = at_once(db, (number, answer), (number, answer))
    assert sum(each.is_renamed for each in applied) == sum(each.counts for each in applied) == 1
    assert leads_to(db, "github.com/a/x") == repository(db, number).key == "github.com/a/y"


def test_two_rows_of_one_repository_are_joined_to_one(db: Database) -> None:
    old, new = board(db, "a/x"), board(db, "a/y")
    answer = HostAnswer("1", at("a/y"), is_readable=True)
    at_once(db, (old, answer), (new, answer))
    row = by_key(db, "github.com/a/y")
    assert row is not None and (row.id, row.host_number) == (old, "1")
    assert by_key(db, "github.com/a/x") is None and leads_to(db, "github.com/a/x") == "github.com/a/y"


def test_a_name_is_taken_once_and_the_board_stays(db: Database) -> None:
    number = board(db, "a/x", host_number="1")
    answer = HostAnswer("2", at("a/x"), NEW_HEAD, is_readable=True)
    assert at_once(db, (number, answer), (number, answer)) == [Applied(number, is_taken=True)] * 2
    row = repository(db, number)
    assert row.name_taken_at and row.head != NEW_HEAD and row.host_number == "1"
