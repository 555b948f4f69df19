"""What an operator sees of the queues and does to them: the command, the API, and what both read."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from podium.cli.commands.queue_command import table
from podium.errors import Conflict, LeaseLost, NotFound, QueueError
from podium.jobs import batches
from podium.jobs.messages import broker
from podium.jobs.messages.broker import Backend, JobQueues
from podium.jobs.messages.queues import COMMITS, USERS, Depth
from podium.jobs.messages.redis_broker import connect
from podium.jobs.messages.redis_queues import NAMESPACE, RedisQueues
from podium.monitoring.inspector import Inspector
from podium.monitoring.overview import ApiBudget, Overview, as_json
from podium.repositories.store import transitions
from podium.repositories.store.queue.due_work import next_virtual_start
from podium.repositories.store.readers import statistics
from podium.settings import Settings
from podium.storage import migrate
from podium.storage.session import Database
from podium.submissions import admin
from podium.textutil.age import age
from podium.textutil.table import text_table
from podium.web.api import schemas
from podium.web.application import create_app
from podium.workers import heartbeat
from podium.workers.heartbeat import Heartbeat
from tests.support.cli import ADMIN, Podium, migrated_podium
from tests.support.rows import add_people, add_person, add_repository, leased, repository
from tests.support.server import free_port, serving, wait_until
from tests.support.valkey import Valkey
from tests.support.web import Client, Site, is_problem, open_site

NOTHING = Depth()


def change(db: Database, number: int, sql: str, **values: Any) -> None:
    with db.write() as session:
        assert session.run(f"UPDATE repository SET {sql} WHERE id = :id", id=number, **values)


# What is read


def test_an_empty_database_has_nothing_to_tell(db: Database) -> None:
    overview = Inspector(db).overview()
    assert overview.queues is None
    assert [found.count for found in overview.repositories.values()] == [0, 0, 0, 0, 0]
    assert (overview.batches_left, overview.emails_left, overview.leases.held) == (0, 0, 0)
    assert "none is running" in table(overview)
    assert TypeAdapter(Overview).validate_python(as_json(overview))


def test_every_repository_is_counted_where_it_stands(db: Database) -> None:
    first = add_repository(db, key="github.com/o/first")
    change(db, first, "updated_at = {now} - 100")
    add_repository(db, key="github.com/o/second")
    working = add_repository(db, key="github.com/o/working", state="commits_processing")
    change(db, working, "last_attempt = {now} - 50, lease_holder = 'x', lease_until = {now} + 60")
    orphan = add_repository(db, key="github.com/o/orphan", state="commits_processing")
    change(db, orphan, "last_attempt = {now} - 70, lease_holder = 'y', lease_until = {now} - 60")
    limited = add_repository(db, key="github.com/o/limited", state="users_processing")
    change(db, limited, "commits_processed_at = {now} - 10, not_before = {now} + 100")
    add_people(db, limited, {f"p{person}@example.org": 1 for person in range(120)})
    with db.write() as session:
        batches.assign(session, limited, 0)
    # Of a repository that is counted anew: not for the user queue yet.
    add_person(db, first, "a@example.org")
    board = add_repository(db, key="github.com/o/board", state="completed")
    change(db, board, "last_processed_at = {now} - 1000, enqueued_at = {now} - 1000")
    add_repository(db, key="github.com/o/board2", state="completed")
    broken = add_repository(db, key="github.com/o/broken", state="failed")
    change(db, broken, "error = 'It is not there.', updated_at = {now} - 30")
    add_repository(db, key="file:///home/me/r", host="", state="failed")
    add_repository(db, key="file:///home/me/s", host="", state="completed")

    overview = Inspector(db).overview()
    assert {state: each.count for state, each in overview.repositories.items()} == {
        "pending": 2,
        "commits_processing": 2,
        "users_processing": 1,
        "completed": 2,
        "failed": 1,
    }
    assert {state: each.oldest and each.oldest.id for state, each in overview.repositories.items()} == {
        "pending": first,
        "commits_processing": orphan,
        "users_processing": limited,
        "completed": board,
        "failed": broken,
    }
    oldest = {state: each.oldest for state, each in overview.repositories.items() if each.oldest}
    since = {state: round(overview.at - (each.since or 0), -1) for state, each in oldest.items()}
    assert since == {
        "pending": 100,
        "commits_processing": 70,
        "users_processing": 10,
        "completed": 1000,
        "failed": 30,
    }
    assert (overview.leases.held, overview.leases.expired, overview.waiting) == (1, 1, 1)
    assert (overview.batches_left, overview.emails_left) == (3, 120)
    assert [(one.id, one.error) for one in overview.failures] == [(broken, "It is not there.")]
    text = table(overview)
    assert f"#{orphan} https://github.com/o/orphan" in text
    assert "Batches left: 3, of 120 e-mails." in text
    assert f"#{broken} https://github.com/o/broken, 30 s ago: It is not there." in text


def test_the_states_are_counted_on_an_index(sqlite: Database) -> None:

    with sqlite.read() as session:
        plan = "\n".join(row["detail"] for row in session.all(f"EXPLAIN QUERY PLAN {statistics.COUNTS}"))
        oldest = "\n".join(row["detail"] for row in session.all(f"EXPLAIN QUERY PLAN {statistics.OLDEST_COMPLETED}"))
    assert "COVERING INDEX ix_repository_state_read" in plan
    assert "INDEX ix_repository_state_enqueued_at" in oldest
    assert "TEMP B-TREE FOR ORDER" not in oldest


def test_limits_in_force_and_the_budget_are_shown(db: Database) -> None:
    with db.write() as session:
        session.run("INSERT INTO github_limit (key, held_until) VALUES ('a', {now} + 600), ('b', {now} - 5)")
    budgets = [ApiBudget("graphql", 5000, 4321, time.time() + 1800), ApiBudget("core", None, None, None)]
    overview = Inspector(db, None, lambda: budgets).overview()
    text = table(overview)
    assert "(graphql): 4,321 of 5,000 left" in text
    assert "(core): no limit" in text
    assert "GitHub's limit is in force for 1 token; the first until 20" in text
    assert len(as_json(overview)["limitsInForce"]) == 1


# Workers


class Seen:
    """Queues in the memory of a process; remembers what was forgotten."""

    source = "memory"

    def __init__(self, commits: Depth = NOTHING) -> None:
        self._commits = commits
        self.forgotten: list[set[int] | None] = []

    def depths(self) -> dict[str, Depth]:
        return {COMMITS: self._commits, USERS: NOTHING}

    def forget_dead(self, repository_ids: Any, /) -> int:
        self.forgotten.append(repository_ids)
        return 0


def beat_of(db: Database, queues: tuple[str, ...] = (COMMITS,), **told: Any) -> Heartbeat:
    sees = Inspector(db, told.get("seen"), told.get("budgets"))
    heart = Heartbeat(db, queues, sees.report)
    heart.beat()
    return heart


def silence(db: Database, seconds: float) -> None:
    with db.write() as session:
        session.run("UPDATE worker SET seen_at = {now} - :seconds", seconds=seconds)


def test_a_worker_is_alive_as_long_as_its_heart_beats(db: Database) -> None:
    heart = beat_of(db)
    assert [worker.alive for worker in Inspector(db).overview().workers] == [True]
    silence(db, heartbeat.DEAD_AFTER + 1)
    overview = Inspector(db).overview()
    assert [worker.alive for worker in overview.workers] == [False]
    assert "silent for" in table(overview)
    heart.beat()
    assert [worker.alive for worker in Inspector(db).overview().workers] == [True]
    heart.stop()
    assert Inspector(db).overview().workers == ()


def test_what_was_killed_long_ago_is_forgotten_by_the_next_beat(db: Database) -> None:
    beat_of(db)
    silence(db, heartbeat.DELETE_AFTER + 1)
    beat_of(db, (USERS,))
    assert [worker.queues for worker in Inspector(db).overview().workers] == [(USERS,)]


def test_queues_in_the_memory_of_workers_are_reported_by_their_heartbeats(db: Database) -> None:
    budget = ApiBudget("graphql", 5000, 17, 2e9)
    beat_of(db, seen=Seen(Depth(1, 2, 3, 4)), budgets=lambda: [budget])
    beat_of(db, seen=Seen(Depth(10, 0, 0, 0)))
    overview = Inspector(db).overview()
    assert overview.queues == {COMMITS: Depth(11, 2, 3, 4), USERS: NOTHING}
    assert overview.queues_source == "heartbeat"
    assert overview.budget == (budget,)
    assert "last heartbeat" in table(overview)
    silence(db, heartbeat.DEAD_AFTER + 1)
    assert Inspector(db).overview().queues is None


def test_what_keeps_all_workers_from_counting_is_said_beside_what_waits(db: Database) -> None:
    def work(worker_id: str, queue: str, problem: str | None) -> None:
        Heartbeat(db, [queue], lambda: {"problem": problem, "revision": "abc"}, worker_id).beat()

    assert Inspector(db).overview().counting_problem is None
    add_repository(db)
    work("users", USERS, None)
    alone = table(Inspector(db).overview())
    assert "No worker can count now: none that counts repositories is alive." in alone
    work("full", COMMITS, "The disk is full.")
    overview = Inspector(db).overview()
    assert overview.counting_problem == "No worker can count now: The disk is full."
    assert {(each.problem, each.revision) for each in overview.workers} == {(None, "abc"), ("The disk is full.", "abc")}
    assert TypeAdapter(Overview).validate_python(as_json(overview))
    text = table(overview)
    assert overview.counting_problem in text and "is not counting: The disk is full." in text
    work("well", COMMITS, None)
    text = table(Inspector(db).overview())
    assert "No worker can count now" not in text and "is not counting: The disk is full." in text


# The queues themselves, in memory and in Redis


@contextlib.contextmanager
def working(backend: Backend, on_commits: Callable[[int], None], threads: int) -> Iterator[JobQueues]:
    engine = JobQueues(
        backend, lambda number, _: on_commits(number), lambda *_: None, commit_threads=threads, user_threads=1
    )
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


def test_queues_tell_what_waits_works_and_is_delayed(backend: Backend) -> None:
    go = threading.Event()

    def on_commits(_: int) -> None:
        assert go.wait(30)

    with working(backend, on_commits, 2) as engine:
        for number in range(5):
            engine.enqueue_commits(number)
        engine.enqueue_users(1, 1, 1, delay=60)
        try:
            wait_until(lambda: backend.depths()[COMMITS].active == 2, "both threads to be at work")
            assert backend.depths() == {COMMITS: Depth(3, 2, 0, 0), USERS: Depth(0, 0, 1, 0)}
        finally:
            go.set()
        wait_until(lambda: backend.depths()[COMMITS] == NOTHING, "all to be done")


def test_dead_messages_are_kept_until_they_are_forgotten(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "_RETRIES", {"max_retries": 0, "min_backoff": 1, "max_backoff": 1})

    def fail(repository_id: int) -> None:
        raise RuntimeError(str(repository_id))

    with working(backend, fail, 1) as engine:
        for number in (1, 1, 2, 3):
            engine.enqueue_commits(number)
        wait_until(lambda: backend.depths()[COMMITS] == Depth(dead=4), "all to die")
        assert backend.forget_dead({1}) == 2
        assert backend.depths()[COMMITS].dead == 2
        assert backend.forget_dead(None) == 2
        assert backend.depths()[COMMITS] == NOTHING


def test_what_a_vanished_worker_had_taken_waits_again(valkey: Valkey) -> None:
    valkey.flush()
    with valkey.client() as client:
        heard = {"alive": time.time() * 1000, "gone": time.time() * 1000 - 60_000}
        client.zadd(f"{NAMESPACE}:__heartbeats__", heard)
        client.sadd(f"{NAMESPACE}:__acks__.alive.{COMMITS}", "a", "b")
        client.sadd(f"{NAMESPACE}:__acks__.gone.{COMMITS}", "c")
        assert RedisQueues(client).depths()[COMMITS] == Depth(waiting=1, active=2)


def test_a_redis_outage_is_one_line() -> None:
    queues = RedisQueues(connect(Settings(redis_host="127.0.0.1", redis_port=free_port())))
    with pytest.raises(QueueError, match="REDIS_URL"):
        queues.depths()


# What is done


def test_failed_ones_start_again_and_waiting_ones_are_due_at_once(db: Database) -> None:
    broken = add_repository(db, key="github.com/o/1", state="failed")
    change(db, broken, "error = 'x', error_code = 'y', attempts = 4, crashes = 2")
    waiting = add_repository(db, key="github.com/o/2", state="users_processing")
    change(db, waiting, "not_before = {now} + 1000, attempts = 2")
    assert admin.retry(db, [broken, waiting, broken], actor="test") == [broken, waiting]
    row = repository(db, broken)
    assert (row.state, row.error, row.attempts, row.crashes, row.enqueued_at) == (
        "pending",
        None,
        0,
        0,
        None,
    )
    row = repository(db, waiting)
    assert (row.state, row.not_before, row.enqueued_at) == ("users_processing", None, None)


def test_without_numbers_all_that_failed_and_nothing_else_is_tried_again(db: Database) -> None:
    assert admin.retry(db, [], actor="test") == []
    broken = [add_repository(db, key=f"github.com/o/{number}", state="failed") for number in range(3)]
    others = [add_repository(db, key=f"github.com/p/{state}", state=state) for state in ("pending", "completed")]
    local = add_repository(db, key="file:///r", host="", state="failed")
    assert admin.retry(db, [], actor="test") == broken
    assert {repository(db, number).state for number in broken} == {"pending"}
    assert [repository(db, number).state for number in (*others, local)] == ["pending", "completed", "failed"]


def test_a_thousand_retries_delay_no_other_client(db: Database) -> None:
    waiting = add_repository(db, key="github.com/other/waiting")
    change(db, waiting, "virtual_start = 7")
    broken = [add_repository(db, key=f"github.com/o/{number}", state="failed") for number in range(20)]
    assert admin.retry(db, [], actor="test") == broken
    assert [repository(db, number).virtual_start for number in broken] == [7.0 + place for place in range(20)]
    with db.write() as session:
        assert next_virtual_start(session, "somebody") == 7.0


@pytest.mark.parametrize(("state", "error"), [("completed", Conflict), (None, NotFound)])
def test_one_that_cannot_be_tried_again_leaves_all_as_they_were(
    db: Database, state: str | None, error: type[Exception]
) -> None:
    broken = add_repository(db, key="github.com/o/1", state="failed")
    other = add_repository(db, key="github.com/o/2", state=state) if state else 999
    with pytest.raises(error, match=str(other)):
        admin.retry(db, [broken, other], actor="test")
    assert repository(db, broken).state == "failed"


def test_who_counts_a_dropped_repository_can_save_nothing(db: Database) -> None:
    number = add_repository(db)
    with leased(db, number) as held:
        admin.drop(db, number, actor="test")
        with pytest.raises(LeaseLost), held.fence():
            raise AssertionError
    row = repository(db, number)
    assert (row.state, row.error_code, row.lease_holder) == ("failed", "dropped", None)


def test_who_looks_up_a_batch_of_a_dropped_repository_can_save_nothing(db: Database) -> None:
    number = add_repository(db, state="users_processing")
    add_person(db, number, "a@example.org")
    with db.write() as session:
        batches.assign(session, number, 0)
        assert batches.claim(session, number, 0, "token")[0]
    admin.drop(db, number, actor="test")
    with db.write() as session:
        assert batches.finish(session, number, 0, "token") == 0
        assert not transitions.complete(session, number)
    assert admin.retry(db, [number], actor="test") == [number]
    assert repository(db, number).state == "pending"


@pytest.mark.parametrize("state", ["completed", "failed"])
def test_what_is_in_no_queue_cannot_be_dropped(db: Database, state: str) -> None:
    number = add_repository(db, state=state)
    with pytest.raises(Conflict, match="in no queue"):
        admin.drop(db, number, actor="test")
    with pytest.raises(NotFound, match="4711"):
        admin.drop(db, 4711, actor="test")


# Over HTTP


@pytest.fixture
def site(tmp_path: Path) -> Any:
    with open_site(tmp_path) as site:
        yield site


def test_the_api_tells_drops_and_retries(tmp_path: Path) -> None:
    queues = Seen(Depth(1, 2, 3, 4))
    with open_site(tmp_path) as site:
        app = create_app(dataclasses.replace(site.services, inspector=Inspector(site.db, queues)))
        client = Client(app, host="localhost:3000", headers=ADMIN)
        number = site.repository("o/r", state="pending")
        body = client.get("/queues").json()
        assert TypeAdapter(Overview).validate_python(body)
        assert body["queues"][COMMITS] == {"waiting": 1, "active": 2, "delayed": 3, "dead": 4}
        assert body["repositories"]["pending"]["oldest"]["id"] == number

        answer = client.request("DELETE", f"/queues/{number}")
        assert answer.status_code == 200
        assert TypeAdapter(schemas.DroppedRepository).validate_python(answer.json())
        assert client.get(f"/repositories/{number}").json()["state"] == "failed"
        assert is_problem(client.request("DELETE", f"/queues/{number}"), 409, "in no queue")

        answer = client.post(f"/queues/retry?ids={number}")
        assert answer.status_code == 202
        assert TypeAdapter(schemas.RetriedRepositories).validate_python(answer.json())
        assert client.get(f"/repositories/{number}").json()["state"] == "pending"
        assert client.post("/queues/retry").json()["ids"] == []
        assert queues.forgotten == [{number}, {number}, None]


@pytest.mark.parametrize("ids", ["", "x", "1,", "-1", "1, 2", "9" * 19, "9" * 30, "1,2,99999999999999999999"])
def test_numbers_that_cannot_be_read_are_refused(site: Site, ids: str) -> None:
    assert is_problem(site.administrator().post("/queues/retry", params={"ids": ids}), 400)


@pytest.mark.parametrize(("method", "path"), [("GET", "/queues"), ("POST", "/queues/retry"), ("DELETE", "/queues/1")])
def test_only_the_administrator_may(tmp_path: Path, method: str, path: str) -> None:
    with open_site(tmp_path) as site:
        site.repository("o/r", state="pending")
        assert is_problem(site.client().request(method, path), 401)
        assert site.administrator().request(method, path).status_code < 300


# The command


def ask(podium: Podium, *arguments: str) -> str:
    done = podium.run("queue", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_command_sees_and_steers_a_server_from_another_process(tmp_path: Path) -> None:
    podium = Podium(tmp_path / "data")
    # Nothing answers there: the repository waits for its next try.
    url = "http://127.0.0.1:9/o/r.git"
    settings = {"PODIUM_GIT_HOSTS": "http://127.0.0.1:9", "PODIUM_DISK_RESERVE_BYTES": "1M"}
    with serving(podium, settings) as server:
        number = server.submit(url).body["id"]

        def waiting() -> Any:
            document = json.loads(ask(podium, "--json"))
            return document if document["waiting"] else None

        document = wait_until(waiting, "the first try to fail")
        assert document["queuesSource"] == "heartbeat"
        [worker] = document["workers"]
        assert (worker["pid"], worker["problem"], worker["revision"]) == (server.process.pid, None, migrate.HEAD)
        assert server.ask("/queues").body["queuesSource"] == "memory"
        assert f"#{number} {url}" in ask(podium)
        assert "taken out" in ask(podium, "drop", f"#{number}")
        assert server.repository(url)["state"] == "failed"
        assert "1 repository is tried again." in ask(podium, "retry", str(number))
        wait_until(lambda: server.repository(url)["state"] != "failed", "it to be tried again")
        ask(podium, "drop", str(number))
        assert "1 repository is tried again." in ask(podium, "retry")
    assert json.loads(ask(podium, "--json"))["workers"] == []
    ask(podium, "drop", str(number))
    queued = "1 repository is queued: it is tried when `podium serve` or a worker runs."
    assert queued in ask(podium, "retry", str(number))


def test_watching_tells_again_until_it_is_interrupted(tmp_path: Path) -> None:
    podium = migrated_podium(tmp_path / "data")
    watching = podium.start("queue", "--json", "--watch", "0.1")
    assert watching.stdout
    lines = [json.loads(watching.stdout.readline()) for _ in range(3)]
    assert all("repositories" in line for line in lines)
    watching.send_signal(signal.SIGINT)
    _, complaint = watching.communicate(timeout=30)
    assert (watching.returncode, complaint) == (0, "")


def test_watching_goes_on_when_the_database_is_away_for_a_while(tmp_path: Path) -> None:
    podium = migrated_podium(tmp_path / "data")
    database = podium.data / "podium.db"
    watching = podium.start("queue", "--json", "--watch", "0.1")
    assert watching.stdout

    def next_has(member: str) -> bool:
        assert watching.stdout
        return member in json.loads(watching.stdout.readline())

    wait_until(lambda: next_has("repositories"), "a first look")
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("ALTER TABLE repository RENAME TO gone")
    wait_until(lambda: next_has("error"), "it to be away")
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("ALTER TABLE gone RENAME TO repository")
    wait_until(lambda: next_has("repositories"), "it to be back")
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=30)
    assert watching.returncode == 0


def test_reading_the_queues_migrates_nothing(tmp_path: Path) -> None:
    podium = Podium(tmp_path / "data")
    assert podium.run("migrate", "--to", "0001").returncode == 0
    done = podium.run("queue")
    assert done.returncode == 2
    assert "podium migrate" in done.stderr
    assert podium.run("doctor", "--offline", "--wait", "60").returncode == 1
    with contextlib.closing(sqlite3.connect(podium.data / "podium.db")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["retry", "4711"], "4711"),
        (["retry", "one"], "repository id"),
        (["drop"], "ID"),
        (["drop", "4711"], "4711"),
        (["--watch", "0"], "seconds"),
        (["--watch", "soon"], "seconds"),
        (["forget"], "retry"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(tmp_path: Path, arguments: list[str], words: str) -> None:
    podium = migrated_podium(tmp_path / "data")
    done = podium.run("queue", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_new_machine_has_nothing_in_its_queues_and_no_database_is_made(tmp_path: Path) -> None:
    podium = Podium(tmp_path / "data")
    said = ask(podium)
    assert "normal on a new machine" in said and "podium rank" in said and str(podium.data) in said
    document = json.loads(ask(podium, "--json"))
    assert {state["count"] for state in document["repositories"].values()} == {0}
    done = podium.run("queue", "retry", "7")
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no database" in done.stderr
    assert not podium.data.exists()
    migrated_podium(podium.data)
    after = json.loads(ask(podium, "--json"))
    assert after | {"at": 0} == document | {"at": 0}
    assert "That is normal" in ask(podium)


# Text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (7199, "119 min"), (7200, "2 h"), (172_800, "2 d")],
)
def test_a_span_of_time_is_shown_in_its_largest_unit(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_columns_line_up_whatever_stands_in_them() -> None:
    assert text_table(["A", "B"], [["漢字", "1"], ["x", "22"]], right={1}) == "A      B\n漢字   1\nx     22"


def test_no_text_of_a_repository_acts_on_the_terminal(db: Database) -> None:
    number = add_repository(db, key="github.com/o/\x1b[2J\u202e", state="failed")
    change(db, number, "error = :error", error="\x1b[31mred\nsecond")
    text = table(Inspector(db).overview())
    assert "\x1b" not in text
    assert "red second" in text
