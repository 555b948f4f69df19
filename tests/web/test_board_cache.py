"""Ready-made boards: made once, kept within bounds, never older than the database, and told to those who watch."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import gzip
import json
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from starlette.types import Message

from podium.errors import NotFound, StorageError, TooManyRequests
from podium.leaderboard.board_data import BoardData, Ranked
from podium.repositories.fair_queue import NETWORK_SHARE
from podium.repositories.model import Repository, State
from podium.repositories.store import queries
from podium.storage.transactions import own_writes
from podium.storage.transactions.time_limits import NORMAL, TimeLimit
from podium.web.cache.boards import MAX_ACCOUNT_AGE, BoardCache
from podium.web.cache.cached_response import CachedResponse
from podium.web.cache.listing_cache import ListingCache
from podium.web.cache.memory import MemoryCache
from podium.web.cache.read_moment import FRESH
from podium.web.cache.row_batcher import RowBatcher
from podium.web.clients import network_of
from podium.web.live import pubsub
from podium.web.live.events import EventStream
from podium.web.live.pubsub import PubSub
from tests.support.commit_logs import save_log_of_people
from tests.support.server import PATIENCE
from tests.support.web import NOW, Site, is_problem

# Rows


class CountingDatabase:
    """Counts the transactions that only read, and can be made to wait or to fail."""

    def __init__(self, site: Site) -> None:
        self._db = site.db
        self.readings = 0
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False

    def read(self, _limit: TimeLimit = NORMAL) -> Any:
        self.readings += 1
        self.gate.wait(10)
        if self.broken:
            raise StorageError("The database is away.")
        return self._db.read()


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(asyncio.wait_for(work(), PATIENCE))


def test_however_many_ask_at_once_the_database_is_asked_twice(site: Site) -> None:
    number = site.repository()
    db = CountingDatabase(site)

    async def ask() -> list[Repository | None]:
        reader = RowBatcher(db)  # type: ignore[arg-type]
        first = asyncio.ensure_future(reader.read("github.com/octo/hello"))
        await asyncio.sleep(0)
        # The first is on its way: all others share the next, whatever they ask for.
        others = [
            reader.read(key) for key in ("github.com/octo/hello", number, "github.com/no/one", 99) for _ in range(50)
        ]
        return [await first, *await asyncio.gather(*others)]

    rows = run(ask)
    assert db.readings <= 2
    assert [row.id if row else None for row in rows] == [number] * 101 + [None] * 100


def test_what_is_read_is_never_older_than_the_question(site: Site) -> None:
    site.repository(state="pending")
    db = CountingDatabase(site)
    db.gate.clear()

    async def ask() -> tuple[Repository | None, Repository | None]:
        reader = RowBatcher(db)  # type: ignore[arg-type]
        first = asyncio.ensure_future(reader.read(1))
        await asyncio.sleep(0.01)
        with site.db.write() as session:
            session.run("UPDATE repository SET state = 'failed'")
        second = asyncio.ensure_future(reader.read(1))
        await asyncio.sleep(0)
        db.gate.set()
        return await first, await second

    _, second = run(ask)
    assert second is not None
    assert second.state == "failed"
    assert db.readings == 2


def test_a_failed_read_fails_only_for_the_requests_that_wait_for_it(site: Site) -> None:
    site.repository()
    db = CountingDatabase(site)
    db.broken = True

    async def ask() -> None:
        reader = RowBatcher(db)  # type: ignore[arg-type]
        found = await asyncio.gather(*(reader.read(1) for _ in range(3)), return_exceptions=True)
        assert [type(error) for error in found] == [StorageError] * 3
        # A cancelled caller does not cancel the read of the others.
        gone = asyncio.ensure_future(reader.read(1))
        await asyncio.sleep(0)
        gone.cancel()
        db.broken = False
        assert (await reader.read(1)) is not None

    run(ask)


def test_a_hot_board_is_read_twice_a_second_and_after_each_write_of_this_process(site: Site) -> None:
    number = site.repository()
    db, now = CountingDatabase(site), [0.0]

    async def ask() -> list[int]:
        reader = RowBatcher(db, lambda: now[0])  # type: ignore[arg-type]

        async def read_often() -> int:
            for _ in range(20):
                assert (await reader.read(number)) is not None
            return db.readings

        readings = [await read_often(), await read_often()]
        now[0] += FRESH
        readings.append(await read_often())
        site.change(number, total_commits=77)
        for _ in range(20):
            row = await reader.read(number)
            assert row is not None
            assert row.total_commits == 77
        return [*readings, db.readings]

    assert run(ask) == [1, 1, 2, 3]


def test_a_name_that_another_repository_has_by_now_does_not_lead_to_the_one_before(site: Site) -> None:
    renamed = site.repository()
    name, new_name = "github.com/octo/hello", "github.com/octo/present"

    async def ask() -> list[int | None]:
        reader = RowBatcher(site.db, lambda: 0.0)
        assert (await reader.read(name)) is not None
        site.change(renamed, key=new_name, url=f"https://{new_name}", name="present")
        other = site.repository()
        # The board is hot under its present name.
        rows = [await reader.read(key) for key in (new_name, name, new_name, name)]
        assert other != renamed
        return [row.id if row else None for row in rows]

    assert run(ask) == [renamed, renamed + 1] * 2


def test_an_unfinished_repository_is_read_for_each_request(site: Site) -> None:
    number = site.repository(state="pending")
    db = CountingDatabase(site)

    async def ask() -> None:
        reader = RowBatcher(db, lambda: 0.0)  # type: ignore[arg-type]
        for _ in range(3):
            await reader.read(number)

    run(ask)
    assert db.readings == 3


# The list


def test_a_page_of_the_list_is_made_once_for_a_moment_and_again_after_a_write(site: Site) -> None:
    made, now = [], [0.0]

    def make() -> CachedResponse:
        made.append(1)
        return CachedResponse.json([len(made)])

    async def ask() -> list[bytes]:
        listings = ListingCache(lambda: now[0])
        pages = list(await asyncio.gather(*(listings.get("a", make) for _ in range(20))))
        pages.append(await listings.get("a", make))
        now[0] += FRESH
        pages.append(await listings.get("a", make))
        own_writes.note()
        pages.append(await listings.get("a", make))
        return [page.plain for page in pages]

    assert run(ask) == [b"[1]"] * 21 + [b"[2]", b"[3]"]


def test_a_page_of_the_list_that_fails_is_made_again(site: Site) -> None:
    fails = [True]

    def make() -> CachedResponse:
        if fails.pop():
            raise StorageError("The database is away.")
        return CachedResponse.json([])

    async def ask() -> None:
        listings = ListingCache(lambda: 0.0)
        with pytest.raises(StorageError):
            await listings.get("a", make)
        fails.append(False)
        assert (await listings.get("a", make)).plain == b"[]"

    run(ask)


def test_a_path_of_this_machine_is_not_shown(site: Site) -> None:
    number = site.repository()
    with site.db.write() as session:
        session.run("UPDATE repository SET host = ''")

    async def ask() -> None:
        reader = RowBatcher(site.db)
        assert await reader.read(number) is None
        assert await reader.read("github.com/octo/hello") is None

    run(ask)


# Cache


class Thing:
    def __init__(self, size: int) -> None:
        self.size = size


def test_cache_keeps_within_its_bytes_what_was_used_last() -> None:
    cache = MemoryCache(10_000)
    things = [Thing(2_000) for _ in range(5)]
    for number, thing in enumerate(things[:4]):
        cache.put((number,), thing)
    assert cache.size <= 10_000
    assert cache.get((0,)) is things[0]
    cache.put((4,), things[4])
    assert [cache.get((number,)) is not None for number in range(5)] == [True, False, True, True, True]
    cache.put(("giant",), Thing(6_000))
    assert cache.get(("giant",)) is None
    assert cache.size <= 10_000
    cache.put((4,), Thing(100))
    cache.drop(lambda key: key == (0,))
    assert cache.get((0,)) is None
    assert cache.size == 2 * 2_500 + 600


def test_cache_makes_a_value_once_for_all_threads_that_ask() -> None:
    cache, made = MemoryCache(10_000), []
    started = threading.Barrier(8)

    def make() -> Thing:
        time.sleep(0.02)
        made.append(1)
        return Thing(10)

    def ask() -> None:
        started.wait()
        found.append(cache.once(("x",), make))

    found: list[Thing] = []
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(set(map(id, found))) == 1
    assert cache._making == {}


@pytest.mark.parametrize(
    "path",
    [
        "/r/octo/hello",
        "/r/octo/hello?since=2020-01-01",
        "/r/octo/hello?find=ada",
        "/r/octo/hello/-/people/~2",
        "/compare?repo=octo/hello&person=~2&person=~3",
        "/r/octo/hello/badge.svg",
        "/r/octo/hello/card.svg",
        "/r/octo/hello/preview.png",
        "/leaderboard?repoUrl=https://github.com/octo/hello&since=2020-01-01",
        "/leaderboard/person?repoUrl=https://github.com/octo/hello&person=~2",
        "/r/octo/hello/board.csv",
    ],
)
def test_a_board_is_not_kept_until_python_looks_for_garbage(site: Site, path: str) -> None:
    repository = site.repository()
    for name in ("ada", "bob"):
        site.person(repository, name, f"{name}@example.com", 3)
    client = site.client()
    # What is made once for all.
    client.get(path)
    gc.disable()
    # What is there leaves the youngest generation, where all that follows stays.
    gc.collect(0)
    try:
        site.change(repository, commits_processed_at=NOW + 1)
        assert client.get(path).status_code == 200, path
        kept = [each for each in gc.get_objects(generation=0) if isinstance(each, BoardData | Ranked)]
    finally:
        gc.enable()
    assert not kept


def test_cache_forgets_a_value_that_could_not_be_made() -> None:
    cache = MemoryCache(10_000)
    with pytest.raises(ValueError, match="no"):
        cache.once(("x",), lambda: (_ for _ in ()).throw(ValueError("no")))
    assert cache._making == {}
    assert cache.once(("x",), lambda: Thing(1)).size == 1
    assert cache._making == {}


# Answers


def answer(body: CachedResponse, **headers: str) -> tuple[int, dict[str, str], bytes]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    raw = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    asyncio.run(body.send(raw, send))
    return (
        sent[0]["status"],
        {name.decode(): value.decode() for name, value in sent[0]["headers"]},
        b"".join(message.get("body", b"") for message in sent[1:]),
    )


def test_a_response_is_gzipped_for_clients_that_accept_it() -> None:
    body = CachedResponse.of(b"x" * 5_000, "text/plain", {"X-Own": "1"})
    for accepts in ("gzip", "br, gzip", "gzip;q=0.5", "deflate,gzip"):
        status, headers, content = answer(body, accept_encoding=accepts)
        assert (status, headers["content-encoding"], headers["vary"]) == (200, "gzip", "Accept-Encoding")
        assert (gzip.decompress(content), int(headers["content-length"])) == (b"x" * 5_000, len(content))
    for accepts in ("", "br", "gzip;q=0", "gzip; q=0.000", "x-gzipped"):
        status, headers, content = answer(body, accept_encoding=accepts)
        assert "content-encoding" not in headers
        assert (content, headers["x-own"]) == (b"x" * 5_000, "1")
    small = answer(CachedResponse.of(b"x", "text/plain"), accept_encoding="gzip")
    assert small[2] == b"x"


def test_a_client_that_has_the_response_gets_304() -> None:
    body = CachedResponse.of(b"x" * 5_000, "text/plain", {"X-Own": "1"})
    etag = body.etag.decode()
    for tags in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
        status, headers, content = answer(body, if_none_match=tags)
        assert (status, content, headers["etag"], headers["x-own"]) == (304, b"", etag, "1")
    for tags in ("", '"other"', etag[:-2], "W/"):
        assert answer(body, if_none_match=tags)[0] == 200
    assert CachedResponse.of(b"x" * 5_000, "text/plain").etag != body.etag
    assert CachedResponse.of(b"x" * 5_000, "text/plain", {"X-Own": "1"}).etag == body.etag


# Boards


class Maker:
    """Makes answers that say how many commits there are, and counts them."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, row: Repository, data: BoardData | None) -> CachedResponse:
        self.made += 1
        if data is None:
            return CachedResponse.of(b"none", "text/plain")
        from podium.leaderboard.rules import Rules

        return CachedResponse.of(str(data.under(Rules()).ranking.total).encode(), "text/plain")


def boards_of(site: Site) -> BoardCache:
    return BoardCache(site.db, "https://github.com", 10**6)


def test_a_board_is_made_once_for_each_state_of_the_row(site: Site) -> None:
    number = site.repository()
    site.person(number, "Ada", "ada@example.com", 3)
    boards, make = boards_of(site), Maker()

    async def ask() -> bytes:
        row = await boards.row(number)
        assert row is not None
        found = await asyncio.gather(*(boards.get(row, ("x",), make) for _ in range(20)))
        assert len(set(map(id, found))) == 1
        return found[0].plain

    assert (run(ask), make.made) == (b"3", 1)
    assert (run(ask), make.made) == (b"3", 1)
    site.person(number, "Bob", "bob@example.com", 4)
    with site.db.write() as session:
        session.run("UPDATE repository SET generation = generation + 1, head = 'b'")
    assert (run(ask), make.made) == (b"7", 2)
    # How far a refresh is makes no other board, but another page.
    with site.db.write() as session:
        session.run("UPDATE repository SET updated_at = 7, state = 'commits_processing'")
    assert (run(ask), make.made) == (b"7", 3)
    with site.db.write() as session:
        session.run("UPDATE repository SET updated_at = 8")
    assert (run(ask), make.made) == (b"7", 3)


def test_a_live_page_is_made_again_with_each_update_of_the_progress(site: Site) -> None:
    number = site.repository(state="commits_processing")
    boards, make = boards_of(site), Maker()

    async def ask() -> bytes:
        row = await boards.row(number)
        assert row is not None
        return (await boards.get(row, ("x",), make, live=True)).plain

    assert (run(ask), run(ask), make.made) == (b"none", b"none", 1)
    with site.db.write() as session:
        session.run("UPDATE repository SET updated_at = updated_at + 1")
    assert (run(ask), make.made) == (b"none", 2)


def test_an_account_found_for_another_repository_joins_rows_here_too(site: Site) -> None:
    number = site.repository()
    site.person(number, "Ada", "ada@example.com", 3)
    site.person(number, "Ada", "ada@home.example", 2)
    now = [1000.0]
    boards = BoardCache(site.db, "https://github.com", 10**6, clock=lambda: now[0])

    def rows(_: Repository, data: BoardData | None) -> CachedResponse:
        from podium.leaderboard.rules import Rules

        assert data is not None
        return CachedResponse.of(str(len(data.under(Rules()).ranking.order)).encode(), "text/plain")

    async def ask() -> bytes:
        row = await boards.row(number)
        assert row is not None
        return (await boards.get(row, ("x",), rows)).plain

    assert run(ask) == b"2"
    site.account("ada@example.com", "ada")
    with site.db.write() as session:
        session.run(
            """INSERT INTO known_email (host, email, contributor_id, source, known_at)
            SELECT host, 'ada@home.example', id, 'host', 0 FROM contributor"""
        )
    # The kept accounts are used for a while; after MAX_ACCOUNT_AGE the request waits for the comparison.
    assert run(ask) == b"2"
    now[0] += MAX_ACCOUNT_AGE + 1
    assert run(ask) == b"1"


def test_a_repository_deleted_before_its_board_is_made_is_not_found(site: Site) -> None:
    number = site.repository()
    boards = boards_of(site)

    async def ask() -> None:
        row = await boards.row(number)
        assert row is not None
        with site.db.write() as session:
            session.run("DELETE FROM repository")
        with pytest.raises(NotFound):
            await boards.get(row, ("x",), Maker())

    run(ask)


# Live


def tell(row: Repository, watchers: int) -> tuple[bytes, bool]:
    return f"data: {row.state} {row.updated_at}\n\n".encode(), not row.state.is_unfinished


class Watcher:
    """One client of an event stream."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.gone = asyncio.Event()
        self.done = False

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.heard.append(message.get("body", b""))
        self.done = message["type"] == "http.response.body" and not message.get("more_body")


READER = network_of("192.0.2.1")


def watching(channels: PubSub, row: Repository) -> tuple[Watcher, asyncio.Future[None]]:
    watcher, channel = Watcher(), channels.subscribe(row, READER)
    stream = EventStream(channel, lambda: channels.unsubscribe(row, channel, READER))
    return watcher, asyncio.ensure_future(stream({"type": "http", "method": "GET"}, watcher.receive, watcher.send))


async def until(true: Callable[[], bool]) -> None:
    for _ in range(6000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited in vain")


def test_hundreds_of_watchers_cost_one_reading_a_period(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pubsub, "PERIOD", 0.2)
    number = site.repository(state="commits_processing")
    db = CountingDatabase(site)

    async def watch() -> None:
        boards = BoardCache(db, "https://github.com", 10**6)  # type: ignore[arg-type]
        channels = PubSub(boards, tell, 1000)
        row = await boards.row(number)
        assert row is not None
        before = db.readings
        all_of_them = [watching(channels, row) for _ in range(300)]
        # The stream's start, its first line, and the state; on a busy machine a sign of life may follow.
        await until(lambda: all(len(watcher.heard) >= 3 for watcher, _ in all_of_them))
        with site.db.write() as session:
            session.run("UPDATE repository SET updated_at = 5")
        await until(lambda: all(watcher.heard[-1] == b"data: commits_processing 5.0\n\n" for watcher, _ in all_of_them))
        with site.db.write() as session:
            session.run("UPDATE repository SET state = 'completed'")
        await until(lambda: all(watcher.done for watcher, _ in all_of_them))
        await asyncio.gather(*(task for _, task in all_of_them))
        # Not one for each watcher.
        assert db.readings - before < 300 / 2
        await until(lambda: not channels._channels)

    run(watch)


def test_the_last_subscriber_to_leave_ends_the_polling(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pubsub, "PERIOD", 0.02)
    number = site.repository(state="pending")
    db = CountingDatabase(site)

    async def watch() -> None:
        boards = BoardCache(db, "https://github.com", 10**6)  # type: ignore[arg-type]
        channels = PubSub(boards, tell, 1000)
        row = await boards.row(number)
        assert row is not None
        (one, one_task), (other, other_task) = watching(channels, row), watching(channels, row)
        await until(lambda: len(other.heard) == 3)
        one.gone.set()
        await one_task
        assert channels._channels[number].subscribers == 1
        other.gone.set()
        await other_task
        assert channels._channels == {}
        await asyncio.sleep(0.1)
        before = db.readings
        await asyncio.sleep(0.1)
        assert db.readings == before

    run(watch)


def test_a_database_that_is_away_for_a_moment_ends_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pubsub, "PERIOD", 0.02)
    number = site.repository(state="pending")
    db = CountingDatabase(site)

    async def watch() -> None:
        boards = BoardCache(db, "https://github.com", 10**6)  # type: ignore[arg-type]
        channels = PubSub(boards, tell, 1000)
        row = await boards.row(number)
        assert row is not None
        watcher, task = watching(channels, row)
        await until(lambda: len(watcher.heard) == 3)
        db.broken = True
        await asyncio.sleep(0.1)
        db.broken = False
        with site.db.write() as session:
            session.run("UPDATE repository SET state = 'failed'")
        await task
        assert b"failed" in watcher.heard[-2]

    run(watch)


def test_watchers_are_bounded_and_let_go_when_the_server_stops(site: Site) -> None:
    number = site.repository(state="pending")

    async def watch() -> None:
        boards = boards_of(site)
        channels = PubSub(boards, tell, 1000, 2)
        row = await boards.row(number)
        assert row is not None
        tasks = [watching(channels, row) for _ in range(2)]
        with pytest.raises(TooManyRequests):
            channels.subscribe(row, READER)
        channels.close()
        await asyncio.gather(*(task for _, task in tasks))
        assert all(watcher.done for watcher, _ in tasks)
        with pytest.raises(TooManyRequests):
            channels.subscribe(row, READER)

    run(watch)


def test_one_client_holds_only_a_share_of_the_watchers(site: Site) -> None:
    number = site.repository(state="pending")

    async def watch() -> None:
        boards = boards_of(site)
        channels = PubSub(boards, tell, 3)
        row = await boards.row(number)
        assert row is not None

        def held(address: str, tries: int) -> int:
            count = 0
            for _ in range(tries):
                with contextlib.suppress(TooManyRequests):
                    channels.subscribe(row, network_of(address))
                    count += 1
            return count

        assert held("192.0.2.1", 5) == 3
        assert held("::ffff:192.0.2.1", 5) == 0
        assert held("192.0.2.2", 5) == 3
        assert sum(held(f"2001:db8:1:{n}::1", 2) for n in range(10)) == 3 * NETWORK_SHARE
        assert held("2001:db8:2::1", 5) == 3
        channels.unsubscribe(row, channels._channels[number], network_of("2001:db8:1:1::1"))
        assert held("2001:db8:1:9::1", 5) == 1
        channels.close()

    run(watch)


def test_events_keep_an_idle_connection_open(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podium.web.live.events.KEEP_ALIVE", 0.02)
    number = site.repository(state="pending")

    async def watch() -> None:
        boards = boards_of(site)
        channels = PubSub(boards, tell, 1000)
        row = await boards.row(number)
        assert row is not None
        watcher, task = watching(channels, row)
        await until(lambda: watcher.heard.count(b"event: alive\ndata: \n\n") > 2)
        watcher.gone.set()
        await task

    run(watch)


# Over HTTP


def test_answers_that_are_ready_are_the_same_and_not_sent_twice(site: Site) -> None:
    number = site.repository(state="users_processing")
    site.person(number, "Ada", "ada@example.com", 3)
    client = site.client()
    for path in (
        "/r/octo/hello",
        "/r/octo/hello?merges=include",
        "/leaderboard?repoUrl=octo/hello",
        "/leaderboard/activity?repoUrl=octo/hello",
        "/leaderboard/find?repoUrl=octo/hello&q=ada",
        "/leaderboard/explain?repoUrl=octo/hello&rank=1",
        "/leaderboard/person?repoUrl=octo/hello&person=~2",
    ):
        first, second = client.get(path), client.get(path)
        assert (first.status_code, second.status_code) == (200, 200), path
        assert first.content == second.content
        assert dict(first.headers) == dict(second.headers)
        assert "content-security-policy" in second.headers
        again = client.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert client.request("HEAD", path).headers["etag"] == first.headers["etag"]
        with site.db.write() as session:
            session.run("UPDATE repository SET updated_at = updated_at + 1")
            session.run("UPDATE commit_data SET commit_count = commit_count + 1")
            save_log_of_people(session, 1, NOW)
            session.run("UPDATE repository SET generation = generation + 1")
        changed = client.get(path, headers={"if-none-match": first.headers["etag"]})
        assert changed.status_code == 200, path
        assert changed.content != first.content


def test_a_board_whose_commits_are_damaged_is_counted_again(site: Site) -> None:
    number = site.repository()
    site.person(number, "Ada", "ada@example.com", 3)
    with site.db.write() as session:
        session.run("UPDATE commit_log SET dates = authors")
    client = site.client()
    for path in (
        "/leaderboard?repoUrl=octo/hello",
        "/r/octo/hello/board.csv",
        "/leaderboard/activity?repoUrl=octo/hello",
    ):
        answer = client.get(path)
        assert is_problem(answer, 503, "damaged", "counts them again")
        assert answer.json()["code"] == "bad-commit-log"
    with site.db.read() as session:
        row = queries.by_id(session, number)
        assert row is not None
        assert row.counting_version == 0


PATHS = [
    "/leaderboard?repoUrl=octo/hello",
    "/leaderboard/find?repoUrl=octo/hello&q=ada",
    "/r/octo/hello",
    "/r/octo/hello?find=ada",
    "/r/octo/hello/badge.svg",
    "/r/octo/hello/card.svg",
    "/r/octo/hello/board.json",
]


@pytest.mark.parametrize("path", PATHS)
def test_what_the_administrator_may_see_is_kept_for_no_one(site: Site, path: str) -> None:
    site.person(site.repository(), "Ada", "ada@example.com", 3)
    context = site.app.state.context
    for _ in range(2):
        answer = site.administrator().get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "private, no-store"
    assert len(context.shortcuts) == 0
    for cache in (context.boards._cache, context.boards._variants):
        assert not [key for key in list(cache._values) if isinstance(cache.get(key), CachedResponse)]


def test_the_administrator_gets_no_answer_that_was_kept_for_others(site: Site) -> None:
    site.person(site.repository(), "Ada", "ada@example.com", 3)
    path = "/leaderboard?repoUrl=octo/hello"
    for _ in range(2):
        assert site.client().get(path).json()["top_contributors"][0]["email"] is None
        assert site.administrator().get(path).json()["top_contributors"][0]["email"] == "ada@example.com"


def test_a_refused_host_gets_no_ready_answer(site: Site) -> None:
    site.repository()
    path = "/leaderboard?repoUrl=octo/hello"
    assert site.client().get(path).status_code == 200
    assert site.client("evil.example").get(path).status_code == 421


def test_searches_and_long_addresses_get_no_shortcut(site: Site) -> None:
    site.repository()
    client = site.client()
    shortcuts = site.app.state.context.shortcuts
    client.get("/r/octo/hello?utm=" + "x" * 600)
    assert len(shortcuts) == 0
    client.get("/r/octo/hello?find=ada")
    assert len(shortcuts) == 0
    client.get("/r/octo/hello")
    assert len(shortcuts) == 1


def test_events_carry_the_state_in_the_servers_words(site: Site) -> None:
    progress = json.dumps({"stage": "users", "done": 3, "total": 9, "waitingUntil": "2030-05-01T12:30:00Z"})
    number = site.repository(state="users_processing", progress=progress)
    status = site.app.state.context.status
    with site.db.read() as session:
        row = queries.by_id(session, number)
    assert row is not None
    event, is_last = status.event(row, 1)
    data = json.loads(event.removeprefix(b"data: "))
    assert not is_last
    assert "3 of 9 e-mails looked up, waiting for GitHub until <time" in data["html"]
    assert ">2030-05-01 12:30 UTC</time>" in data["html"]
    assert (data["inWork"], data["rowsEvery"], len(data["version"])) == (True, 2, 16)
    assert json.loads(status.event(row, 1000)[0].removeprefix(b"data: "))["rowsEvery"] == 20
    event, is_last = status.event(dataclasses.replace(row, state=State.FAILED, error="No.", head=None), 1)
    assert (is_last, json.loads(event.removeprefix(b"data: "))["version"]) == (True, "failed")


def test_watching_what_is_not_there_is_not_found(site: Site) -> None:
    for path in ("/events/99", "/status/99", "/row/99/1", "/find/99?find=x", "/chart/99"):
        assert site.client().get(path).status_code == 404, path
    number = site.repository()
    assert site.client().get(f"/row/{number}/99").status_code == 404
    assert site.client().get(f"/find/{number}").status_code == 200


def test_movement_and_curves_are_part_of_the_api(site: Site) -> None:
    number = site.repository(commits_processed_at=NOW)
    site.person(number, "Ada", "ada@example.com", 3)
    body = site.client().get("/leaderboard?repoUrl=octo/hello&sparklines=include").json()
    assert body["sparklines"] == {"peak": 3, "since": "2024-04-28", "until": "2024-05-04"}
    assert body["top_contributors"][0]["sparkline"] == [3]
    assert body["top_contributors"][0]["rankBefore"] is None
