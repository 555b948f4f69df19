"""The queues: in memory together with SQLite, in Valkey together with PostgreSQL."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
import redis
from dramatiq import Message

from podium.errors import BadSetting, QueueError
from podium.jobs.messages import broker, redis_broker
from podium.jobs.messages.broker import Backend, JobQueues
from podium.jobs.messages.queues import COMMITS, USERS
from podium.jobs.messages.redis_broker import RedisBackend, connect
from podium.jobs.messages.redis_queues import NAMESPACE
from podium.jobs.messages.wake_ups import WakeUps
from podium.jobs.overflow import RunningJob
from podium.jobs.reconciler import LeadingReconciler, reconciler
from podium.settings import Settings
from podium.storage.session import Database
from tests.support.rows import RecordingQueues, add_repository
from tests.support.server import wait_until
from tests.support.valkey import Valkey, running_valkey


class Handler:
    """Remembers the messages it handled, and waits or fails on request."""

    def __init__(self) -> None:
        self.done: list[tuple[int, ...]] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.failures = 0

    def __call__(self, *arguments: int | RunningJob) -> None:
        ids = tuple(each for each in arguments if isinstance(each, int))
        self.go_on.wait(30)
        if self.failures:
            self.failures -= 1
            raise RuntimeError("on request")
        self.done.append(ids)


@contextmanager
def running(backend: Backend, handler: Handler, *, commits: int = 1, users: int = 1) -> Iterator[JobQueues]:
    engine = JobQueues(backend, handler, handler, commit_threads=commits, user_threads=users)
    engine.start()
    try:
        yield engine
    finally:
        handler.go_on.set()
        engine.stop()


def test_messages_are_handled(backend: Backend) -> None:
    handler = Handler()
    with running(backend, handler) as engine:
        engine.check()
        engine.enqueue_commits(7)
        engine.enqueue_users(7, 1, 3)
        wait_until(lambda: len(handler.done) == 2, "both messages")
        assert sorted(handler.done) == [(7,), (7, 1, 3)]
        wait_until(engine.is_idle, "the threads to have nothing in hand")
        assert backend.waiting(COMMITS, USERS) == 0


def test_a_delay_is_kept(backend: Backend) -> None:
    handler = Handler()
    with running(backend, handler) as engine:
        engine.enqueue_commits(1, delay=0.4)
        engine.enqueue_commits(2)
        wait_until(lambda: len(handler.done) == 2, "both messages")
    assert handler.done == [(2,), (1,)]


def test_messages_wait_while_no_thread_runs(backend: Backend) -> None:
    handler = Handler()
    with running(backend, handler, commits=0, users=0) as engine:
        engine.enqueue_commits(1)
        engine.enqueue_commits(2)
        assert (backend.waiting(COMMITS), backend.waiting(USERS)) == (2, 0)
        assert handler.done == []


def test_a_process_takes_no_more_messages_than_it_has_threads(backend: Backend) -> None:
    handler = Handler()
    handler.go_on.clear()
    with running(backend, handler, commits=1, users=1) as engine:
        for number in range(5):
            engine.enqueue_commits(number)
        wait_until(lambda: backend.waiting(COMMITS) == 4 and not engine.is_idle(), "one to be taken")
        # Meanwhile the free thread of the other queue takes one message.
        for number in range(3):
            engine.enqueue_users(number, 1, 0)
        wait_until(lambda: backend.waiting(USERS) == 2, "a message of the other queue to be taken")
        assert backend.waiting(COMMITS) == 4
        handler.go_on.set()
        wait_until(lambda: len(handler.done) == 8, "all of them")


def test_a_handler_that_fails_is_called_again(
    backend: Backend, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(broker._RETRIES, "min_backoff", 50)
    caplog.set_level(logging.CRITICAL)
    handler = Handler()
    handler.failures = 1
    with running(backend, handler) as engine:
        engine.enqueue_commits(1)
        wait_until(lambda: handler.done == [(1,)], "the second try")


def test_new_queues_get_everything_unfinished_once(db: Database, backend: Backend) -> None:
    numbers = [add_repository(db, key=str(n)) for n in range(3)]
    queues = RecordingQueues()
    assert backend.is_fresh()
    LeadingReconciler(db, queues, _with_queues(backend), 1.0)()
    assert queues.enqueued == [(number,) for number in numbers]
    assert not backend.is_fresh()
    LeadingReconciler(db, queues, backend, 1.0)()
    assert len(queues.enqueued) == 3


def _with_queues(backend: Backend) -> Backend:
    JobQueues(backend, Handler(), Handler(), commit_threads=0, user_threads=0)
    return backend


def test_while_messages_wait_nothing_is_enqueued_twice(db: Database, backend: Backend) -> None:
    engine = JobQueues(backend, Handler(), Handler(), commit_threads=0, user_threads=0)
    number = add_repository(db)
    backend.note_filled()
    with db.write() as session:
        session.run("UPDATE repository SET updated_at = {now} - 300, enqueued_at = {now} - 60")
    engine.enqueue_commits(number)
    queues = RecordingQueues()
    LeadingReconciler(db, queues, backend, 1.0)()
    assert queues.enqueued == []


def test_a_lost_message_is_enqueued_again_once_the_queue_is_empty(db: Database, backend: Backend) -> None:
    _with_queues(backend)
    number = add_repository(db)
    backend.note_filled()
    with db.write() as session:
        session.run("UPDATE repository SET updated_at = {now} - 300, enqueued_at = {now} - 60")
    queues = RecordingQueues()
    LeadingReconciler(db, queues, backend, 1.0)()
    assert queues.enqueued == [(number,)]


# --- Redis only


@pytest.fixture
def redis_backend(valkey: Valkey) -> Iterator[RedisBackend]:
    valkey.flush()
    with connect(Settings(redis_url=valkey.url)) as client:
        yield RedisBackend(client)


def test_a_flushed_redis_is_filled_by_the_next_reconciliation(
    db: Database, valkey: Valkey, redis_backend: RedisBackend
) -> None:
    engine = JobQueues(redis_backend, Handler(), Handler(), commit_threads=0, user_threads=0)
    for n in range(5):
        engine.enqueue_commits(add_repository(db, key=str(n)))
    redis_backend.note_filled()
    LeadingReconciler(db, engine, redis_backend, 1.0)()
    assert redis_backend.waiting(COMMITS) == 5
    valkey.flush()
    assert redis_backend.waiting(COMMITS) == 0
    LeadingReconciler(db, engine, redis_backend, 1.0)()
    assert redis_backend.waiting(COMMITS) == 5


def test_an_outage_of_redis_loses_no_repository(caplog: pytest.LogCaptureFixture, db: Database) -> None:
    caplog.set_level(logging.CRITICAL + 1)
    with running_valkey() as server, connect(Settings(redis_url=server.url)) as client:
        backend, handler = RedisBackend(client), Handler()
        with running(backend, handler) as engine:
            thread = reconciler(db, engine, backend, 0.2)
            thread.start()
            engine.enqueue_commits(add_repository(db, key="before"))
            wait_until(lambda: (1,) in handler.done, "the first")
            server.stop()
            with pytest.raises(QueueError, match="Redis") as error:
                engine.check()
            assert "ssword" not in error.value.message
            engine.enqueue_commits(add_repository(db, key="while it is away"))
            assert (2,) not in handler.done
            server.start()
            wait_until(lambda: (2,) in handler.done, "the second, enqueued by the reconciler")
            thread.stop()


def test_a_busy_worker_sends_heartbeats(
    valkey: Valkey, redis_backend: RedisBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Milliseconds.
    monkeypatch.setattr(redis_broker, "HEARTBEAT_TIMEOUT", 3_000)
    handler = Handler()
    handler.go_on.clear()
    with running(redis_backend, handler, commits=1, users=0) as engine, valkey.client() as client:
        engine.enqueue_commits(1)
        wait_until(lambda: not engine.is_idle(), "it to be busy")

        def heartbeats() -> dict[bytes, float]:
            return dict(client.zrange(f"{NAMESPACE}:__heartbeats__", 0, -1, withscores=True))

        before = heartbeats()
        wait_until(
            lambda: any(heartbeats()[each] - before[each] > 3_000 / 4 for each in before), "a heartbeat of its own"
        )
        assert handler.done == []


def test_the_next_message_is_taken_as_soon_as_one_is_acknowledged(redis_backend: RedisBackend) -> None:
    redis = redis_backend.broker(COMMITS, [], threading.Event())
    redis.declare_queue(COMMITS)
    for number in range(2):
        redis.enqueue(Message(queue_name=COMMITS, actor_name=COMMITS, args=(number,), kwargs={}, options={}))
    hour = 3_600_000
    consumer: Any = redis.consume(COMMITS, prefetch=1, timeout=hour)
    first = next(consumer)
    taken: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=lambda: taken.put(next(consumer)), daemon=True).start()
    # Not before the acknowledgement, and not an hour later.
    with pytest.raises(queue.Empty):
        taken.get(timeout=0.2)
    consumer.ack(first)
    second = taken.get(timeout=30)
    assert [first.args, second.args] == [(0,), (1,)]
    consumer.nack(second)
    assert next(consumer) is None


@pytest.mark.parametrize("option", ["socket_timeout=soon", "secrets=1"])
def test_a_bad_redis_url_is_not_in_the_message(option: str) -> None:
    with pytest.raises(BadSetting, match="REDIS_URL") as error:
        connect(Settings(redis_url=f"redis://:secret@host/1?{option}"))
    assert "sec" not in error.value.message
    assert error.value.__suppress_context__


def test_redis_can_be_configured_in_parts() -> None:
    client = connect(Settings(redis_host="r.example", redis_port=7000, redis_password="p/w", redis_tls=True))
    options = client.connection_pool.connection_kwargs
    assert (options["host"], options["port"], options["password"]) == ("r.example", 7000, "p/w")
    assert "SSL" in client.connection_pool.connection_class.__name__
    client = connect(Settings(redis_url="redis://r.example/3", redis_password="p/w", redis_tls=True))
    options = client.connection_pool.connection_kwargs
    assert (options["host"], options["db"], options["password"]) == ("r.example", 3, "p/w")
    assert "SSL" in client.connection_pool.connection_class.__name__


def test_one_process_leads_and_another_follows_when_it_stops(redis_backend: RedisBackend) -> None:
    other = RedisBackend(redis_backend._client)
    assert redis_backend.leads("reconciler", 60)
    assert not other.leads("reconciler", 60)
    assert redis_backend.leads("reconciler", 60)
    assert other.leads("schedule", 60)
    assert redis_backend.has_leader("schedule")
    other.stop_leading()
    assert not other.leads("reconciler", 60)
    assert not redis_backend.has_leader("schedule")
    redis_backend.stop_leading()
    assert other.leads("reconciler", 60)


class ClosedPubSub:
    """A subscription whose connection is closed by another thread while it is read."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.is_read, self.is_closed = threading.Event(), threading.Event()

    def __enter__(self) -> ClosedPubSub:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def subscribe(self, channel: str) -> None:
        pass

    def get_message(self, *, timeout: float) -> None:
        self.is_read.set()
        assert self.is_closed.wait(timeout)
        raise self.error


# What redis-py raises then: there is no socket, or no buffer.
@pytest.mark.parametrize("error", [ValueError, AttributeError, redis.ConnectionError])
def test_wake_ups_end_when_their_client_is_closed(error: type[Exception]) -> None:
    subscription = ClosedPubSub(error())
    wake_ups = WakeUps(cast(redis.Redis, SimpleNamespace(pubsub=lambda **_: subscription)))
    wake_ups.add(COMMITS, lambda: None)
    assert subscription.is_read.wait(5)
    wake_ups.close()
    subscription.is_closed.set()
    wake_ups._thread.join(5)
    assert not wake_ups._thread.is_alive()
