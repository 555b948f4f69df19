"""`podium serve` as an operator runs it: a real process on a real port of this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tests.support import markers
from tests.support.cli import ADMIN, ADMIN_TOKEN, Podium
from tests.support.fork_server import Process

# Seconds that anything may take here before the test is given up.
PATIENCE = 60.0

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(true: Callable[[], Any], what: str, *, longest_pause: float = 0.25) -> Any:
    """Ask again and again until ``true()`` is; give what it gave.

    The longer it takes, the rarer are the questions: each costs what is waited for some of its time.

    Args:
        longest_pause: seconds between two of them at most; 0: what lasts for a moment only is to be seen.
    """
    start = time.monotonic()
    waiting = threading.Event()
    while True:
        found = true()
        if found:
            return found
        waited = time.monotonic() - start
        if waited > PATIENCE:
            raise AssertionError(f"waited in vain for: {what}")
        waiting.wait(max(0.02, min(waited / 10, longest_pause)))


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    body: Any


@dataclasses.dataclass
class Server:
    """A running server."""

    port: int
    process: Process
    log: Any

    def ask(self, path: str, method: str = "GET", **query: Any) -> Answer:
        """One request of the administrator's; any status is an answer."""
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(query)}"
        try:
            with _direct.open(urllib.request.Request(url, method=method, headers=ADMIN), timeout=PATIENCE) as response:
                return Answer(response.status, json.load(response))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.load(error))

    def seconds(self, path: str) -> float:
        """How long a request takes that must be answered with 200, from the connection to the last byte."""
        start = time.perf_counter()
        with _direct.open(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as response:
            response.read()
            assert response.status == 200
        return time.perf_counter() - start

    def is_up(self) -> bool:
        if self.process.poll() is not None:
            self.log.seek(0)
            raise AssertionError(f"podium serve ended with {self.process.returncode}: {self.log.read()}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            return self.ask("/health").status == 200
        return False

    def submit(self, url: str) -> Answer:
        return self.ask("/leaderboard", "POST", repoUrl=url)

    def repository(self, url: str) -> dict[str, Any]:
        rows = [row for row in self.ask("/repositories", limit=1000).body if row["url"] == url]
        assert len(rows) == 1
        row: dict[str, Any] = rows[0]
        return row

    def wait_for(self, url: str, *states: str) -> dict[str, Any]:
        """Wait until the repository is in one of ``states``."""

        def there() -> dict[str, Any] | None:
            row = self.repository(url)
            return row if row["state"] in states else None

        found: dict[str, Any] = wait_until(there, f"{url} to be {' or '.join(states)}")
        return found

    def board(self, url: str, **query: Any) -> dict[str, Any]:
        answer = self.ask("/leaderboard", repoUrl=url, limit=1000, **query)
        assert answer.status == 200, answer
        document: dict[str, Any] = answer.body
        return document

    def kill(self) -> None:
        """As the kernel does when memory is out: no warning, no clean-up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def serving(
    podium: Podium,
    settings: Mapping[str, str] | None = None,
    *,
    port: int | None = None,
    arguments: Sequence[str] = (),
) -> Iterator[Server]:
    """`podium serve ARGUMENTS` for the length of a ``with`` block."""
    markers.require("serving")
    port = port or free_port()
    with tempfile.TemporaryFile("w+") as log:
        process = podium.start(
            *("serve", "--port", str(port), *arguments),
            stderr=log,
            **({"PODIUM_ADMIN_TOKEN": ADMIN_TOKEN} | dict(settings or {})),
        )
        server = Server(port, process, log)
        try:
            wait_until(server.is_up, "podium serve to answer")
            yield server
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    raise
