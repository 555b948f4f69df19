"""Two versions of Podium under the same attack: hostile repositories, costly reads, half-open connections.

python -m benchmarks.attack [--podium PATH]…      # this version, unless others are named

Each version runs `podium serve` with default settings and at most 1,024 open files, behind a trusted proxy, so that
clients have addresses of their own. A second client asks for `/health` throughout, and submits a small repository after
the hostile ones.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import itertools
import json
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import httpx

from benchmarks import hostile, measure, synthetic
from tests.support.cli import ADMIN_TOKEN, clean_environment
from tests.support.githttp import serve_repositories
from tests.support.server import free_port

_HOSTILE = "30 commits of 340,000 continuation lines"
_ATTACKER, _OTHER = "198.51.100.7", "192.0.2.1"
_OPEN_FILES = 1024
_TIMEOUT = 10.0


class Target:
    """A running server."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.log = log

    def ask(self, path: str, method: str = "GET", *, client: str = _OTHER) -> tuple[int, bytes]:
        """Return status and body; status 0: no answer in time."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT)
        try:
            connection.request(method, path, headers={"X-Forwarded-For": client})
            response = connection.getresponse()
            return response.status, response.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    def submit(self, url: str, client: str) -> int:
        return self.ask(f"/leaderboard?repoUrl={urllib.parse.quote(url)}", "POST", client=client)[0]

    def wait_for(self, url: str, seconds: float) -> float | None:
        """Return after how many seconds the board can be read; None: not within ``seconds``."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            status, body = self.ask(f"/leaderboard?repoUrl={urllib.parse.quote(url)}&limit=1")
            if status == 200 and json.loads(body).get("top_contributors"):
                return time.monotonic() - started
            time.sleep(0.1)
        return None


class Health:
    """Asks for `/health` in a thread until the end of a ``with`` block."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.seconds: list[float] = []
        self.unanswered = 0
        self.peak = 0

    def __enter__(self) -> Health:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def shown(self) -> str:
        if not self.seconds:
            return f"no answer to {self.unanswered}"
        text = f"{1000 * statistics.median(self.seconds):.1f}, {1000 * max(self.seconds):.0f} ms"
        return text + (f", no answer to {self.unanswered}" if self.unanswered else "")

    def _ask(self) -> None:
        while not self._ends.wait(0.02):
            started = time.perf_counter()
            if self._target.ask("/health")[0] == 200:
                self.seconds.append(time.perf_counter() - started)
            else:
                self.unanswered += 1
            self.peak = max(self.peak, measure.tree_bytes(self._target.process.pid))


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--podium", action="append", type=Path, help="the command of a version")
    parser.add_argument("--people", type=int, default=10_000, help="people of the board that is read")
    parser.add_argument("--seconds", type=float, default=30, help="length of the reads, and of the connections")
    parser.add_argument("--patience", type=float, default=180, help="seconds to wait for the small repository")
    options = parser.parse_args()
    print("| version | attack | `/health` of another client: median, slowest | what else |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as folder, serve_repositories(Path(folder)) as host:
        synthetic.build(Path(folder) / "o" / "big.git", 2 * options.people, options.people, everybody=True)
        synthetic.build(Path(folder) / "o" / "small.git", 100, 10)
        for number in range(4):
            hostile.CASES[_HOSTILE](Path(folder) / "o" / f"hostile{number}.git")
        for podium in options.podium or [Path(hostile.PODIUM)]:
            with _serving(podium, host.url) as target:
                for row in _rows(target, host.url, options):
                    print(f"| {podium.parents[2].name} | {row} |", flush=True)
    return 0


def _rows(target: Target, host: str, options: argparse.Namespace) -> Iterator[str]:
    target.submit(f"{host}/o/big", _OTHER)
    if target.wait_for(f"{host}/o/big", options.patience) is None:
        raise SystemExit("the board to be read was not counted")
    with Health(target) as health:
        time.sleep(3)
    yield f"none | {health.shown()} | {health.peak / 1e6:.0f} MB"

    with Health(target) as health:
        for number in range(4):
            target.submit(f"{host}/o/hostile{number}", _ATTACKER)
        time.sleep(1)
        target.submit(f"{host}/o/small", _OTHER)
        took = target.wait_for(f"{host}/o/small", options.patience)
        shown = f"more than {options.patience:.0f} s" if took is None else f"{took:.1f} s"
    yield f"4 hostile repositories | {health.shown()} | a small repository: {shown}; {health.peak / 1e6:.0f} MB"

    with Health(target) as health:
        statuses = asyncio.run(_read(target, f"{host}/o/big", options.seconds))
    answers = ", ".join(f"{statuses.count(status)} with {status}" for status in sorted(set(statuses)))
    yield f"costly reads through 8 connections | {health.shown()} | {answers}; {health.peak / 1e6:.0f} MB"

    size = target.log.stat().st_size
    with _half_open(target.port, 1100), Health(target) as health:
        time.sleep(options.seconds)
    log = (target.log.stat().st_size - size) / options.seconds / 1000
    yield f"1,100 half-open connections | {health.shown()} | {log:.1f} kB of log per second"

    with Health(target) as health:
        time.sleep(3)
    yield f"none, afterwards | {health.shown()} | {health.peak / 1e6:.0f} MB"


async def _read(target: Target, url: str, seconds: float) -> list[int]:
    statuses: list[int] = []
    numbers, end = itertools.count(), time.monotonic() + seconds

    async def client() -> None:
        headers = {"X-Forwarded-For": _ATTACKER}
        base_url = f"http://127.0.0.1:{target.port}"
        async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=60) as session:
            while time.monotonic() < end:
                statuses.append((await session.get(_costly(url, next(numbers)))).status_code)

    await asyncio.gather(*(client() for _ in range(8)))
    return statuses


def _costly(url: str, number: int) -> str:
    since = f"{2000 + number % 20}-{1 + number // 20 % 12:02}-{1 + number // 240 % 28:02}"
    board = f"repoUrl={urllib.parse.quote(url)}&since={since}"
    match number % 3:
        case 0:
            return f"/leaderboard?{board}&limit=1000&sparklines=include"
        case 1:
            return f"/leaderboard/find?{board}&q=person%20{number}"
    return f"/leaderboard/explain?{board}&rank={1 + number % 1000}"


@contextlib.contextmanager
def _half_open(port: int, number: int) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for _ in range(number):
            connection = stack.enter_context(socket.socket())
            connection.settimeout(0.2)
            with contextlib.suppress(OSError):
                connection.connect(("127.0.0.1", port))
                connection.send(b"GET / HTTP/1.1\r\n")
        yield


@contextlib.contextmanager
def _serving(podium: Path, host: str) -> Iterator[Target]:
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as folder:
        log, port = Path(folder) / "log", free_port()
        environment = clean_environment(
            PODIUM_DATA_DIR=folder,
            PODIUM_GIT_HOSTS=host,
            PODIUM_TRUSTED_PROXIES="127.0.0.1",
            PODIUM_ADMIN_TOKEN=ADMIN_TOKEN,
        )
        command = f'ulimit -n {_OPEN_FILES}; exec "$0" serve --port {port}'
        with (
            log.open("wb") as output,
            subprocess.Popen(["sh", "-c", command, podium], env=environment, stdout=output, stderr=output) as process,
        ):
            target = Target(process, port, log)
            try:
                while target.ask("/health")[0] != 200:
                    if process.poll() is not None:
                        raise SystemExit(log.read_text())
                    time.sleep(0.1)
                yield target
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()


if __name__ == "__main__":
    # The half-open connections need as many files here.
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    sys.exit(main())
