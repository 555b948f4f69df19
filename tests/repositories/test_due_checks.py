"""When hosts are asked next: spread out, claimed by one process at a time, and never in vain."""

from __future__ import annotations

from collections import Counter

import pytest

from podium.repositories.model import State
from podium.repositories.store import transitions
from podium.repositories.store.freshness import due_checks
from podium.repositories.store.queue.due_work import give_turn, longest_scheduled, next_virtual_start, waiting
from podium.repositories.store.queue.leases import take_next
from podium.storage.session import Database, Session
from tests.support.rows import add_repository, repository

DAY = 86_400.0
HOUR = 3600.0


def boards(db: Database, number: int, **columns: object) -> list[int]:
    """Completed boards that were counted and read now, unless ``columns`` (SQL) say something else."""
    found = [add_repository(db, f"github.com/o/{place:05}", state="completed") for place in range(number)]
    change(db, *found, commits_processed_at="{now}", last_read_at="{now}", head=f"'{'a' * 40}'", **columns)
    return found


def change(db: Database, *ids: int, **columns: object) -> None:
    assignments = ", ".join(f"{name} = {value}" for name, value in columns.items())
    with db.write() as session:
        session.run(f"UPDATE repository SET {assignments} WHERE id IN ({', '.join(map(str, ids))})")


def enrol(db: Database, every: float = DAY) -> int:
    with db.write() as session:
        return due_checks.enrol(session, every=every)


def waits(db: Database, *ids: int) -> list[float]:
    """Seconds until each is checked."""
    some = ", ".join(map(str, ids))
    with db.read() as session:
        rows = session.tuples(f"SELECT check_at - {{now}} FROM repository WHERE id IN ({some}) ORDER BY id")
    return [wait for (wait,) in rows]


def test_a_thousand_boards_have_their_moments_all_over_the_interval(db: Database) -> None:
    """Also if all were counted long ago: the schedule is switched on, or the service was down."""
    found = boards(db, 400)
    change(db, *found, commits_processed_at=1.0)
    assert [enrol(db), enrol(db)] == [400, 0]
    by_hour = Counter(int(wait // HOUR) for wait in waits(db, *found))
    assert by_hour.keys() == set(range(24))
    assert max(by_hour.values()) <= 2 * min(by_hour.values())


def test_a_board_that_was_just_counted_is_not_checked_at_once(db: Database) -> None:
    found = boards(db, 100)
    enrol(db)
    assert DAY / 8 - 2 < min(waits(db, *found)) < max(waits(db, *found)) <= DAY * 9 / 8 + 2


@pytest.mark.parametrize(
    "columns",
    [
        {"last_read_at": "{now} - 31 * 86400"},
        {"last_read_at": "NULL", "created_at": "{now} - 31 * 86400"},
        {"hidden_at": "{now}"},
        {"name_taken_at": "{now}"},
        {"refresh_every": 0},
        {"state": "'pending'"},
        {"state": "'failed'", "error_code": "'too-large'"},
        {"host": "''"},
    ],
    ids=str,
)
def test_what_is_not_scheduled(db: Database, columns: dict[str, object]) -> None:
    [number] = boards(db, 1, **columns) if "last_read_at" not in columns else boards(db, 1)
    change(db, number, **columns)
    with db.read() as session:
        assert not due_checks.pending(session, every=DAY).is_unscheduled
    assert enrol(db) == 0


def test_a_repository_may_have_an_interval_of_its_own_where_there_is_none(db: Database) -> None:
    one, other = boards(db, 2)
    assert enrol(db, every=0.0) == 0
    change(db, one, refresh_every=HOUR)
    with db.read() as session:
        assert due_checks.pending(session, every=0.0).is_unscheduled
    assert enrol(db, every=0.0) == 1
    assert 0 < waits(db, one)[0] <= HOUR * 9 / 8 + 1
    assert repository(db, other).check_at is None


def test_an_empty_repository_is_asked_again(db: Database) -> None:
    boards(db, 1, state="'failed'", error_code="'empty'")
    assert enrol(db) == 1


def test_one_of_two_processes_takes_what_is_due(db: Database) -> None:
    found = boards(db, 3, check_at="{now} - 1")
    with db.write() as session:
        taken = due_checks.take_due(session, limit=2)
        rest = due_checks.take_due(session, limit=2)
        assert not due_checks.take_due(session, limit=2)
    assert sorted(row.id for row in taken + rest) == found
    # It dies: they are due again.
    assert all(200 < wait <= due_checks.CLAIMED for wait in waits(db, *found))


def test_an_unchanged_answer_writes_nothing_but_the_next_check(db: Database) -> None:
    [number] = boards(db, 1, check_at="{now} - 1")
    with db.write() as session:
        [taken] = due_checks.take_due(session, limit=9)
        assert taken.check_at is not None
        due_checks.settle_unchanged(session, {number: ("42", taken.check_at)}, every=DAY)
    after = repository(db, number)
    assert after.host_number == "42" and after.checked_at is not None and after.updated_at == taken.updated_at
    assert DAY / 8 < waits(db, number)[0] <= DAY * 9 / 8 + 1


def test_a_hook_during_a_check_makes_the_repository_due_again(db: Database) -> None:
    [number] = boards(db, 1, check_at="{now} - 1")
    with db.write() as session:
        [taken] = due_checks.take_due(session, limit=9)
    assert taken.check_at is not None
    change(db, number, check_at="{now} - 1")
    with db.write() as session:
        assert not due_checks.settle_unchanged(session, {number: (None, taken.check_at)}, every=DAY)
        assert not due_checks.skip(session, {number: taken.check_at}, every=DAY)
        assert not due_checks.postpone(session, {number: taken.check_at}, {number: 5.0})
    assert waits(db, number)[0] < 0


def test_what_waits_for_its_check_at_another_moment(db: Database) -> None:
    one, other = boards(db, 2, check_at="{now} - 1")
    with db.write() as session:
        first, second = due_checks.take_due(session, limit=9)
        assert first.check_at is not None and second.check_at is not None
        due_checks.postpone(session, {one: first.check_at}, {one: 17.5})
        due_checks.skip(session, {other: second.check_at}, every=DAY)
    assert 15 < waits(db, one)[0] <= 17.5
    assert waits(db, other)[0] > DAY / 8


def test_checks_of_one_host_are_taken_before_their_time(db: Database) -> None:
    near, far, *rest = boards(db, 4)
    change(db, near, check_at="{now} + 10000")
    change(db, far, check_at="{now} + 20000")
    change(db, *rest, check_at="{now} + 10000", host="'example.org'")
    with db.write() as session:
        assert not due_checks.take_early(session, "github.com", every=DAY, limit=9, without=[near])
        [taken] = due_checks.take_early(session, "github.com", every=DAY, limit=9, without=[])
        assert taken.id == near and taken.check_at is not None
        due_checks.settle_unchanged(session, {near: (None, taken.check_at)}, every=DAY)
    assert waits(db, near)[0] > DAY / 8


@pytest.mark.parametrize(
    ("whole", "first", "asked"),
    [
        ({}, {}, "whole"),
        ({"check_at": "{now} + 9999"}, {}, None),
        ({"check_at": "NULL", "refresh_every": 0}, {}, None),
        ({"check_at": "NULL"}, {}, "first"),
        ({"key": "'github.com/o/another'", "check_at": "NULL"}, {}, "first"),
        ({"key": "'github.com/o/another'", "check_at": "NULL"}, {"check_at": "NULL"}, "second"),
    ],
)
def test_one_row_is_checked_for_its_branches_and_tags(
    db: Database, whole: dict[str, object], first: dict[str, object], asked: str | None
) -> None:
    ids = dict(zip(("whole", "first", "second"), boards(db, 3, check_at="{now} - 1"), strict=True))
    change(db, ids["first"], ids["second"], parent_key="'github.com/o/00000'")
    for name, columns in (("whole", whole), ("first", first)):
        if columns:
            change(db, ids[name], **columns)
    with db.write() as session:
        due_checks.pass_over(session, every=DAY)
        taken = [row.id for row in due_checks.take_due(session, limit=9)]
        early = due_checks.take_early(session, "github.com", every=DAY * 20, limit=9, without=taken)
    assert taken == ([ids[asked]] if asked else [])
    assert not {ids["first"], ids["second"]} & {row.id for row in early}
    if asked != "second":
        # It has a time, in case that the others go.
        assert waits(db, ids["second"])[0] > DAY / 8


def test_what_is_late_is_spread_and_a_shorter_interval_counts_at_once(db: Database) -> None:
    late = boards(db, 50, check_at="{now} - 100000")
    [denied, far, soon] = late[:3]
    change(db, denied, gone_since="{now}")
    change(db, far, check_at="{now} + 100000")
    change(db, soon, check_at="{now} + 100")
    with db.write() as session:
        assert due_checks.settle_late(session, every=DAY) == 48
        assert due_checks.settle_late(session, every=DAY) == 0
    assert waits(db, denied)[0] < 0 and repository(db, far).check_at is None and 90 < waits(db, soon)[0] < 101
    spread = waits(db, *late[3:])
    assert min(spread) >= 0 and 5000 < max(spread) < DAY / 8 + 2
    assert len(set(spread)) == len(spread)
    with db.write() as session:
        due_checks.settle_late(session, every=0.0)
    assert repository(db, late[-1]).check_at is None or waits(db, late[-1])[0] < 700
    assert repository(db, denied).check_at is not None


def test_an_interval_of_its_own_is_followed_at_once(db: Database) -> None:
    [number] = boards(db, 1)
    for seconds, longest in ((HOUR, HOUR), (None, DAY)):
        with db.write() as session:
            due_checks.set_interval(session, number, seconds, every=DAY)
        assert 0 < waits(db, number)[0] <= longest * 9 / 8 + 1
    with db.write() as session:
        due_checks.set_interval(session, number, 0, every=DAY)
    assert repository(db, number).check_at is None and repository(db, number).refresh_every == 0


@pytest.mark.parametrize(
    "columns",
    [
        {"gone_since": "{now}", "hidden_at": "{now}"},
        {"gone_since": "{now}"},
        {"name_taken_at": "1", "taken_number": "7"},
    ],
)
def test_another_interval_ends_no_question_about_what_the_host_denied(db: Database, columns: dict[str, str]) -> None:
    [number] = boards(db, 1)
    change(db, number, check_at="{now} + 600", **columns)
    before = repository(db, number).check_at
    for seconds in (HOUR, 0):
        with db.write() as session:
            due_checks.set_interval(session, number, seconds, every=DAY)
        assert repository(db, number).check_at == before is not None


def next_id(db: Database) -> int:
    with db.write() as session:
        found = take_next(session, holder="h", seconds=60, worker="w")
    return found.id if found else 0


def schedule(session: Session, *ids: int) -> None:
    for number in ids:
        assert transitions.restart(session, number, State.COMPLETED, virtual_start=0, client_id=None, is_scheduled=True)


def submit(db: Database, number: int, client: str) -> None:
    """A person's submission of a repository that exists."""
    with db.write() as session:
        start = next_virtual_start(session, client)
        assert transitions.restart(
            session, number, State.COMPLETED, virtual_start=start, client_id=client
        ) or transitions.take_over(session, number, virtual_start=start, client_id=client)


def test_people_come_before_the_schedule_and_are_not_delayed_by_it(db: Database) -> None:
    scheduled, other, person, late = boards(db, 4)
    with db.write() as session:
        schedule(session, scheduled, other)
        assert next_virtual_start(session, "a") == 0
        assert waiting(session, unknown_size=1) == (0, 0)
    for number in (person, late):
        submit(db, number, "a")
    assert [repository(db, number).virtual_start for number in (person, late)] == [0, 1]
    assert [next_id(db) for _ in range(5)] == [person, late, scheduled, other, 0]


def test_a_person_who_submits_what_the_schedule_waits_for_has_a_persons_turn(db: Database) -> None:
    scheduled, other = boards(db, 2)
    with db.write() as session:
        schedule(session, other, scheduled)
    submit(db, scheduled, "a")
    assert not repository(db, scheduled).is_scheduled
    assert next_id(db) == scheduled


def test_what_the_schedule_asked_for_gets_a_turn_after_an_hour(db: Database) -> None:
    scheduled, young, *people = boards(db, 5)
    with db.write() as session:
        schedule(session, scheduled, young)
        assert longest_scheduled(session) is None
    change(db, scheduled, virtual_start="virtual_start - 3700")
    for number in people:
        submit(db, number, "a")
    with db.write() as session:
        assert longest_scheduled(session) == scheduled
        give_turn(session, scheduled)
        assert longest_scheduled(session) is None
    assert [next_id(db) for _ in range(5)] == [scheduled, *people, young]
