"""Limits and names of clients, in one process and in several."""

from __future__ import annotations

import logging

import pytest
from limits import RateLimitItem, RateLimitItemPerMinute

from podium.app.processes.api_redis import shared_by_processes
from podium.errors import QueueError, TooManyRequests
from podium.repositories.fair_queue import NETWORK_SHARE, wider_prefix
from podium.settings import Settings
from podium.web.admin_sessions import Sessions
from podium.web.client_ids import ClientIds
from podium.web.client_limits import ClientLimit, Counters
from podium.web.clients import network_of
from podium.web.shared_state import PAUSE, SharedOrOwn
from tests.support.limit_clock import LimitClock
from tests.support.valkey import Valkey


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> LimitClock:
    return LimitClock(monkeypatch)


def per_minute(amount: int) -> RateLimitItem:
    return RateLimitItemPerMinute(amount, namespace="test")


def admitted(limit: ClientLimit, address: str, times: int, cost: int = 1) -> int:
    """How many of ``times`` attempts the limit admits."""
    count = 0
    for _ in range(times):
        try:
            limit.take(network_of(address), cost)
        except TooManyRequests as error:
            assert 1 <= error.retry_after <= 60
            continue
        count += 1
    return count


def test_each_client_has_a_limit_that_passes_with_time(clock: LimitClock) -> None:
    limit = ClientLimit(Counters(), per_minute(10), "tries")
    clock.now = 60.0 * 30_000_000
    assert admitted(limit, "192.0.2.1", 12) == 10
    assert admitted(limit, "192.0.2.2", 12) == 10
    clock.now += 60
    assert admitted(limit, "192.0.2.1", 12) < 10
    clock.now += 120
    assert admitted(limit, "192.0.2.1", 12) == 10


def test_cost_counts_as_much_as_many_attempts() -> None:
    limit = ClientLimit(Counters(), per_minute(10), "tries")
    assert admitted(limit, "192.0.2.1", 5, cost=4) == 2
    assert admitted(limit, "192.0.2.1", 5) == 2


def test_no_amount_is_no_limit() -> None:
    assert admitted(ClientLimit(Counters(), per_minute(0), "tries"), "192.0.2.1", 100) == 100


def test_the_clients_of_a_48_network_share_a_limit() -> None:
    limit = ClientLimit(Counters(), per_minute(5), "tries")
    total = sum(admitted(limit, f"2001:db8:1:{n:x}::1", 3) for n in range(20))
    assert total == 5 * NETWORK_SHARE
    with pytest.raises(TooManyRequests, match=r"from your network \(2001:db8:1::/48\): the limit is 20 per minute"):
        limit.take(network_of("2001:db8:1:ffff::1"))
    assert admitted(limit, "2001:db8:2::1", 9) == 5
    assert admitted(limit, "192.0.2.1", 9) == 5


def test_what_a_client_tries_in_vain_does_not_count_for_its_network() -> None:
    limit = ClientLimit(Counters(), per_minute(5), "tries")
    assert admitted(limit, "2001:db8:1:1::1", 100) == 5
    assert admitted(limit, "2001:db8:1:2::1", 5) == 5


def test_limits_do_not_count_for_each_other() -> None:
    counters = Counters()
    one, other = (ClientLimit(counters, RateLimitItemPerMinute(3, namespace=name), name) for name in "ab")
    assert admitted(one, "192.0.2.1", 5) == admitted(other, "192.0.2.1", 5) == 3


def test_processes_share_limits_and_names_through_redis(valkey: Valkey) -> None:
    valkey.flush()
    settings = Settings(redis_url=valkey.url)
    with (
        shared_by_processes(settings) as (counters, ids, ended),
        shared_by_processes(settings) as (others, other_ids, others_ended),
    ):
        one, other = ClientLimit(counters, per_minute(5), "tries"), ClientLimit(others, per_minute(5), "tries")
        assert admitted(one, "2001:db8:1:1::1", 3) + admitted(other, "2001:db8:1:1::1", 9) == 5
        assert sum(admitted((one, other)[n % 2], f"2001:db8:1:f{n}::1", 3) for n in range(9)) == 15
        client = network_of("2001:db8:1:1::1")
        assert ids.of(client) == other_ids.of(client)
        one_process, another = (Sessions("a token of 16 bytes", ended=each) for each in (ended, others_ended))
        first, second = one_process.new(), one_process.new()
        assert another.is_valid(first)
        one_process.end(first)
        assert [each.is_valid(first) for each in (one_process, another)] == [False, False]
        assert another.is_valid(second)
        with valkey.client() as store:
            keys = list(store.scan_iter("podium:*"))
            assert keys and all(int(store.ttl(key)) > 0 for key in keys)


def test_without_redis_each_process_limits_alone_and_says_so_once(
    valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = valkey.url.replace(str(valkey.port), "1")
    with shared_by_processes(Settings(redis_url=nowhere)) as (counters, ids, ended):
        limit = ClientLimit(counters, per_minute(5), "tries")
        assert admitted(limit, "192.0.2.1", 9) == 5
        assert ids.of(network_of("192.0.2.1")) == ids.of(network_of("192.0.2.1"))
        sessions = Sessions("a token of 16 bytes", ended=ended)
        first, second = sessions.new(), sessions.new()
        sessions.end(first)
        assert (sessions.is_valid(first), sessions.is_valid(second)) == (False, True)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "each API process alone" in warnings[0]
    assert "pässword" not in warnings[0]


def test_after_a_fault_redis_is_not_asked_until_a_pause_is_over() -> None:
    now, asked = [0.0], 0
    either = SharedOrOwn(QueueError, clock=lambda: now[0])

    def shared() -> str:
        nonlocal asked
        asked += 1
        if now[0] < PAUSE:
            raise QueueError("Redis is away.")
        return "shared"

    assert [either.ask(shared, lambda: "own") for _ in range(5)] == ["own"] * 5
    assert asked == 1
    now[0] = PAUSE
    assert either.ask(shared, lambda: "own") == "shared"


def test_client_ids_reveal_no_address_and_differ_between_processes() -> None:
    here, there = ClientIds(), ClientIds()
    one, other = network_of("10.0.0.1"), network_of("10.0.0.2")
    assert here.of(one) == here.of(one) != here.of(other)
    assert here.of(one) != there.of(one)
    assert wider_prefix(here.of(one)) is None


def test_client_ids_of_one_network_have_the_same_prefix() -> None:
    ids = ClientIds()
    one, neighbour, other = (ids.of(network_of(f"2001:db8:{n}::1")) for n in ("1:1", "1:2", "2:1"))
    assert one != neighbour
    assert wider_prefix(one) == wider_prefix(neighbour) != wider_prefix(other)


def test_an_agreed_key_outlives_an_outage() -> None:
    answers = [b"k" * 16]

    def agree(_: bytes) -> bytes:
        if not answers:
            raise QueueError("Redis is away.")
        return answers.pop()

    ids = ClientIds(agree)
    before = ids.of(network_of("192.0.2.1"))
    assert ids.of(network_of("192.0.2.1")) == before
