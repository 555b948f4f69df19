"""What one client may read, and work that ends with its reader."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message

from podium.errors import ReaderGone, TooManyRequests
from podium.leaderboard.board_data import BoardData
from podium.leaderboard.board_size import board_size
from podium.repositories.model import Repository
from podium.repositories.store import queries
from podium.settings import Settings
from podium.web import services
from podium.web.cache import boards as boards_module
from podium.web.cache.boards import BoardCache
from podium.web.cache.cached_response import CachedResponse
from podium.web.cache.read_threads import MAX_WAITING, THREADS
from podium.web.cache.response_shortcut import MAX_PER_BOARD, Shortcut
from podium.web.cache.waiting_client import WaitingClient
from podium.web.clients import network_of
from podium.web.middleware.proxy_watch import ProxyWatch, suspected_proxy
from podium.web.read_budget import MAX_IN_PROGRESS, ReadBudget
from tests.support.web import Site, is_problem, open_site

ONE, OTHER = network_of("192.0.2.1"), network_of("192.0.2.2")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path, loopback=False) as site:
        site.person(site.repository(), "Ada", "ada@example.com", 3)
        yield site


@pytest.fixture(autouse=True)
def _prompt_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards_module, "REFUSAL_DELAY", 0.0)


def spend(budget: ReadBudget, milliseconds: float, address: str = "192.0.2.1") -> None:
    budget.start(network_of(address))
    budget.end(network_of(address), milliseconds)


def test_a_client_in_debt_waits_until_its_credit_is_back() -> None:
    now = [0.0]
    budget = ReadBudget(600, lambda: now[0])
    for _ in range(13):
        # Each counts as 25, the largest share.
        try:
            spend(budget, 10_000)
        except TooManyRequests as error:
            refusal = error
    assert refusal.retry_after == 1
    spend(budget, 10_000, "192.0.2.2")
    now[0] += 1.0
    spend(budget, 30)
    with pytest.raises(TooManyRequests) as refused:
        budget.spend(ONE, 1)
    assert refused.value.retry_after == 2
    # An idle client saves up half a minute's budget.
    now[0] += 3600
    for _ in range(12):
        spend(budget, 25)
    with pytest.raises(TooManyRequests):
        budget.start(ONE)


def test_ten_windows_a_minute_are_within_the_budget_however_large_the_board() -> None:
    now = [0.0]
    budget = ReadBudget(6000, lambda: now[0])
    for _ in range(100):
        spend(budget, 60_000)
        for _ in range(60):
            budget.spend(ONE, 1)
        now[0] += 6


def test_clients_of_one_network_share_four_budgets() -> None:
    budget = ReadBudget(600, lambda: 0.0)
    used = 0
    with pytest.raises(TooManyRequests):
        for used in range(100):
            for _ in range(12):
                spend(budget, 25, f"2001:db8:0:{used:x}::1")
    assert used == 4
    spend(budget, 50, "2001:db8:1::1")


@pytest.mark.parametrize(("per_minute", "address"), [(0, "192.0.2.1"), (600, "127.0.0.1"), (600, "::1")])
def test_no_budget_and_loopback_have_no_limit(per_minute: int, address: str) -> None:
    budget = ReadBudget(per_minute, lambda: 0.0)
    for _ in range(100):
        budget.start(network_of(address))
        budget.spend(network_of(address), 1000)


def test_a_client_has_few_reads_in_progress() -> None:
    budget = ReadBudget(600, lambda: 0.0)
    for _ in range(MAX_IN_PROGRESS):
        budget.start(ONE)
    with pytest.raises(TooManyRequests, match="still being answered"):
        budget.start(ONE)
    budget.start(OTHER)
    budget.end(ONE, 1)
    budget.start(ONE)


def test_ready_made_answers_are_free(site: Site) -> None:
    client, context = site.client("192.0.2.1", "192.0.2.9"), site.app.state.context
    urls = ["/leaderboard?repoUrl=octo/hello", *(f"/r/octo/hello{file}" for file in ("", "/badge.svg", "/card.svg"))]
    first = [client.get(url) for url in urls]
    assert [answer.status_code for answer in first] == [200] * 4
    context.read_budget.spend(network_of("192.0.2.9"), 1e6)
    for url, answer in zip(urls, first, strict=True):
        assert client.get(url).status_code == 200
        assert client.get(url, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    # The same answer at a URL without a shortcut.
    assert client.get(urls[0] + "&limit=100").status_code == 200
    for url in (
        "/leaderboard?repoUrl=octo/hello&since=2024-01-07",
        "/leaderboard?repoUrl=octo/hello&offset=1",
        "/leaderboard/activity?repoUrl=octo/hello",
        "/leaderboard/find?repoUrl=octo/hello&q=ada",
        "/leaderboard/explain?repoUrl=octo/hello&rank=1",
        "/leaderboard/person?repoUrl=octo/hello&person=~1",
        "/r/octo/hello?merges=include",
        "/r/octo/hello?find=ada",
        "/r/octo/hello/board.csv",
        "/r/octo/hello/card.svg?count=3",
        "/find/1?find=ada",
        "/chart/1?merges=include",
    ):
        answer = client.get(url)
        assert is_problem(answer, 429, "Try again in")
        assert int(answer.headers["retry-after"]) > 60
    assert site.client("192.0.2.1", "192.0.2.10").get("/find/1?find=ada").status_code == 200


# Work and its readers


class Gate:
    """An answer that waits in its thread until it is opened, and calls the check before and after."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.started = self.finished = 0

    def __call__(self, row: Repository, data: BoardData | None) -> CachedResponse:
        assert data is not None
        self.started += 1
        self.open.wait(10)
        data.check()
        self.finished += 1
        return CachedResponse.of(b"done", "text/plain")


class Connection:
    def __init__(self, budget: ReadBudget, address: str = "192.0.2.1") -> None:
        self.closed = asyncio.Event()
        self.reader = WaitingClient(network_of(address), budget, self.receive)
        self._first = True

    async def receive(self) -> Message:
        if self._first:
            self._first = False
            return {"type": "http.request"}
        await self.closed.wait()
        return {"type": "http.disconnect"}


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited in vain")


def with_boards(site: Site, test: Callable[[BoardCache, Repository, ReadBudget], Any]) -> None:
    async def run() -> None:
        boards, budget = BoardCache(site.db, "https://github.com", 10**6), ReadBudget(600, lambda: 0.0)
        row = await boards.row(1)
        assert row is not None
        await asyncio.wait_for(test(boards, row, budget), 20)

    asyncio.run(run())


def test_work_ends_when_its_last_reader_has_gone(site: Site) -> None:
    async def test(boards: BoardCache, row: Repository, budget: ReadBudget) -> None:
        gate, first, second = Gate(), Connection(budget), Connection(budget, "192.0.2.2")
        both = [
            asyncio.ensure_future(boards.get(row, ("x",), gate, reader=connection.reader))
            for connection in (first, second)
        ]
        await until(lambda: gate.started == 1)
        first.closed.set()
        with pytest.raises(ReaderGone):
            await both[0]
        gate.open.set()
        assert (await both[1]).plain == b"done"

        gate, first = Gate(), Connection(budget)
        alone = asyncio.ensure_future(boards.get(row, ("y",), gate, reader=first.reader))
        await until(lambda: gate.started == 1)
        first.closed.set()
        with pytest.raises(ReaderGone):
            await alone
        # A new reader does not join what ends.
        fresh = Gate()
        fresh.open.set()
        assert (await boards.get(row, ("y",), fresh, reader=Connection(budget).reader)).plain == b"done"
        gate.open.set()
        await until(lambda: budget._account(ONE.key, 1).in_progress == 0)
        assert gate.finished == 0

    with_boards(site, test)


@pytest.mark.parametrize("kept", [True, False])
def test_work_of_a_gone_reader_never_starts(site: Site, kept: bool) -> None:
    async def test(boards: BoardCache, row: Repository, budget: ReadBudget) -> None:
        running, waiting = Gate(), Gate()
        busy = [asyncio.ensure_future(boards.read(row, running)) for _ in range(THREADS)]
        await until(lambda: running.started == THREADS)
        connection = Connection(budget)
        queued = asyncio.ensure_future(
            boards.get(row, ("x",), waiting, reader=connection.reader)
            if kept
            else boards.read(row, waiting, reader=connection.reader)
        )
        await until(lambda: budget._account(ONE.key, 1).in_progress == 1)
        connection.closed.set()
        with pytest.raises(ReaderGone):
            await queued
        running.open.set()
        await asyncio.gather(*busy)
        assert waiting.started == 0
        assert budget._account(ONE.key, 1).in_progress == 0

    with_boards(site, test)


def test_the_queue_of_costly_reads_is_bounded(site: Site) -> None:
    async def test(boards: BoardCache, row: Repository, budget: ReadBudget) -> None:
        gate = Gate()
        all_of_them = [asyncio.ensure_future(boards.read(row, gate)) for _ in range(THREADS + MAX_WAITING)]
        await until(lambda: boards._threads.pending == THREADS + MAX_WAITING)
        with pytest.raises(TooManyRequests) as refused:
            await boards.get(row, ("x",), gate, reader=Connection(budget).reader)
        assert refused.value.retry_after > 0
        gate.open.set()
        await asyncio.gather(*all_of_them)
        assert gate.finished == THREADS + MAX_WAITING

    with_boards(site, test)


# What the cache keeps


def test_variants_of_a_board_push_no_board_out_of_the_cache(tmp_path: Path) -> None:
    with open_site(tmp_path, loopback=False, read_budget=0, board_cache_bytes=200_000) as site:
        for name in ("hello", "other"):
            number = site.repository(f"octo/{name}")
            for person in range(20):
                site.person(number, f"Person {person}", f"{person}@example.com", 3)
        client, boards = site.client("192.0.2.1"), site.app.state.context.boards
        usual = ["/r/octo/other", "/leaderboard?repoUrl=octo/other", "/r/octo/other/badge.svg"]
        assert all(client.get(url).status_code == 200 for url in usual)
        kept = set(boards._cache._values)
        few = 0
        for offset in range(10):
            few = few if offset > 5 else len(boards._cache._values)
            client.get(f"/leaderboard?repoUrl=octo/hello&offset={offset}")
            client.get(f"/leaderboard?repoUrl=octo/hello&since=20{offset:02}-01-07&sparklines=include")
            client.get(f"/leaderboard/find?repoUrl=octo/hello&q={offset}")
            client.get(f"/r/octo/hello?until=20{offset:02}-01-07&merges=include")
        assert kept <= set(boards._cache._values)
        assert boards._variants.size <= 50_000
        # Parts for all windows, and the usual answers.
        assert len(boards._cache._values) == few


def test_the_progress_of_a_page_pushes_no_board_out_of_the_cache(site: Site) -> None:
    number = site.repository("octo/new", state="commits_processing")
    client, boards = site.client("192.0.2.1"), site.app.state.context.boards
    client.get("/r/octo/hello")
    kept = set(boards._cache._values)
    for second in range(3):
        site.change(number, updated_at=float(second))
        assert client.get("/r/octo/new").status_code == 200
    assert set(boards._cache._values) == kept
    assert len(boards._variants._values) == 3


def test_a_host_that_is_not_one_of_ours_makes_no_variants(tmp_path: Path) -> None:
    with open_site(
        tmp_path, loopback=False, read_budget=0, allowed_hosts=("podium.example", "other.example:8443")
    ) as site:
        site.person(site.repository(), "Ada", "ada@example.com", 3)
        boards, shortcuts = site.app.state.context.boards, site.app.state.context.shortcuts

        def get(host: str) -> str:
            answer = site.client().get("/r/octo/hello", headers={"Host": host})
            assert answer.status_code == 200
            return answer.text

        for host in ("podium.example", "PODIUM.example", "localhost:3000", "other.example:8443"):
            assert f"http://{host.lower()}/r/octo/hello" in get(host)
        kept, known = len(boards._cache._values), len(shortcuts)
        for port in range(4):
            for name in ("podium.example", "127.0.0.1", "192.0.2.1", "127.0.0.7", f"203.0.113.{port}", "localhost"):
                assert f"http://{name}:{port + 4000}/r/octo/hello" in get(f"{name}:{port + 4000}")
        assert (len(boards._cache._values), len(boards._variants._values)) == (kept, 0)
        assert len(shortcuts) == known == 3


def test_shortcuts_of_one_board_push_no_others_out(site: Site) -> None:
    client, shortcuts = site.client("192.0.2.1"), site.app.state.context.shortcuts
    site.repository("octo/other")
    client.get("/r/octo/other/badge.svg")
    for slashes in range(MAX_PER_BOARD + 10):
        shortcuts.remember(
            Request(
                {
                    "type": "http",
                    "path": f"/r/octo/hello{'/' * slashes}",
                    "query_string": b"",
                    "scheme": "http",
                    "headers": [(b"host", b"localhost")],
                }
            ),
            Shortcut("github.com/octo/hello", ("page",), live=False),
        )
    assert len(shortcuts) == MAX_PER_BOARD + 1


# Large boards


def test_a_board_that_is_too_large_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    with open_site(tmp_path, max_board_bytes=10 * (2_000 + 100) + 10 * 2 * 100) as site:
        number = site.repository()
        for person in range(10):
            site.person(number, f"Person {person}", f"{person}@example.com")
        client, boards = site.client(), site.app.state.context.boards
        assert client.get("/leaderboard?repoUrl=octo/hello").status_code == 200
        site.person(number, "One too many", "more@example.com")
        for path in ("/leaderboard?repoUrl=octo/hello", "/leaderboard/activity?repoUrl=octo/hello", "/find/1?find=a"):
            refused = client.get(path)
            assert is_problem(refused, 422, "PODIUM_MAX_BOARD_BYTES")
            assert refused.json()["code"] == "board-too-large"
        for path in ("/r/octo/hello", "/r/octo/hello/board.csv", "/r/octo/hello/badge.svg", "/r/octo/hello/card.svg"):
            assert client.get(path).status_code == 422
        assert "too large" in client.get("/r/octo/hello", headers={"Accept": "text/html"}).text
        loaded = [key for key in boards._cache._values if key[0] == "people"]
        assert len(loaded) == 1, "only that of the smaller board"


@pytest.mark.parametrize("column", ["email", "name", "mailmap_name", "mailmap_email", "mailmap_identity"])
def test_long_texts_count_as_memory(site: Site, column: str) -> None:
    def estimate() -> int:
        with site.db.read() as session:
            row = queries.by_id(session, 1)
            assert row is not None
            return board_size(session, row, 10**9).estimate

    before = estimate()
    with site.db.write() as session:
        session.run(f"UPDATE commit_data SET {column} = {column} || :more", more="x" * 1000)
    assert estimate() == before + 2_000


def test_small_reads_have_a_small_cost(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "REFUSAL_DELAY", 0.0)
    client = site.client("192.0.2.1", "192.0.2.9")
    urls = ["/", "/status/1", "/repositories", "/repositories/1", "/avatars/1"]
    assert [client.get(url).status_code for url in urls] == [200, 200, 200, 200, 404]
    site.app.state.context.read_budget.spend(network_of("192.0.2.9"), 1e6)
    assert [client.get(url).status_code for url in urls] == [429] * 5
    assert client.get("/health").status_code == 200


def test_a_list_costs_what_its_rows_do(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    spent: list[float] = []
    monkeypatch.setattr(ReadBudget, "spend", lambda _, client, milliseconds: spent.append(milliseconds))
    for url in ("/", "/?search=x", "/r/octo", "/repositories?limit=1", "/repositories", "/repositories?limit=1000"):
        assert site.client().get(url).status_code == 200
    assert spent == pytest.approx([6, 6, 6, 1.1, 11, 101])


# A proxy that is not configured


@pytest.mark.parametrize(
    ("loopback", "address", "headers", "warns"),
    [
        (False, "10.0.0.7", [], True),
        (False, "127.0.0.1", [], True),
        (False, "93.184.216.34", [], False),
        (True, "127.0.0.1", [], False),
        (True, "127.0.0.1", [(b"x-forwarded-for", b"93.184.216.34")], True),
    ],
)
def test_requests_from_one_private_address_are_reported(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    loopback: bool,
    address: str,
    headers: list[tuple[bytes, bytes]],
    warns: bool,
) -> None:
    async def app(*_: Any) -> None:
        pass

    now = [10_000.0]
    watch = ProxyWatch(app, settings=Settings(data_dir=str(tmp_path)), loopback=loopback, clock=lambda: now[0])

    async def ask(address: str, path: str, times: int) -> None:
        scope = {"type": "http", "path": path, "client": (address, 1), "headers": headers}
        for _ in range(times):
            await watch(scope, app, app)  # type: ignore[arg-type]

    # Probes of an orchestrator do not count.
    asyncio.run(ask("93.184.216.34", "/health", 2_000))
    asyncio.run(ask("93.184.216.34", "/", 40))
    asyncio.run(ask(address, "/", 2_000))
    assert (suspected_proxy(tmp_path, now[0]) == address) is warns
    assert caplog.text.count("PODIUM_TRUSTED_PROXIES") == warns
    assert suspected_proxy(tmp_path, now[0] + 90_000) is None
