"""The HTTP client for GitHub, and each fault over real HTTP."""

from __future__ import annotations

import gzip
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from podium import __version__
from podium.accounts.github import client as client_module
from podium.accounts.github.budget import Slot, WaitUntil, token_key
from podium.accounts.github.client import GitHub
from podium.accounts.github.faults import (
    Action,
    BadToken,
    DelayUntil,
    Done,
    GiveUp,
    Gone,
    Halve,
    Moved,
    RetryAfter,
    Verdict,
    judge,
)
from podium.accounts.github.requests import (
    Ask,
    Call,
    EmailsRequest,
    GitHubRequest,
    Response,
    TransportFailure,
    WindowRequest,
    moved,
    repository_path,
)
from podium.accounts.github.token_pool import MemoryBudgetStore, TokenPool
from podium.accounts.lookup import GitHubAccount
from podium.errors import BadSetting
from tests.support.github_double import GitHubDouble
from tests.support.github_history import Accounts, KnownAccount
from tests.support.github_repository import build, together
from tests.support.github_script import FAULTS, Script
from tests.support.skipping_clock import SkippingClock

TOKEN = "token-of-a-test"
KEY = token_key(TOKEN)
AUTHORS = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("transport") / "r.git"


@pytest.fixture(scope="module")
def commits(folder: Path) -> list[str]:
    # Every third commit has a co-author who is no author.
    people = [(f"P{n}@x.org", together(f"co{n}@x.org") if n % 3 == 0 else "Work") for n in range(AUTHORS)]
    crowd = ("crowd@x.org", together(*(f"c{n}@x.org" for n in range(140))))
    return build(folder, [*people, crowd])


@pytest.fixture(scope="module")
def accounts() -> Accounts:
    known = Accounts()
    for n in range(0, AUTHORS, 2):
        known.add(KnownAccount(1000 + n, f"p{n}"), f"p{n}@x.org", f"co{n}@x.org")
    known.add(KnownAccount(7, "late"), "c139@x.org")
    return known


def client(double: GitHubDouble, *, timeout: float = 5.0, max_body: int = 2**20) -> GitHub:
    return GitHub(
        double.api_url, double.graphql_url, [TOKEN], timeout=timeout, deadline=5, max_body=max_body, trust_env=False
    )


def request_for(commits: list[str], count: int = 2) -> EmailsRequest:
    return EmailsRequest("o", "r", tuple(Ask(f"p{n}@x.org", commits[n]) for n in range(count)))


def test_fifty_emails_are_one_request(folder: Path, commits: list[str], accounts: Accounts) -> None:
    with GitHubDouble({"o/r": folder}, accounts) as double, client(double) as github:
        request = request_for(commits, 50)
        verdict = judge(request, github.send(request.call(), KEY), time.time())
        assert verdict.action == Done()
        assert double.asked() == 1
    expected = {f"p{n}@x.org": 1000 + n if n % 2 == 0 else None for n in range(50)}
    expected |= {f"co{n}@x.org": 1000 + n if n % 2 == 0 else None for n in range(0, 50, 3)}
    assert {email: a and a.account_id for email, a in verdict.answer.accounts.items()} == expected
    assert verdict.answer.accounts["p0@x.org"] == GitHubAccount(
        1000, "p0", None, "https://avatars.example/u/1000", "https://github.com/p0"
    )
    assert verdict.rate is not None and verdict.rate.remaining == 4999


def test_many_authors_are_read_page_by_page(folder: Path, commits: list[str], accounts: Accounts) -> None:
    with GitHubDouble({"o/r": folder}, accounts) as double, client(double) as github:
        request = EmailsRequest("o", "r", (Ask("c139@x.org", commits[-1]), Ask("c3@x.org", commits[-1])))
        verdict = judge(request, github.send(request.call(), KEY), time.time())
        assert len(verdict.answer.accounts) == 100 and "c3@x.org" in verdict.answer.accounts
        further = EmailsRequest("o", "r", verdict.answer.next_page)
        verdict = judge(further, github.send(further.call(), KEY), time.time())
        # One commit for all its co-authors.
        assert [seen.commits for seen in double.seen] == [1, 1]
    found = verdict.answer.accounts["c139@x.org"]
    assert found and found.login == "late"


def test_a_window_needs_no_token_and_follows_a_rename(folder: Path, commits: list[str], accounts: Accounts) -> None:
    with GitHubDouble({"o/r": folder}, accounts) as double, client(double) as github:
        double.hosting.rename("o/r", "new/name")
        request = WindowRequest(repository_path("o", "r"), commits[-1])
        verdict = judge(request, github.send(request.call()), time.time())
        assert verdict.action == Moved("/repositories/1000")
        there = moved(request, "/repositories/1000")
        verdict = judge(there, github.send(there.call()), time.time())
        assert verdict.action == Done()
        assert [commit.sha for commit in verdict.answer.commits] == commits[::-1][:100]
        assert {seen.token for seen in double.seen} == {"anonymous"}


PLAYED: dict[str, type[Action]] = {
    "401": BadToken,
    "403": GiveUp,
    "403-sso": GiveUp,
    "403-secondary": DelayUntil,
    "404": GiveUp,
    "429": DelayUntil,
    "429-unstated": DelayUntil,
    "200-secondary": DelayUntil,
    "500": RetryAfter,
    "502": Halve,
    "503": RetryAfter,
    "504": Halve,
    "not-json": RetryAfter,
    "timeout": Halve,
    "drop": RetryAfter,
    "truncate": RetryAfter,
    "cut-json": RetryAfter,
    "rate-limited": DelayUntil,
    "rate-limit": DelayUntil,
    "resource-limits": Halve,
    "resource-limits-partial": Halve,
    "node-limit": Halve,
    "something-went-wrong": Halve,
    "something-went-wrong-partial": Halve,
    "fewer": RetryAfter,
    "users-lost": Halve,
    "null-object": Done,
    "not-found": Gone,
    "forbidden": GiveUp,
    "sso": GiveUp,
}
PARTIAL = {"resource-limits-partial", "something-went-wrong-partial", "fewer", "users-lost", "null-object"}


def test_every_fault_of_the_double_is_played() -> None:
    assert PLAYED.keys() == FAULTS.keys()


@pytest.mark.parametrize("fault", PLAYED)
def test_a_fault_over_http_has_its_action(folder: Path, commits: list[str], accounts: Accounts, fault: str) -> None:
    with (
        GitHubDouble({"o/r": folder}, accounts, script=Script([fault])) as double,
        client(double, timeout=0.3 if fault == "timeout" else 5) as github,
    ):
        request = EmailsRequest("o", "r", (Ask("p2@x.org", commits[2]), Ask("p4@x.org", commits[4])))
        verdict = judge(request, github.send(request.call(), KEY), time.time())
    assert isinstance(verdict.action, PLAYED[fault])
    # Partial faults do not affect the second alias.
    assert set(verdict.answer.accounts) == ({"p4@x.org"} if fault in PARTIAL else set())


@pytest.mark.parametrize(
    ("fault", "action"), [("404", Gone), ("502", RetryAfter), ("drop", RetryAfter), ("truncate", RetryAfter)]
)
def test_a_fault_of_a_window_has_its_action(folder: Path, commits: list[str], fault: str, action: type[Action]) -> None:
    with GitHubDouble({"o/r": folder}, script=Script([fault])) as double, client(double) as github:
        request = WindowRequest(repository_path("o", "r"), commits[0])
        assert isinstance(judge(request, github.send(request.call()), time.time()).action, action)


def test_an_unreachable_host_is_a_failure_and_not_an_exception() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with GitHub(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}/graphql", [TOKEN], trust_env=False) as github:
        outcome = github.send(Call("core", "/repos/o/r"))
    assert isinstance(outcome, TransportFailure) and outcome.kind == "connect"
    assert TOKEN not in outcome.detail


Peer = Callable[[Callable[[bytes], None]], None]


@pytest.fixture
def peer() -> Iterator[Callable[[Peer], str]]:
    """Start a server that reads one request and writes the test's bytes; return its address."""
    threads = []

    def start(speak: Peer) -> str:
        listener = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            with listener, listener.accept()[0] as connection:
                connection.recv(65536)
                try:
                    speak(connection.sendall)
                except ConnectionError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        threads.append(thread)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for thread in threads:
        thread.join()


def spoken(url: str, *, deadline: float = 5) -> Response | TransportFailure:
    with GitHub(url, f"{url}/graphql", [TOKEN], deadline=deadline, max_body=1000, trust_env=False) as github:
        return github.send(Call("core", "/x"), KEY)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def test_a_body_is_read_up_to_the_limit_only(peer: Callable[[Peer], str]) -> None:
    def endless(send: Callable[[bytes], None]) -> None:
        send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(10_000):
            send(b"400\r\n" + b"x" * 1024 + b"\r\n")

    assert spoken(peer(endless)) == TransportFailure("too-large")


def test_a_compressed_body_is_limited_by_its_decompressed_size(peer: Callable[[Peer], str]) -> None:
    bomb = gzip.compress(b"[" + b" " * 10_000_000 + b"]")
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    assert spoken(peer(lambda send: send(head % len(bomb) + bomb))) == TransportFailure("too-large")
    whole = gzip.compress(b'{"a": 1}')
    got = spoken(peer(lambda send: send(head % len(whole) + whole)))
    assert isinstance(got, Response) and got.body == b'{"a": 1}'
    cut = whole[:-4]
    assert spoken(peer(lambda send: send(head % len(cut) + cut))) == TransportFailure("dropped")
    noise = b"no gzip at all"
    assert isinstance(spoken(peer(lambda send: send(head % len(noise) + noise))), TransportFailure)


def test_a_body_that_ends_with_the_connection_is_complete(peer: Callable[[Peer], str]) -> None:
    got = spoken(peer(lambda send: send(b"HTTP/1.0 200 OK\r\n\r\n{}")))
    assert isinstance(got, Response) and got.body == b"{}"
    packed = b"HTTP/1.0 200 OK\r\nContent-Encoding: X-GZIP\r\n\r\n" + gzip.compress(b"[1]")
    got = spoken(peer(lambda send: send(packed)))
    assert isinstance(got, Response) and got.body == b"[1]"


def test_a_slow_body_ends_at_the_deadline(peer: Callable[[Peer], str]) -> None:
    def trickle(send: Callable[[bytes], None]) -> None:
        send(HEAD + b"Content-Length: 500\r\n\r\n")
        for _ in range(500):
            send(b"x")
            time.sleep(0.005)

    assert spoken(peer(trickle), deadline=0.03) == TransportFailure("timeout")


@pytest.mark.parametrize("reply", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"])
def test_an_answer_other_than_http_is_a_failure(peer: Callable[[Peer], str], reply: bytes) -> None:
    assert isinstance(spoken(peer(lambda send: send(reply))), TransportFailure)


def test_no_redirect_is_followed(peer: Callable[[Peer], str]) -> None:
    reply = b"HTTP/1.1 302 LookupStep\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    got = spoken(peer(lambda send: send(reply)))
    assert isinstance(got, Response) and got.status == 302


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "ünsafe", "nul\0"])
def test_an_unusable_token_is_rejected_and_not_shown(token: str) -> None:
    with pytest.raises(BadSetting) as refused:
        GitHub("http://x", "http://x/graphql", [token])
    assert not token or token not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ALL_PROXY", "socks5://u:secret@127.0.0.1:1080", "ALL_PROXY names a SOCKS proxy"),
        ("HTTPS_PROXY", "ftp://u:secret@127.0.0.1", "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or NO_PROXY cannot be read"),
        ("HTTPS_PROXY", "http://u:secret@127.0.0.1:port", "write a proxy as http://HOST:PORT"),
        ("NO_PROXY", "[::1", "in NO_PROXY names or addresses"),
        ("SSL_CERT_FILE", "/nowhere.pem", r"SSL_CERT_FILE or SSL_CERT_DIR cannot be read \(No such file"),
    ],
)
def test_an_environment_that_cannot_be_used_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    if variable == "SSL_CERT_FILE":
        # Read once in a process.
        monkeypatch.setattr(client_module, "_tls", client_module._tls.__wrapped__)
    with pytest.raises(BadSetting, match=words) as refused:
        GitHub("https://x", "https://x/graphql", [TOKEN])
    assert "secret" not in str(refused.value)


def test_the_token_is_sent_in_the_header_only(
    folder: Path, commits: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    script = Script(["500", "drop", "401", "403-sso"])
    with GitHubDouble({"o/r": folder}, script=script) as double, client(double) as github:
        request = request_for(commits)
        outcomes = [github.send(request.call(), KEY) for _ in range(5)]
        verdicts = [judge(request, outcome, time.time()) for outcome in outcomes]
        assert {seen.token for seen in double.seen} == {TOKEN}
        assert TOKEN not in repr((github, request, outcomes, verdicts)) + caplog.text
    assert caplog.text


def test_every_request_has_podiums_user_agent() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    got: list[bytes] = []

    def serve() -> None:
        with listener, listener.accept()[0] as connection:
            got.append(connection.recv(65536))

    thread = threading.Thread(target=serve)
    thread.start()
    spoken(f"http://127.0.0.1:{listener.getsockname()[1]}")
    thread.join()
    assert f"user-agent: podium/{__version__}\r\n".encode() in got[0].lower()
    assert b"authorization: bearer " + TOKEN.encode() in got[0].lower()


class Worker:
    """Repeats requests until every e-mail is answered, as the user job does: slot, call, verdict, report, wait."""

    def __init__(self, github: GitHub, pool: TokenPool, clock: SkippingClock) -> None:
        self.github, self.pool, self.clock = github, pool, clock
        self.people: dict[str, GitHubAccount | None] = {}
        self.waits = 0

    def run(self, request: GitHubRequest) -> None:
        todo: list[GitHubRequest] = [request]
        attempt = 0
        while todo:
            request = todo.pop()
            slot = self._slot()
            verdict = judge(
                request, self.github.send(request.call(), slot.key), time.time(), attempt=attempt, strikes=slot.strikes
            )
            self.pool.report(slot, verdict, time.time())
            self.people |= verdict.answer.accounts
            attempt = 0 if verdict.action == Done() else attempt + 1
            todo += self._rest(request, verdict)
        self.clock.leave()

    def _rest(self, request: GitHubRequest, verdict: Verdict) -> list[GitHubRequest]:
        assert isinstance(request, EmailsRequest)
        assert isinstance(verdict.action, Done | RetryAfter | Halve | DelayUntil), verdict.action
        # Every commit exists, so a null object is a fault here.
        left = verdict.answer.retry + verdict.answer.other_commit
        if not left:
            return []
        size = (len(left) + 1) // 2 if isinstance(verdict.action, Halve) else len(left)
        return [
            EmailsRequest(request.owner, request.name, left[start : start + size])
            for start in range(0, len(left), size)
        ]

    def _slot(self) -> Slot:
        while True:
            taken = self.pool.take(time.time())
            if isinstance(taken, Slot):
                return taken
            assert isinstance(taken, WaitUntil)
            self.waits += 1
            self.clock.sleep_until(taken.time)


def expected_people() -> Mapping[str, int | None]:
    people = {f"p{n}@x.org": 1000 + n if n % 2 == 0 else None for n in range(AUTHORS)}
    return people | {f"co{n}@x.org": 1000 + n if n % 2 == 0 else None for n in range(0, AUTHORS, 3)}


@pytest.mark.parametrize("seed", [1, 2])
def test_forty_percent_faults_and_a_limit_do_not_change_the_answers(
    folder: Path, commits: list[str], accounts: Accounts, seed: int
) -> None:
    """Four workers share one budget; the double fails the test for any request beyond it or in a pause."""
    script = Script(probability=0.4, seed=seed)
    clock = SkippingClock(workers=4)
    with (
        clock.shown(),
        GitHubDouble({"o/r": folder}, accounts, script=script, limit=12, window=2) as double,
        client(double, timeout=0.3) as github,
    ):
        pool = TokenPool(github.keys, MemoryBudgetStore())
        workers = [Worker(github, pool, clock) for _ in range(4)]
        asks = [Ask(f"p{n}@x.org", commits[n]) for n in range(AUTHORS)]
        threads = [
            threading.Thread(target=worker.run, args=(EmailsRequest("o", "r", tuple(asks[number::4])),))
            for number, worker in enumerate(workers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    people = {email: a and a.account_id for worker in workers for email, a in worker.people.items()}
    assert people == expected_people()
    assert sum(worker.waits for worker in workers) > 0
