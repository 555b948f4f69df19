"""The rate budget of tokens, in memory and in Redis."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Literal

import pytest

from podium.accounts.github.budget import (
    ANONYMOUS,
    Policy,
    Slot,
    TokenHealth,
    TokenRefused,
    TokenState,
    WaitUntil,
    settle,
    take,
    token_key,
)
from podium.accounts.github.faults import Action, BadToken, DelayUntil, Done, GiveUp, RetryAfter, Verdict
from podium.accounts.github.held_limits import HeldLimits
from podium.accounts.github.parse import Rate
from podium.accounts.github.redis_budget import RedisBudgetStore, dumps, loads
from podium.accounts.github.requests import Api, ParsedAnswer
from podium.accounts.github.token_pool import BudgetStore, MemoryBudgetStore, TokenPool
from podium.errors import QueueError
from podium.jobs.messages.redis_broker import connect
from podium.settings import Settings
from podium.storage.session import Database
from tests.support.valkey import Valkey, running_valkey

NOW = 1_800_000_000.0
POLICY = Policy()
SOON = NOW + POLICY.poll_seconds


class Desk:
    """One token's budget, step by step."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.state, self.policy, self._number = TokenState(), policy, 0

    def take(self, now: float, api: Api = "graphql") -> Slot | WaitUntil | TokenRefused:
        self._number += 1
        self.state, taken = take(self.state, self.policy, Slot(str(self._number), "key", api, 1, now))
        return taken

    def slot(self, now: float, api: Api = "graphql") -> Slot:
        taken = self.take(now, api)
        assert isinstance(taken, Slot), taken
        return taken

    def report(self, slot: Slot, now: float, rate: Rate | None = None, action: Action | None = None) -> None:
        self.state = settle(self.state, self.policy, slot, Verdict(ParsedAnswer(), action or Done(), rate), now)

    def ask(self, now: float, rate: Rate | None = None, action: Action | None = None) -> None:
        self.report(self.slot(now), now, rate, action)


def left(remaining: int, resets_at: float = NOW + 600, limit: int = 100) -> Rate:
    return Rate(limit, remaining, resets_at)


def test_the_first_request_is_sent_alone_and_the_others_wait_for_its_answer() -> None:
    desk = Desk()
    first = desk.slot(NOW)
    assert desk.take(NOW) == WaitUntil(SOON, limited=False)
    desk.report(first, NOW + 0.2, left(2))
    assert isinstance(desk.take(NOW + 0.2), Slot)
    assert isinstance(desk.take(NOW + 0.2), Slot)
    assert desk.take(NOW + 0.2) == WaitUntil(NOW + 600, limited=True)


def test_another_request_is_sent_if_the_first_is_never_answered() -> None:
    desk = Desk()
    desk.slot(NOW)
    assert isinstance(desk.take(NOW + 9), WaitUntil)
    assert isinstance(desk.take(NOW + 10), Slot)
    assert isinstance(desk.take(NOW + 10), WaitUntil)


def test_points_are_spent_once_in_any_order_of_answers() -> None:
    desk = Desk()
    desk.ask(NOW, left(4))
    slots = [desk.slot(NOW + 1) for _ in range(3)]
    desk.report(slots[2], NOW + 2, left(1))
    desk.report(slots[0], NOW + 2, left(3))
    desk.report(slots[1], NOW + 2, left(2))
    assert isinstance(desk.take(NOW + 2), Slot)
    assert desk.take(NOW + 2) == WaitUntil(NOW + 600, limited=True)


def test_use_of_the_token_elsewhere_lowers_the_remaining_points() -> None:
    desk = Desk()
    desk.ask(NOW, left(90))
    desk.ask(NOW, left(0))
    assert desk.take(NOW) == WaitUntil(NOW + 600, limited=True)


def test_a_spent_window_opens_when_it_resets_and_not_before() -> None:
    desk = Desk()
    desk.ask(NOW, left(0, limit=2))
    assert desk.take(NOW + 599.9) == WaitUntil(NOW + 600, limited=True)
    desk.ask(NOW + 600)
    desk.ask(NOW + 600)
    assert desk.take(NOW + 600) == WaitUntil(NOW + 600 + POLICY.poll_seconds, limited=False)
    desk.report(Slot("late", "key", "graphql", 1, NOW), NOW + 601, left(0, NOW + 4200, limit=2))
    assert desk.take(NOW + 601) == WaitUntil(NOW + 4200, limited=True)


def test_an_answer_from_the_previous_window_changes_nothing() -> None:
    desk = Desk()
    desk.ask(NOW, left(50))
    slow = desk.slot(NOW + 1)
    desk.ask(NOW + 700, left(99, NOW + 4200))
    desk.report(slow, NOW + 701, left(0, NOW + 600))
    assert isinstance(desk.take(NOW + 701), Slot)


def test_a_window_that_github_opened_early_is_adopted() -> None:
    desk = Desk()
    desk.ask(NOW, left(1))
    desk.ask(NOW, left(99, NOW + 3600))
    assert isinstance(desk.take(NOW), Slot)
    assert isinstance(desk.take(NOW), Slot)


def test_a_host_without_limits_is_not_limited() -> None:
    desk = Desk()
    desk.ask(NOW)
    for _ in range(POLICY.concurrency):
        desk.slot(NOW)


def test_any_minute_has_at_most_two_thousand_points() -> None:
    desk = Desk(Policy(graphql_minute=10))
    desk.ask(NOW)
    for second in (1, 1, 1, 1, 30, 30, 30, 30, 30):
        desk.ask(NOW + second)
    assert desk.take(NOW + 31) == WaitUntil(NOW + 61, limited=False)
    desk.ask(NOW + 61)
    assert desk.take(NOW + 61) == WaitUntil(NOW + 62, limited=False)
    assert isinstance(desk.take(NOW + 61, "core"), Slot)


def test_concurrency_is_bounded_and_a_crashed_workers_slot_expires() -> None:
    desk = Desk(Policy(concurrency=3, slot_seconds=100))
    desk.ask(NOW, left(99))
    slots = [desk.slot(NOW) for _ in range(3)]
    assert desk.take(NOW) == WaitUntil(SOON, limited=False)
    desk.report(slots[0], NOW + 1, left(98))
    assert isinstance(desk.take(NOW + 1), Slot)
    assert isinstance(desk.take(NOW + 50), WaitUntil)
    assert isinstance(desk.take(NOW + 100), Slot)


def test_a_primary_limit_applies_to_its_api_and_a_secondary_one_to_all() -> None:
    desk = Desk()
    desk.ask(NOW, action=DelayUntil(NOW + 60, "primary", ""))
    assert desk.take(NOW) == WaitUntil(NOW + 60, limited=True)
    desk.report(desk.slot(NOW, "core"), NOW, action=DelayUntil(NOW + 90, "secondary", ""))
    assert desk.take(NOW, "core") == WaitUntil(NOW + 90, limited=True)
    assert desk.take(NOW + 60) == WaitUntil(NOW + 90, limited=True)
    assert isinstance(desk.take(NOW + 90), Slot)


def test_concurrent_secondary_limits_count_once() -> None:
    desk = Desk()
    desk.ask(NOW, left(99))
    slots = [desk.slot(NOW) for _ in range(3)]
    for slot in slots:
        assert slot.strikes == 0
        desk.report(slot, NOW + 1, left(96), DelayUntil(NOW + 61, "secondary", ""))
    after = desk.slot(NOW + 61)
    assert after.strikes == 1
    desk.report(after, NOW + 62, left(95), DelayUntil(NOW + 182, "secondary", ""))
    again = desk.slot(NOW + 182)
    assert again.strikes == 2
    desk.report(again, NOW + 183, left(94))
    assert desk.slot(NOW + 183).strikes == 0


def test_a_late_success_does_not_reset_a_newer_limit() -> None:
    desk = Desk()
    desk.ask(NOW, left(99))
    slow, limited = desk.slot(NOW), desk.slot(NOW)
    desk.report(limited, NOW + 1, action=DelayUntil(NOW + 61, "secondary", ""))
    desk.report(slow, NOW + 2, left(97))
    assert desk.slot(NOW + 61).strikes == 1


@pytest.mark.parametrize("seed", range(50))
def test_no_request_starts_between_a_limit_and_its_end_in_any_order_of_answers(seed: int) -> None:
    dice = random.Random(seed)
    desk, now = Desk(Policy(concurrency=6)), NOW
    under_way: list[Slot] = []
    ends = {"": 0.0, "graphql": 0.0, "core": 0.0}
    waited = 0
    for _ in range(200):
        now += dice.choice((0, 0, 0.01, 0.3, 2.0))
        api: Api = dice.choice(("graphql", "core"))
        if under_way and dice.random() < 0.5:
            slot = under_way.pop(dice.randrange(len(under_way)))
            scope: Literal["primary", "secondary"] = dice.choice(("primary", "secondary"))
            until = now + dice.choice((1, 5, 60))
            actions = (Done(), RetryAfter(1, ""), BadToken(""), DelayUntil(until, scope, ""))
            action = dice.choices(actions, (4, 1, 0.1, 1))[0]
            desk.report(slot, now, left(90, now + 600), action)
            if isinstance(action, DelayUntil):
                limited = slot.api if scope == "primary" else ""
                ends[limited] = max(ends[limited], until)
            continue
        # A worker reads the clock before it waits for its turn to take a slot.
        taken = desk.take(now - dice.choice((0, 0, 0.2)), api)
        if isinstance(taken, Slot):
            assert now >= max(ends[""], ends[api])
            under_way.append(taken)
        waited += isinstance(taken, WaitUntil) and taken.limited
    assert waited


AHEAD = NOW + 30 * 86_400


@pytest.mark.parametrize(
    "action",
    [
        DelayUntil(AHEAD + 60, "secondary", ""),
        DelayUntil(AHEAD + 600, "primary", ""),
        BadToken(""),
        Done(),
    ],
)
def test_nothing_waits_for_a_clock_that_was_ahead_and_was_set_back(action: Action) -> None:
    desk = Desk()
    for number in range(POLICY.refusals):
        slot = Slot(str(number), "key", "graphql", 1, AHEAD)
        desk.report(slot, AHEAD, left(9, AHEAD + 600), action)
    # Its answer is lost.
    desk.state, _ = take(desk.state, POLICY, Slot("lost", "key", "graphql", 1, AHEAD + 1))
    desk.ask(NOW, left(1))
    desk.ask(NOW + 1, left(0))
    assert desk.take(NOW + 2) == WaitUntil(NOW + 600, limited=True)
    assert desk.state.strikes == 0


def test_a_fault_returns_the_slot_and_changes_nothing_else() -> None:
    desk = Desk()
    desk.ask(NOW, action=RetryAfter(1, ""))
    desk.slot(NOW)
    assert isinstance(desk.take(NOW), WaitUntil)


def test_a_token_is_known_by_its_hash_only() -> None:
    assert token_key("ghp_secret") == token_key("ghp_secret") != token_key("ghp_other")
    assert len(token_key("ghp_secret")) == 16 and "secret" not in token_key("ghp_secret")


class Remembered:
    """A limit store that survives its budget store."""

    def __init__(self) -> None:
        self.limits: dict[str, float] = {}

    def remember(self, key: str, until: float) -> None:
        self.limits[key] = max(until, self.limits.get(key, 0.0))

    def recall(self) -> Mapping[str, float]:
        return self.limits


def grant(pool: TokenPool, now: float = NOW) -> Slot:
    taken = pool.take(now)
    assert isinstance(taken, Slot), taken
    return taken


def verdict(rate: Rate | None = None, action: Action | None = None) -> Verdict:
    return Verdict(ParsedAnswer(), action or Done(), rate)


@pytest.fixture(params=["process", "redis"])
def store(request: pytest.FixtureRequest) -> Iterator[BudgetStore]:
    """An empty store, in memory and in Redis."""
    if request.param == "process":
        yield MemoryBudgetStore()
        return
    server: Valkey = request.getfixturevalue("valkey")
    server.flush()
    with connect(Settings(redis_url=server.url)) as client:
        yield RedisBudgetStore(client, "test")


def test_tokens_are_used_in_turn_and_a_spent_one_is_skipped(store: BudgetStore) -> None:
    pool = TokenPool(["a", "b"], store)
    keys = []
    for _ in range(6):
        slot = grant(pool)
        keys.append(slot.key)
        pool.report(slot, verdict(left(1 if slot.key == "a" else 90)), NOW)
    assert keys == ["a", "b", "a", "b", "b", "b"]


def test_a_pool_waits_for_the_first_of_its_tokens(store: BudgetStore) -> None:
    pool = TokenPool(["a", "b"], store)
    for until in (NOW + 600, NOW + 300):
        pool.report(grant(pool), verdict(left(0, until)), NOW)
    assert pool.take(NOW) == WaitUntil(NOW + 300, limited=True)


def refuse(pool: TokenPool, now: float = NOW) -> bool:
    slot = grant(pool, now)
    return pool.report(slot, verdict(action=BadToken("")), now)


def test_a_bad_token_is_reported_once_and_the_other_is_used(store: BudgetStore) -> None:
    pool = TokenPool(["a", "b"], store)
    slots = [grant(pool), grant(pool)]
    pool.report(slots[1], verdict(left(9)), NOW)
    said = [pool.report(slots[0], verdict(action=BadToken("")), NOW) for _ in range(POLICY.refusals + 2)]
    assert said == [False] * (POLICY.refusals - 1) + [True, False, False]
    assert {grant(pool).key for _ in range(3)} == {"b"}


def test_an_occasional_refusal_does_not_make_a_token_bad(store: BudgetStore) -> None:
    pool = TokenPool(["a"], store)
    for _ in range(5):
        assert [refuse(pool) for _ in range(POLICY.refusals - 1)] == [False] * (POLICY.refusals - 1)
        pool.report(grant(pool), verdict(left(90)), NOW)


def test_a_refused_token_is_tried_again_after_two_minutes_then_after_twice_as_long(store: BudgetStore) -> None:
    pool = TokenPool(["a"], store)
    assert [refuse(pool) for _ in range(POLICY.refusals)][-1]
    now = NOW
    for delay in (120, 240, 480, 900, 900, 900):
        assert pool.take(now + delay - 1) == TokenRefused()
        assert pool.health(now) == [TokenHealth(NOW, now + delay)]
        now += delay
        # Tried once then, and reported again.
        assert refuse(pool, now)
    pool.report(grant(pool, now + 900), verdict(left(9)), now + 900)
    assert pool.health(now + 900) == [TokenHealth()]
    # A token that worked meanwhile is tried soon again.
    assert [refuse(pool, now + 901) for _ in range(POLICY.refusals)][-1]
    assert isinstance(pool.take(now + 901 + 120), Slot)
    assert TokenPool([], store).take(NOW) == TokenRefused()


def test_one_request_finds_out_whether_a_refused_token_is_accepted_again(store: BudgetStore) -> None:
    pool = TokenPool(["a"], store)
    pool.report(grant(pool), verdict(left(90)), NOW)
    early = [grant(pool) for _ in range(3)]
    for _ in range(POLICY.refusals):
        refuse(pool)
    # Answers to requests from before say nothing new, whichever they are.
    pool.report(early[0], verdict(action=BadToken("")), NOW + 5)
    pool.report(early[1], verdict(left(80)), NOW + 5)
    pool.report(early[2], verdict(left(80)), NOW + 5)
    assert pool.health(NOW + 5) == [TokenHealth(NOW, NOW + 120)]
    grant(pool, NOW + 120)
    assert isinstance(pool.take(NOW + 120), WaitUntil)


def test_a_token_that_is_denied_a_repository_is_remembered_for_an_hour(store: BudgetStore) -> None:
    pool = TokenPool(["a"], store)
    pool.report(grant(pool), verdict(action=GiveUp("sso", "")), NOW)
    pool.report(grant(pool), verdict(left(9)), NOW)
    assert pool.health(NOW + 3599) == [TokenHealth(denied=("sso",))]
    assert pool.health(NOW + 3601) == [TokenHealth()]


def test_an_earlier_version_reads_the_state_of_a_token_that_is_accepted() -> None:
    assert not {"refused_since", "denied"} & json.loads(dumps(TokenState())).keys()
    refused = TokenState(refused_since=NOW, denied={"sso": NOW})
    assert loads(dumps(refused)) == refused


@pytest.mark.parametrize(
    "limited",
    [
        verdict(left(0)),
        verdict(action=DelayUntil(NOW + 600, "secondary", "")),
        verdict(action=DelayUntil(NOW + 600, "primary", "")),
    ],
)
def test_a_limit_in_force_survives_a_flushed_store(limited: Verdict) -> None:
    memory = Remembered()
    pool = TokenPool(["a"], MemoryBudgetStore(), memory)
    pool.report(grant(pool), limited, NOW)
    assert memory.limits == {"a": NOW + 600}
    flushed = TokenPool(["a"], MemoryBudgetStore(), memory)
    assert flushed.take(NOW + 1) == WaitUntil(NOW + 600, limited=True)
    assert isinstance(flushed.take(NOW + 600), Slot)


def test_a_remembered_limit_is_replaced_if_a_clock_was_ahead(db: Database) -> None:
    limits, now = HeldLimits(db), time.time()
    for until in (now + 600, now + 300, now + 30 * 86_400, now + 900):
        limits.remember("a", until)
    assert limits.recall() == {"a": now + 900}


def test_nothing_is_remembered_without_a_limit(store: BudgetStore) -> None:
    memory = Remembered()
    pool = TokenPool([ANONYMOUS], store, memory)
    pool.report(grant(pool), verdict(left(9)), NOW)
    assert memory.limits == {}


def test_threads_share_one_budget(store: BudgetStore) -> None:
    pool = TokenPool(["a"], store)
    pool.report(grant(pool), verdict(left(100, limit=101)), NOW)
    granted: list[Slot] = []

    def work() -> None:
        while True:
            taken = pool.take(NOW)
            if isinstance(taken, WaitUntil) and taken.limited:
                return
            if isinstance(taken, Slot):
                granted.append(taken)
                pool.report(taken, verdict(left(max(0, 100 - len(granted)), limit=101)), NOW)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 100
    assert len({slot.id for slot in granted}) == len(granted)


# --- in Redis


def test_a_state_survives_serialisation() -> None:
    desk = Desk()
    desk.ask(NOW, left(90))
    desk.slot(NOW + 1)
    desk.report(desk.slot(NOW + 1, "core"), NOW + 2, left(5), DelayUntil(NOW + 90, "secondary", ""))
    assert desk.state.windows and desk.state.held and desk.state.slots and desk.state.spent and desk.state.strikes
    assert loads(dumps(desk.state)) == desk.state
    assert "secret" not in dumps(desk.state)


@pytest.mark.parametrize("text", ["", "[]", "null", '{"windows": 1}', '{"held": {}, "new": 1}', '{"slots": [[{}, 1]]}'])
def test_a_state_of_another_version_is_ignored(text: str) -> None:
    assert loads(text) is None


def test_an_unreachable_redis_is_a_queue_error() -> None:
    with running_valkey() as server, connect(Settings(redis_url=server.url)) as client:
        pool = TokenPool(["a"], RedisBudgetStore(client, "test"))
        grant(pool)
        server.stop()
        with pytest.raises(QueueError, match="Redis"):
            pool.take(NOW)


# A user worker: takes a slot, lets the "host" count the request, reports the host's answer.
_WORKER = """
import sys, time
from podium.accounts.github.budget import Slot, WaitUntil
from podium.accounts.github.held_limits import HeldLimits
from podium.accounts.github.parse import Rate
from podium.accounts.github.requests import ParsedAnswer
from podium.accounts.github.faults import Done, Verdict
from podium.accounts.github.redis_budget import RedisBudgetStore
from podium.accounts.github.token_pool import TokenPool
import redis

client = redis.Redis.from_url(sys.stdin.readline().strip())
pool = TokenPool(["a"], RedisBudgetStore(client, "test"))
# Start together: one process could finish before the others are imported.
client.incr("ready")
while int(client.get("ready")) < 4:
    time.sleep(0.01)
reset = float(sys.argv[1])
while True:
    taken = pool.take(time.time())
    if isinstance(taken, WaitUntil) and taken.limited:
        break
    if isinstance(taken, Slot):
        most = client.incr("at-once")
        client.zadd("most-at-once", {"n": most}, gt=True)
        number = client.incr("requests")
        client.decr("at-once")
        pool.report(taken, Verdict(ParsedAnswer(), Done(), Rate(200, max(0, 200 - number), reset)), time.time())
"""


def test_four_processes_share_one_budget_exactly(valkey: Valkey) -> None:
    valkey.flush()
    reset = time.time() + 3000
    workers = [
        subprocess.Popen([sys.executable, "-c", _WORKER, str(reset)], stdin=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for worker in workers:
        assert worker.stdin
        worker.stdin.write(valkey.url + "\n")
        worker.stdin.close()
    assert [worker.wait(60) for worker in workers] == [0, 0, 0, 0]
    with valkey.client() as client:
        assert client.get("requests") == b"200"
        most = client.zscore("most-at-once", "n")
        # They ran concurrently, and within the limit.
        assert 2 <= most <= POLICY.concurrency
        (key,) = client.keys("test:*")
        assert 0 < client.ttl(key) <= 7200


def test_the_budget_of_several_tokens_is_their_sum(store: BudgetStore) -> None:
    pool = TokenPool(["one", "two"], store)
    assert pool.windows(1000.0) == {}
    for remaining, resets_at in ((4000, 3000.0), (1000, 2000.0)):
        slot = pool.take(1000.0)
        assert isinstance(slot, Slot)
        pool.report(slot, Verdict(ParsedAnswer(), Done(), Rate(5000, remaining, resets_at)), 1001.0)
    window = pool.windows(1002.0)["graphql"]
    assert (window.limit, window.remaining, window.resets_at) == (10_000, 5000, 2000.0)
    # The second token's hour is over, without a request since.
    assert pool.windows(2500.0)["graphql"].remaining == 9000
