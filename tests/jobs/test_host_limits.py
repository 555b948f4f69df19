"""No more repositories of a host are counted at once than may be, and no other host waits for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from podium.jobs import lease
from podium.jobs.reconciler import enqueue_followers
from podium.repositories.model import Repository
from podium.repositories.store.queue import due_work, host_limits, leases, slow
from podium.repositories.store.queue.host_limits import HostLimit
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.storage.session import Database
from tests.support.bulk_rows import settle
from tests.support.plans import Explained
from tests.support.rows import RecordingQueues, add_repository, enqueue_due, expire_lease

FEW, MANY = 300, 1200


def add(db: Database, name: str, *, host: str = "a.org", start: float = 0.0, values: str = "") -> int:
    number = add_repository(db, f"{host}/o/{name}", host=host)
    with db.write() as session:
        session.run(f"UPDATE repository SET virtual_start = {start} {values} WHERE id = :id", id=number)
    return number


def grab(db: Database, per_host: int = 0, enqueued: int = 0) -> Repository | None:
    return lease.grab_next(db, enqueued, seconds=60, per_host=per_host)


def take(db: Database, per_host: int = 0, enqueued: int = 0) -> int | None:
    found = grab(db, per_host, enqueued)
    return None if found is None else found.id


def limit(db: Database, host: str, at_once: int) -> bool:
    with db.write() as session:
        return host_limits.set_limit(session, host, at_once)


def limits(db: Database, per_host: int = 0) -> list[HostLimit]:
    with db.read() as session:
        return host_limits.limits(session, per_host, limit=10)


def test_other_hosts_are_counted_beside_a_full_one(db: Database) -> None:
    first, second, third = (add(db, name) for name in "abc")
    waited = add(db, "waited", values=", not_before = 1.0")
    other = add(db, "d", host="b.org", start=9)
    late = add(db, "e", host="c.org", start=8, values=", not_before = 1.0")
    assert [take(db, 2), take(db, 2)] == [first, second]
    assert [take(db, 2), take(db, 2), take(db, 2)] == [late, other, None]
    assert [take(db, 2, third), take(db, 2, waited)] == [None, None]
    assert limits(db, 2) == [HostLimit("a.org", 2, 2), HostLimit("b.org", 2, 1), HostLimit("c.org", 2, 1)]
    expire_lease(db, first)
    assert take(db, 2) == first


def test_the_limit_of_a_host_holds_instead_of_the_setting(db: Database) -> None:
    for name in "abcdef":
        add(db, name)
    assert limit(db, "a.org", 3)
    assert not limit(db, "a.org", 3)
    assert sum(take(db, 1) is not None for _ in range(6)) == 3
    assert limits(db, 1) == [HostLimit("a.org", 3, 3)]
    # A lower one stops nothing that runs.
    limit(db, "a.org", 1)
    assert take(db) is None
    limit(db, "a.org", 0)
    assert take(db, 1) is not None
    assert limits(db) == [HostLimit("a.org", 0, 4)]
    with db.write() as session:
        assert host_limits.unset_limit(session, "a.org")
        assert not host_limits.unset_limit(session, "a.org")
    assert take(db, 1) is None
    assert take(db) is not None


def test_a_higher_limit_makes_what_waits_due(db: Database) -> None:
    numbers = [add(db, name) for name in "abc"]
    add(db, "other", host="b.org")
    assert enqueue_due(db) == []
    limit(db, "a.org", 2)
    assert enqueue_due(db) == [(numbers[0],), (numbers[1],)]


def test_the_end_of_a_count_wakes_a_worker_for_the_next_of_its_host(db: Database) -> None:
    first, second = add(db, "a"), add(db, "b")
    held = grab(db, 1)
    assert held is not None and held.id == first
    assert take(db, 1, second) is None
    queues = RecordingQueues()
    lease.give_back(db, held)
    with db.write() as session:
        session.run("UPDATE repository SET state = 'completed' WHERE id = :id", id=first)
    enqueue_followers(db, queues, held)
    assert queues.enqueued == []
    enqueue_followers(db, queues, held, per_host=1)
    assert queues.enqueued == [(second,)]
    with db.write() as session:
        session.run("UPDATE repository SET is_slow = true WHERE id = :id", id=second)
    enqueue_followers(db, queues, held, per_host=1)
    assert queues.enqueued == [(second,)] * 2


def test_slow_repositories_need_a_slot_of_their_host_too(db: Database) -> None:
    add(db, "a")
    slow_one = add(db, "b", values=", is_slow = true")
    held = grab(db, 1)
    assert held is not None
    with db.read() as session:
        assert slow.next_waiting(session, per_client=1, per_host=1) is None
        assert slow.next_waiting(session, per_client=1, per_host=2) == slow_one
    assert lease.grab_slow(db, slow_one, seconds=60, per_host=1) is None
    assert lease.grab_slow(db, slow_one, seconds=60, per_host=2) is not None


def test_a_slow_count_makes_way_only_for_what_can_be_counted(db: Database) -> None:
    add(db, "slow", values=", client_id = 'one'")
    running = grab(db, 1)
    assert running is not None
    add(db, "full", host="b.org", values=", client_id = 'two'")
    assert grab(db, 1) is not None
    add(db, "waits", host="b.org", values=", client_id = 'two'")
    with db.write() as session:
        assert not slow.make_way(session, running, per_host=1)
    add(db, "own", values=", client_id = 'two'")
    with db.write() as session:
        assert slow.make_way(session, running, per_host=1)


def test_workers_that_take_at_once_never_take_too_many(postgresql: PostgresDatabase) -> None:
    for number in range(12):
        add(postgresql, str(number))
        add(postgresql, str(number), host="b.org")
    limit(postgresql, "b.org", 3)
    together = threading.Barrier(8)

    def work(_: int) -> list[str]:
        together.wait()
        found = (grab(postgresql, 2) for _ in range(3))
        return [row.host for row in found if row is not None]

    with ThreadPoolExecutor(8) as workers:
        taken = [host for hosts in workers.map(work, range(8)) for host in hosts]
    assert sorted(taken) == ["a.org"] * 2 + ["b.org"] * 3


def fill(db: Database, number: int, values: str) -> None:
    with db.write() as session:
        session.run("DELETE FROM repository")
        session.run(
            f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number})
            INSERT INTO repository (key, url, host, owner, name, state, virtual_start, is_slow, enqueued_at, created_at,
                updated_at)
            SELECT 'k' || i, 'https://k/' || i, 'a.org', 'o', 'r', 'pending', i, {values}, {{now}}, 1, 1 FROM n"""
        )


@pytest.mark.parametrize("head", ["full", "slow"])
def test_the_work_to_take_one_does_not_grow_with_those_before_it(db: Database, head: str) -> None:
    measured = []
    for number in (FEW, MANY):
        fill(db, number, "true" if head == "slow" else "false")
        if head == "full":
            assert take(db, 1) is not None
        last = add(db, "last", host="b.org", start=99_999)
        settle(db)
        explained = Explained(db)
        with explained.write() as session:
            found = leases.take_next(
                session, holder="h", seconds=60, worker="w", per_host=1 if head == "full" else None
            )
            assert found is not None and found.id == last
            assert host_limits.is_any_full(session, 1)
            host_limits.next_of_host(session, "b.org", 1)
            slow.next_waiting(session, per_client=1, per_host=1)
            due_work.next_virtual_start(session, "a")
        measured.append(sum(statement.plan.work for statement in explained.statements))
    before, after = measured
    assert after <= before * 1.5 + 20
