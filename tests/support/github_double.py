"""A test double of GitHub: HTTP on loopback, answers from real repositories and a table of accounts.

It follows GitHub's rules (authentication, points, pages, nodes, whole object ids), plays scripted faults, records
requests, and collects violations of the rules. As a context manager it fails the test if there are any.
"""

from __future__ import annotations

import json
import math
import re
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from tests.support import github_rest
from tests.support.github_graphql import NoAnswerError, World, execute
from tests.support.github_history import Accounts
from tests.support.github_rest import Request
from tests.support.github_script import FAULTS, Answer, Script
from tests.support.hosted import Hosting

ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Seen:
    """One request: its time, API, path, token (or 'anonymous'), number of commits, and the fault that was played."""

    at: float
    api: str
    path: str
    token: str
    commits: int
    fault: str | None


@dataclass
class _Window:
    ends: int
    used: int = 0


@dataclass
class Pause:
    """A limit that an answer has stated, and how many requests may still come that were under way by then."""

    until: float
    under_way: int
    connection: socket.socket

    def is_in_force(self, now: float) -> bool:
        return now < self.until and self._is_known()

    def _is_known(self) -> bool:
        """Whether the client may have read it: one that no longer waited for the answer has closed the connection."""
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False


class GitHubDouble:
    """See the module.

    Args:
        repositories: folders by ``owner/name``, or what a git server and this double share.
        limit, window: points, and seconds until they reset.
        minute, concurrency: the secondary limits.
        pause: seconds in ``retry-after``.
        workers: the requests that the client sends at once, so that many may come after a pause was stated.
    """

    def __init__(
        self,
        repositories: Mapping[str, Path] | Hosting,
        accounts: Accounts | None = None,
        *,
        tokens: Iterable[str] = ("token-of-a-test",),
        script: Script | None = None,
        limit: int = 5000,
        anonymous_limit: int = 60,
        window: float = 3600.0,
        minute: int = 2000,
        concurrency: int = 100,
        max_nodes: int = 500_000,
        latency: float = 0.0,
        pause: int = 1,
        hang: float = 30.0,
        states_limits: bool = True,
        workers: int = 4,
    ) -> None:
        self.accounts = accounts or Accounts()
        self.tokens = set(tokens)
        self.script = script or Script()
        self.limit, self.anonymous_limit, self.window = limit, anonymous_limit, window
        self.minute, self.concurrency, self.max_nodes = minute, concurrency, max_nodes
        # The tokens' permissions; '' allows reading public repositories.
        self.scopes = ""
        self.latency, self.pause, self.hang, self.states_limits = latency, pause, hang, states_limits
        self.seen: list[Seen] = []
        self.violations: list[str] = []
        self.max_concurrent = 0
        self.hosting = repositories if isinstance(repositories, Hosting) else Hosting(repositories)
        self._windows: dict[tuple[str, str], _Window] = {}
        self.workers = workers
        self._pauses: dict[str, Pause] = {}
        self._at_once = 0
        self._limit_style = 0
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,), name="github-double")

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def graphql_url(self) -> str:
        return f"{self.api_url}/graphql"

    def asked(self, api: str | None = None) -> int:
        """The number of requests, faults included."""
        return sum(api in (None, seen.api) for seen in self.seen)

    def lookups(self, after: int = 0) -> list[Seen]:
        """The requests for the authors of commits, without the first ``after`` requests of all."""
        return [seen for seen in self.seen[after:] if seen.commits]

    def points(self, api: str = "graphql", token: str = "token-of-a-test") -> int:
        """What the requests to an API have cost so far, in the window that is under way."""
        with self._lock:
            return self._window(api, token).used

    def __enter__(self) -> GitHubDouble:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.hosting.close()
        if kind is None:
            self.check()

    def check(self) -> None:
        """Fail if a request broke GitHub's rules."""
        assert not self.violations, f"{len(self.violations)} violations: " + "; ".join(self.violations[:10])

    # Called by the server's threads.

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        token = re.sub(r"^(bearer|token) ", "", headers.get("authorization", ANONYMOUS), flags=re.IGNORECASE)
        parts = urlsplit(target)
        # Enterprise Server has its APIs under /api.
        path = re.sub(r"^/api(/v3)?(?=/)", "", parts.path)
        api = "graphql" if path == "/graphql" else "core"
        fault = self.script.next(api)
        self._note(Seen(time.time(), api, target, token, _commits_asked(body), fault), body)
        with self._under_way():
            self._stopping.wait(self.latency)
            answer = self._refusal(method, path, token, headers)
            # Requests for the limits are free.
            if answer is None and path != "/rate_limit":
                answer = self._limited(api, token)
            if answer is None:
                try:
                    asked = Request(self.api_url, path, parts.query, token, headers.get("accept", ""))
                    answer = self._graphql(token, body) if api == "graphql" else self._rest(asked)
                except NoAnswerError as error:
                    self.violations.append(str(error))
                    answer = Answer(500, {"message": str(error)})
            answer.headers = self._rate_headers(api, token) | {"x-oauth-scopes": self.scopes} | answer.headers
            if fault is not None:
                answer = FAULTS[fault](answer, self.pause)
            answer.token = token
            if answer.manner == "hang":
                self._stopping.wait(self.hang)
        return answer

    def _note(self, seen: Seen, body: bytes) -> None:
        with self._lock:
            self.seen.append(seen)
            pause = self._pauses.get(seen.token)
            if pause is not None and pause.is_in_force(seen.at + 0.05):
                pause.under_way -= 1
                if pause.under_way < 0:
                    self.violations.append(f"a request {pause.until - seen.at:.2f} s before the end of a limit")
            if any(token in seen.path or token.encode() in body for token in self.tokens):
                self.violations.append("a token outside of the Authorization header")

    def note_pause(self, answer: Answer, connection: socket.socket) -> None:
        """Note the pause that an answer states which is about to be sent."""
        if not answer.pause:
            return
        with self._lock:
            now = time.time()
            pause = self._pauses.get(answer.token)
            # The requests under way are the same for a pause that is in force already.
            left = pause.under_way if pause is not None and pause.is_in_force(now) else self.workers
            self._pauses[answer.token] = Pause(now + answer.pause, left, connection)

    def _under_way(self) -> _Counting:
        return _Counting(self)

    def count(self, change: int) -> None:
        with self._lock:
            self._at_once += change
            self.max_concurrent = max(self.max_concurrent, self._at_once)
            if self._at_once > self.concurrency:
                self.violations.append(f"{self._at_once} requests at once")

    def _refusal(self, method: str, path: str, token: str, headers: Mapping[str, str]) -> Answer | None:
        if not headers.get("user-agent"):
            return Answer(403, {"message": "Request forbidden by administrative rules."})
        if token not in self.tokens and (token != ANONYMOUS or path == "/graphql"):
            return Answer(401, {"message": "Bad credentials", "status": "401"})
        if method != ("POST" if path == "/graphql" else "GET"):
            return Answer(404, {"message": "Not Found"})
        return None

    def _limited(self, api: str, token: str) -> Answer | None:
        """Charge a point; over the limit, answer in one of GitHub's forms."""
        with self._lock:
            window = self._window(api, token)
            limit = self._limit(token)
            window.used += 1
            minute = sum(seen.api == api and seen.token == token and seen.at > time.time() - 60 for seen in self.seen)
            if minute > self.minute:
                self.violations.append(f"{minute} requests in a minute")
            if window.used <= limit:
                return None
            window.used = limit
            self.violations.append("a request beyond the limit")
            message = "API rate limit exceeded for user ID 1."
            self._limit_style += 1
        if api == "core" or self._limit_style % 3 == 0:
            return Answer(403, {"message": message})
        kind = ("RATE_LIMITED", "RATE_LIMIT")[self._limit_style % 2]
        return Answer(200, {"errors": [{"type": kind, "message": message}]})

    def _limit(self, token: str) -> int:
        return self.anonymous_limit if token == ANONYMOUS else self.limit

    def _window(self, api: str, token: str) -> _Window:
        now = time.time()
        window = self._windows.get((api, token))
        if window is None or now >= window.ends:
            window = self._windows[(api, token)] = _Window(math.ceil(now + self.window))
        return window

    def _rate_headers(self, api: str, token: str) -> dict[str, str]:
        if not self.states_limits:
            return {}
        with self._lock:
            window, limit = self._window(api, token), self._limit(token)
            return {
                "x-ratelimit-limit": str(limit),
                "x-ratelimit-remaining": str(limit - window.used),
                "x-ratelimit-used": str(window.used),
                "x-ratelimit-reset": str(window.ends),
                "x-ratelimit-resource": api,
            }

    def _graphql(self, token: str, body: bytes) -> Answer:
        request = json.loads(body)
        world = World(self.hosting, token, self.accounts, self._rate(token), max_nodes=self.max_nodes)
        try:
            return Answer(200, execute(world, request["query"], request.get("variables") or {}))
        finally:
            self.violations += world.wrong

    def _rate(self, token: str) -> dict[str, Any]:
        if not self.states_limits:
            return {}
        with self._lock:
            window = self._window("graphql", token)
            ends = datetime.fromtimestamp(window.ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            return {"cost": 1, "limit": self.limit, "remaining": self.limit - window.used, "resetAt": ends}

    def _rate_limit(self, token: str) -> Answer:
        if not self.states_limits:
            return Answer(404, {"message": "Rate limiting is not enabled."})
        with self._lock:
            limit = self._limit(token)
            windows = {api: self._window(api, token) for api in ("core", "graphql")}
            resources = {
                api: {"limit": limit, "used": window.used, "remaining": limit - window.used, "reset": window.ends}
                for api, window in windows.items()
            }
        return Answer(200, {"resources": resources, "rate": resources["core"]})

    def _rest(self, request: Request) -> Answer:
        if request.path == "/rate_limit":
            return self._rate_limit(request.token)
        answer = github_rest.answer(request, self.hosting, self.accounts)
        if isinstance(answer, str):
            self.violations.append(answer)
            return Answer(500, {"message": answer})
        return answer


class _Counting:
    def __init__(self, double: GitHubDouble) -> None:
        self._double = double

    def __enter__(self) -> None:
        self._double.count(+1)

    def __exit__(self, *_: object) -> None:
        self._double.count(-1)


def _commits_asked(body: bytes) -> int:
    # Where heads are asked for, such a variable is an owner.
    return len(set(re.findall(rb'"(o\d+)": *"[0-9a-f]{40}"', body)))


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, double: GitHubDouble) -> None:
        self.double = double
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        for request in tuple(self._open):
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The client closed it first.
                continue
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore closed connections; any other error is a bug of the double."""
        import sys

        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError):
            self.double.violations.append(f"the double failed: {error!r}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: two would wait for each other's acknowledgement.
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, format: str, *args: Any) -> None:
        """Do not log; ``seen`` has the requests."""

    def _serve(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.double.answer(self.command, self.path, headers, body)
        if answer.manner in ("drop", "hang"):
            self.close_connection = True
            return
        self.server.double.note_pause(answer, self.connection)
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response_only(answer.status)
        self.send_header("Date", formatdate(usegmt=True))
        for name, value in {"content-type": "application/json; charset=utf-8", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if answer.manner == "truncate":
            content = content[: len(content) // 2]
            self.close_connection = True
        self.wfile.write(content)
