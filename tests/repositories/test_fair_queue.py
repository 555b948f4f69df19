"""The order in which workers take repositories: clients alternate."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from podium.jobs import lease
from podium.jobs.queues import NullQueues
from podium.repositories.address import parse_address
from podium.repositories.fair_queue import ClientIds
from podium.storage.session import Database
from podium.submissions.submit import submit
from tests.support.rows import add_repository


def submitted(db: Database, name: str, client_id: str | None) -> int:
    return int(submit(db, NullQueues(), parse_address(f"o/{name}"), refresh_after=0, client_id=client_id).repository.id)


def next_ones(db: Database) -> list[str]:
    """The names of waiting repositories, in the order in which workers take them."""
    names = []
    while (row := lease.grab_next(db, 0, seconds=30)) is not None:
        names.append(row.name)
    return names


def test_the_many_repositories_of_one_client_do_not_delay_the_one_of_another(db: Database) -> None:
    for n in range(20):
        submitted(db, f"many{n}", "a")
    submitted(db, "one", "b")
    order = next_ones(db)
    assert len(order) == 21
    assert order.index("one") == 1


def test_clients_alternate_whenever_they_submitted(db: Database) -> None:
    for n in range(6):
        submitted(db, f"a{n}", "a")
    done = [lease.grab_next(db, 0, seconds=30) for _ in range(3)]
    assert [row and row.name for row in done] == ["a0", "a1", "a2"]
    for n in range(3):
        submitted(db, f"b{n}", "b")
    assert next_ones(db) == ["a3", "b0", "a4", "b1", "a5", "b2"]


def test_a_repository_that_waits_for_long_does_not_hold_back_others(db: Database) -> None:
    stuck = submitted(db, "stuck", "a")
    with db.write() as session:
        session.run("UPDATE repository SET not_before = {now} + 300 WHERE id = :id", id=stuck)
    for n in range(4):
        submitted(db, f"a{n}", "a")
    assert [row and row.name for row in [lease.grab_next(db, 0, seconds=30) for _ in range(2)]] == ["a0", "a1"]
    for n in range(3):
        submitted(db, f"b{n}", "b")
    assert next_ones(db) == ["a2", "b0", "a3", "b1", "b2"]


def test_each_repository_is_taken_once_and_then_the_one_named_by_the_message(db: Database) -> None:
    numbers = [submitted(db, f"r{n}", None) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(lambda _: lease.grab_next(db, numbers[0], seconds=30), range(10)))
    taken = [row.id for row in rows if row is not None]
    assert sorted(taken) == numbers
    waiting = submitted(db, "waiting", None)
    with db.write() as session:
        session.run("UPDATE repository SET not_before = {now} + 0.05 WHERE id = :id", id=waiting)
    row = lease.grab_next(db, waiting, seconds=30)
    assert row is not None and row.id == waiting


def test_local_and_finished_repositories_are_never_taken(db: Database) -> None:
    for state in ("completed", "failed", "users_processing"):
        add_repository(db, key=state, state=state)
    add_repository(db, key="file:///x", host="")
    assert lease.grab_next(db, 0, seconds=30) is None


def test_client_ids_reveal_no_address_and_differ_between_processes() -> None:
    here, there = ClientIds(), ClientIds()
    assert here.name("10.0.0.1") == here.name("10.0.0.1") != here.name("10.0.0.2")
    assert here.name("10.0.0.1") != there.name("10.0.0.1")
