"""A count is saved in bounded steps that no reader sees, and survives its end at any of them."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import pytest

from podium.accounts.repository_emails import classify_emails
from podium.accounts.stale import MaxAges
from podium.clones.mailmaps.mailmap import Identity
from podium.counting.save import Count, is_small, save_count
from podium.errors import BadCommitLog, LeaseLost
from podium.history.totals import Tally
from podium.jobs import lease, reconciler
from podium.jobs.lease import Lease
from podium.leaderboard.board_data import BoardData, keep_on
from podium.leaderboard.rows.people import load_people
from podium.repositories.store import queries, transitions
from podium.repositories.store.log_check import check_log
from podium.storage.commit_log import segments
from podium.storage.commit_log.segments import Link
from podium.storage.session import Database, Session
from podium.storage.sqlite import SqliteDatabase
from tests.support.log_rows import logged_commits
from tests.support.rows import add_repository, expire_lease, leased, repository
from tests.support.watched_database import Watched, ends_after

WEEK = 7 * 86_400
STEP = 20
Board = tuple[list[str], list[int], int]


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podium.counting.save.STEP_ROWS", STEP)
    monkeypatch.setattr("podium.counting.save.STEP_STATEMENTS", STEP)
    monkeypatch.setattr("podium.counting.save._MOST_AT_ONCE", STEP)
    monkeypatch.setattr("podium.repositories.store.deletion.hidden_counts._PEOPLE", STEP)
    monkeypatch.setattr("podium.history.sorted_commits.LARGEST_SEGMENT", 2 * STEP)


def tally_of(people: int, *, commits: int = 3, first: int = 0) -> Tally:
    """Commits of so many people, each in ``commits`` weeks."""
    tally = Tally()
    for number in range(first, first + people):
        author = (f"P {number:04}", f"p{number:04}@example.org")
        oids = [b"%040x" % (number * 100 + week) for week in range(commits)]
        tally.add(oids, [(author, week * WEEK, False, (), (), b"", False) for week in range(commits)])
    return tally


def save(db: Any, held: Lease, tally: Tally, *, since: str | None = None, head: str = "new") -> None:
    started = held.repository
    identities = {(name, email): Identity(email, name, email) for name, email in tally.people()}
    ages = MaxAges(account=1e9, email=1e9, unknown_email=1e9)
    emails = {email for _, email in tally.people()}
    people = classify_emails(started.host, emails, github_host="github.com", ages=ages)
    count = Count(
        started,
        since=since,
        head=head,
        head_committed_at=None,
        branch="main",
        mailmap="",
        tally=tally,
        identities=identities,
        people=people,
    )
    save_count(db, held, count, threading.Event())


def take(db: Any, repository_id: int) -> Lease:
    found = lease.grab(db, repository_id, seconds=3600)
    assert found is not None
    return Lease(db, found, 3600)


def save_first(db: Database, people: int) -> int:
    """A repository whose board has so many people, and that waits for a refresh; give its id."""
    number = add_repository(db, f"github.com/o/r{people}")
    with leased(db, number) as held:
        save(db, held, tally_of(people), head="old")
    submit_again(db, number)
    return number


def submit_again(db: Database, repository_id: int) -> None:
    with db.write() as session:
        session.run("UPDATE repository SET state = 'pending' WHERE id = :id", id=repository_id)


def board(db: Database, repository_id: int) -> Board:
    with db.read() as session:
        data = data_of(session, repository_id)
        check_log(session, data.repository)
        return data.people.emails, data.people.counts[0], len(data.log.dates)


def data_of(session: Session, repository_id: int) -> BoardData:
    row = queries.by_id(session, repository_id)
    assert row is not None
    return BoardData(session, row, "https://github.com")


def rows(db: Database) -> tuple[int, int, int]:
    with db.read() as session:
        people, hidden = (session.value(f"SELECT count(*) FROM {table}") for table in ("commit_data", "hidden_count"))
        commits = session.value("SELECT COALESCE(SUM(commits), 0) FROM commit_log")
    return people, commits, hidden


def remove_abandoned(db: Database) -> None:
    for _ in range(100):
        reconciler.remove_abandoned(db)


@pytest.mark.parametrize("people", [60, 120])
def test_no_transaction_of_a_save_grows_with_the_repository(db: Database, people: int) -> None:
    number = save_first(db, people)
    watched = Watched(db)
    save(watched, take(watched, number), tally_of(people))
    # A step, and what each transaction under the fence writes.
    assert max(watched.written) <= 2 * STEP + 5
    assert len(watched.written) > people * 2 / STEP
    assert rows(db) == (people, people * 3, 0)


@pytest.mark.parametrize("earlier", [None, 3, 60])
def test_a_small_count_is_saved_in_one_transaction(db: Database, earlier: int | None) -> None:
    number = add_repository(db, "github.com/o/small") if earlier is None else save_first(db, earlier)
    watched = Watched(db)
    held = take(watched, number)
    before = len(watched.written)
    save(watched, held, tally_of(5))
    removals = 0 if earlier is None or earlier < STEP else earlier
    assert len(watched.written) - before <= 1 + removals
    assert board(db, number)[2] == 15
    assert rows(db) == (5, 15, 0)


def test_readers_see_the_old_board_until_the_new_one_is_whole(db: Database) -> None:
    number = save_first(db, 50)
    old = board(db, number)
    seen: list[Board] = []
    watched = Watched(db, lambda _: seen.append(board(db, number)))
    held = take(watched, number)
    with db.read() as session:
        before = data_of(session, number)
        people = before.people
        save(watched, held, tally_of(70, commits=2))
        # The same transaction still sees the rows of its beginning, though they are gone.
        assert load_people(session, number, keep_on) == people
        assert len(before.log.dates) == old[2]
    new = board(db, number)
    assert new != old and new[2] == 140
    assert [one for place, one in enumerate(seen) if place == 0 or one != seen[place - 1]] == [old, new]
    assert repository(db, number).unique_contributors == 70


@pytest.mark.parametrize("board_size", [60, 240])
def test_a_refresh_writes_what_is_new_whatever_the_size_of_the_board(db: Database, board_size: int) -> None:
    number = save_first(db, board_size)
    watched = Watched(db)
    valid = repository(db, number).count_id
    save(watched, take(watched, number), tally_of(4, first=58), since="old")
    assert watched.written[-1] <= 4 * 3 * 3
    assert sum(watched.written) <= 4 * 3 * 3 + 5
    assert repository(db, number).count_id == valid
    assert repository(db, number).unique_contributors == max(board_size, 62)
    assert board(db, number)[2] == (board_size + 4) * 3


def links(db: Database, repository_id: int) -> list[Link]:
    with db.read() as session:
        return segments.links(session, repository_id, repository(db, repository_id).count_id)


def ordinals(db: Database, repository_id: int) -> dict[str, int]:
    with db.read() as session:
        sql = f"SELECT email, ordinal FROM commit_data WHERE {queries.OF_VALID_COUNT}"
        return dict(session.tuples(sql, id=repository_id))


def refresh(db: Database, repository_id: int, tally: Tally, head: str) -> None:
    submit_again(db, repository_id)
    with leased(db, repository_id) as held:
        save(db, held, tally, since=held.repository.head, head=head)


def test_a_refresh_adds_a_segment_and_gives_new_people_the_next_ordinals(db: Database) -> None:
    number = save_first(db, 60)
    before = ordinals(db, number)
    assert sorted(before.values()) == [*range(60)]
    first = links(db, number)
    assert [(link.base_oid, link.head_oid, link.commits) for link in first] == [("", "old", 40)] * 4 + [("", "old", 20)]
    refresh(db, number, tally_of(4, first=58), "new")
    assert links(db, number) == [*first, Link(6, "old", "new", 12, is_coarse=False)]
    assert ordinals(db, number) == {**before, "p0060@example.org": 60, "p0061@example.org": 61}
    assert board(db, number)[2] == 192
    # Another mailmap without a new commit.
    refresh(db, number, Tally(), "new")
    assert len(links(db, number)) == 6


def test_a_count_of_the_whole_history_keeps_numbers_and_gives_none_twice(db: Database) -> None:
    """A page of a person is found by the number."""
    number = save_first(db, 6)
    before = ordinals(db, number)
    submit_again(db, number)
    with leased(db, number) as held:
        save(db, held, tally_of(4, first=1), head="without the first and the last")
    kept = ordinals(db, number)
    assert kept == {email: before[email] for email in kept} and len(kept) == 4
    refresh(db, number, tally_of(2, first=5), "with the last again, and a new one")
    assert set(ordinals(db, number).values()) == {*kept.values(), 6, 7}


def test_numbers_follow_first_commits_and_not_the_emails(db: Database) -> None:
    number, tally = add_repository(db, "github.com/o/r"), Tally()
    for place, name in enumerate(("mia", "zoe", "ada", "mia")):
        date = (4 - place) * WEEK if name == "mia" else place * WEEK
        tally.add([b"%040x" % place], [((name, f"{name}@example.org"), date, False, (), (), b"", False)])
    with leased(db, number) as held:
        save(db, held, tally)
    assert ordinals(db, number) == {"mia@example.org": 0, "zoe@example.org": 1, "ada@example.org": 2}


def test_many_refreshes_are_merged_and_lose_nothing(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podium.storage.commit_log.compact.MOST_SMALL", 4)
    monkeypatch.setattr("podium.storage.commit_log.compact.LARGEST_SEGMENT", 60)
    number = save_first(db, 30)
    most = 0
    for refreshed in range(1, 9):
        refresh(db, number, tally_of(2, first=29 + refreshed), f"head {refreshed}")
        most = max(most, len(links(db, number)))
        assert board(db, number)[2] == 90 + 6 * refreshed
    assert most < 3 + 4
    with db.read() as session:
        assert len(logged_commits(session, number)) == 90 + 48


def test_segments_are_merged_only_if_they_are_those_that_were_read(db: Database) -> None:
    number = save_first(db, 30)
    old = links(db, number)
    changed = [*old[:-1], dataclasses.replace(old[-1], commits=1)]
    with pytest.raises(BadCommitLog), db.write() as session:
        segments.replace(session, number, repository(db, number).count_id, changed, (old[0], {}))
    assert links(db, number) == old


def test_the_size_of_an_increment_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podium.counting.save._LARGEST_INCREMENT", 40)
    monkeypatch.setattr("podium.counting.save.LARGEST_SEGMENT", 30)
    identities = {("n", f"e{number}"): Identity("e", "n", "e") for number in range(41)}
    assert not is_small(tally_of(10), identities)
    del identities["n", "e0"]
    assert is_small(tally_of(10), identities)
    assert not is_small(tally_of(11), identities)


def test_a_count_whose_worker_is_killed_at_any_step_leaves_the_board_and_nothing_else(sqlite: SqliteDatabase) -> None:
    number = save_first(sqlite, 45)
    old, step, saved = board(sqlite, number), 0, False
    while not saved:
        step += 1
        saved = _save_and_die(sqlite, number, step)
        if not saved:
            expire_lease(sqlite, number)
        now = repository(sqlite, number)
        assert board(sqlite, number) == (old if now.head == "old" else NEW)
        if now.head == "new":
            submit_again(sqlite, number)
            with sqlite.write() as session:
                session.run("UPDATE repository SET head = 'old' WHERE id = :id", id=number)
            old = NEW
    assert step > 10
    remove_abandoned(sqlite)
    assert rows(sqlite) == (55, 110, 0)


NEW: Board = ([f"p{n:04}@example.org" for n in range(55)], [2] * 55, 110)


def _save_and_die(db: SqliteDatabase, repository_id: int, step: int) -> bool:
    """Save in a process that is killed after so many transactions; whether it ended by itself."""

    def save_all(watched: Watched) -> None:
        save(watched, take(watched, repository_id), tally_of(55, commits=2))

    return ends_after(step, db, save_all)


def test_a_late_holder_writes_nothing_more_and_its_rows_go(db: Database) -> None:
    number = save_first(db, 30)

    def lose(done: int) -> None:
        if done == 4:
            expire_lease(db, number)
            take(db, number)

    watched = Watched(db, lose)
    with pytest.raises(LeaseLost):
        save(watched, take(watched, number), tally_of(50))
    assert len(watched.written) == 4
    assert rows(db)[2] == 1
    remove_abandoned(db)
    assert rows(db) == (30, 90, 0)


def test_rows_of_a_live_holder_are_not_removed(db: Database) -> None:
    number = save_first(db, 30)
    watched = Watched(db, lambda _: reconciler.remove_abandoned(db))
    save(watched, take(watched, number), tally_of(50))
    assert rows(db) == (50, 150, 0)


@pytest.mark.parametrize("step", [4, 6, 8])
def test_rows_of_a_late_holder_stay_until_another_one_follows(db: Database, step: int) -> None:
    """The database was away for longer than the lease lasts, and the reconciler is there before the next renewal."""
    number = save_first(db, 30)

    def be_late(done: int) -> None:
        if done == step:
            expire_lease(db, number)
            reconciler.remove_abandoned(db)

    watched = Watched(db, be_late)
    save(watched, take(watched, number), tally_of(50))
    assert board(db, number) == ([f"p{n:04}@example.org" for n in range(50)], [3] * 50, 150)
    remove_abandoned(db)
    assert rows(db) == (50, 150, 0)


def test_rows_of_a_holder_that_is_never_followed_go_in_the_end(sqlite: SqliteDatabase) -> None:
    number = save_first(sqlite, 30)
    assert not _save_and_die(sqlite, number, 3)
    before = rows(sqlite)
    expire_lease(sqlite, number)
    remove_abandoned(sqlite)
    assert rows(sqlite) == before and before[2] == 1
    with sqlite.write() as session:
        session.run("UPDATE repository SET lease_until = {now} - 8 * 86400")
    remove_abandoned(sqlite)
    assert rows(sqlite) == (30, 90, 0)


def test_a_lease_that_saved_a_count_saves_no_second_one(db: Database) -> None:
    number = save_first(db, 30)
    held = take(db, number)
    save(db, held, tally_of(40))
    with pytest.raises(LeaseLost):
        save(db, held, tally_of(50))
    assert rows(db) == (40, 120, 0)


def test_a_live_holder_that_lost_its_lease_is_no_crash(db: Database) -> None:
    number = add_repository(db)
    late = leased(db, number)
    held = late.__enter__()
    expire_lease(db, number)
    with leased(db, number) as successor:
        assert successor.repository.crashes == 1
        held.renew()
        late.__exit__(None, None, None)
        assert repository(db, number).crashes == 0
        with successor.fence() as session:
            assert transitions.start_counting(session, successor.repository)
