"""The order in which workers take repositories: clients alternate."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from podium.jobs import lease
from podium.jobs.messages.queues import NullQueues
from podium.repositories.address import parse_address
from podium.repositories.fair_queue import NETWORK_SHARE, client_id
from podium.storage.session import Database
from podium.submissions.submit import submit
from tests.support.rows import add_repository


def submitted(db: Database, name: str, client: str | None) -> int:
    return int(submit(db, NullQueues(), parse_address(f"o/{name}"), refresh_after=0, client_id=client).repository.id)


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


def test_the_clients_of_one_wider_network_share_its_turns(db: Database) -> None:
    for n in range(12):
        submitted(db, f"many{n}", client_id(f"c{n}", "network"))
    submitted(db, "other", client_id("c0", "elsewhere"))
    submitted(db, "four", "an-IPv4-client")
    submitted(db, "again", client_id("c0", "network"))
    order = next_ones(db)
    # Four of the network in each round, then those of others.
    assert order.index("other") == NETWORK_SHARE
    assert order.index("four") == NETWORK_SHARE + 1
    assert order[-1] == "again"


def test_a_neighbour_of_a_busy_client_keeps_its_turn(db: Database) -> None:
    for n in range(12):
        submitted(db, f"many{n}", client_id("busy", "network"))
    submitted(db, "neighbour", client_id("quiet", "network"))
    assert next_ones(db).index("neighbour") == 1


def test_submissions_at_the_same_moment_get_different_turns(db: Database) -> None:
    ids = [client_id(f"c{n % 5}", "network") if n % 2 else "one" for n in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: submitted(db, f"r{n}", ids[n]), range(20)))
    with db.read() as session:
        rows = session.all("SELECT client_id, virtual_start FROM repository ORDER BY virtual_start")
    assert [row["virtual_start"] for row in rows if row["client_id"] == "one"] == list(range(10))
    network = Counter(row["virtual_start"] for row in rows if row["client_id"] != "one")
    assert max(network.values()) == NETWORK_SHARE
