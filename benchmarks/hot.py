"""Compare hot boards and the list of repositories on PostgreSQL with bare endpoints, and one API process with several.

python -m benchmarks.hot [--old FOLDER] [--processes N] [--rounds N] [--seconds N] [--connections N] [--people N]

One client process reads through so many connections for some seconds: in each round every request and a bare endpoint
of the same server with the same bytes, of this version and of the one in FOLDER (a work tree), in turn. Then
`podium serve` with one process and with N, read in turn too. The client takes part of the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.support.cli import clean_environment
from tests.support.postgres import Postgres, running_postgres
from tests.support.valkey import running_valkey

_ROOT = Path(__file__).parents[1]
_BOARD = "https://github.com/someone/project7"
_REQUESTS = {
    "GET /leaderboard": f"/leaderboard?repoUrl={_BOARD}",
    "the page": "/r/someone/project7",
    "GET /repositories?limit=50": "/repositories?limit=50",
}

# /bare/NUMBER answers with the bytes of a request, through the same server, application and middleware.
_SERVE = """
import dataclasses, sys
from pathlib import Path
from fastapi import Response
from podium.storage import migrate
from podium.web.serving import server
# Versions have the class PostgresDatabase in different modules.
from tests.support.bulk_rows import PostgresDatabase, fill
from tests.support.web import open_site

url, people, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
migrate.migrate(url)
db = PostgresDatabase(url, most=10)
fill(db, repositories=80, people=people)
with open_site(folder, db, read_budget=0) as site:
    make = server.create_app
    def create_app(services):
        app = make(services)
        def add(number):
            content = (folder / str(number)).read_bytes
            kept = []
            async def bare() -> Response:
                kept[:] = kept or [content()]
                return Response(kept[0], media_type="text/html" if number == 1 else "application/json")
            app.add_api_route(f"/bare/{number}", bare)
        for number in range(3):
            add(number)
        return app
    server.create_app = create_app
    def say(url):
        print(url, flush=True)
    if hasattr(server, "listening"):
        with server.listening("127.0.0.1", 0) as sockets:
            server.run(site.services, "127.0.0.1", sockets, on_listening=say)
    else:
        server.run(site.services, "127.0.0.1", 0, on_listening=say)
"""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--people", type=int, default=1000)
    options = parser.parse_args()
    load = Load(options.connections, options.seconds)
    how = f"{options.connections} connections, medians of {options.rounds} rounds in turn"
    print(f"{how}; load {os.getloadavg()[0]:.1f}\n", flush=True)
    with running_postgres() as postgres, tempfile.TemporaryDirectory(prefix="podium-benchmark-") as name:
        folder = Path(name)
        versions = {"now": _ROOT} | ({"before": options.old} if options.old else {})
        with contextlib.ExitStack() as stack:
            bases = {
                version: stack.enter_context(_served(postgres, source, folder / version, options.people))
                for version, source in versions.items()
            }
            _against_bare(bases, folder, load, options.rounds)
        _processes(postgres, folder, load, options)


@dataclasses.dataclass(frozen=True)
class Load:
    """Reads through so many connections for so many seconds."""

    connections: int
    seconds: float

    def per_second(self, url: str) -> float:
        """Answers per second; a redirect or an error ends the benchmark."""
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
        with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
            for _ in range(self.connections):
                opened = stack.enter_context(socket.create_connection((parts.hostname, parts.port)))
                opened.sendall(request)
                selector.register(opened, selectors.EVENT_READ, _Answer())
            answers, start = 0, time.perf_counter()
            while (took := time.perf_counter() - start) < self.seconds:
                for key, _ in selector.select(0.1):
                    if key.data.feed(key.fileobj.recv(1 << 20)):  # type: ignore[union-attr]
                        answers += 1
                        key.fileobj.sendall(request)  # type: ignore[union-attr]
        return answers / took


class _Answer:
    def __init__(self) -> None:
        self._left: int | None = None
        self._head = b""

    def feed(self, data: bytes) -> bool:
        """Whether the answer is complete."""
        if not data:
            raise SystemExit("the server has closed a connection")
        if self._left is None:
            self._head += data
            head, found, body = self._head.partition(b"\r\n\r\n")
            if not found:
                return False
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"the server answered {head[:60]!r}")
            length = head.lower().partition(b"content-length:")[2].split()[0]
            self._left, data = int(length), body
        self._left -= len(data)
        if self._left > 0:
            return False
        self._left, self._head = None, b""
        return True


@contextlib.contextmanager
def _served(postgres: Postgres, source: Path, folder: Path, people: int) -> Iterator[str]:
    folder.mkdir()
    environment = {**clean_environment(), "PYTHONPATH": f"{source}:{source / 'src'}"}
    command = [sys.executable, "-P", "-c", _SERVE, postgres.url(postgres.create()), str(people), str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder)
    assert process.stdout
    try:
        base = process.stdout.readline().strip()
        for number, path in enumerate(_REQUESTS.values()):
            answer = httpx.get(base + path, headers={"accept-encoding": "identity"}, trust_env=False, timeout=60)
            (folder / str(number)).write_bytes(answer.raise_for_status().content)
        yield base
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def _against_bare(bases: dict[str, str], folder: Path, load: Load, rounds: int) -> None:
    print("| request | bytes | version | per second | bare endpoint, same bytes | ratio (smallest to largest) |")
    print("|---|---|---|---|---|---|")
    for number, (name, path) in enumerate(_REQUESTS.items()):
        found: dict[str, list[tuple[float, float]]] = {version: [] for version in bases}
        for _ in range(rounds):
            for version, base in bases.items():
                found[version].append((load.per_second(base + path), load.per_second(f"{base}/bare/{number}")))
        for version, pairs in found.items():
            ratios = sorted(ours / bare for ours, bare in pairs)
            ours, bare = (statistics.median(values) for values in zip(*pairs, strict=True))
            size = (folder / version / str(number)).stat().st_size
            spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
            print(f"| {name} | {size:,} | {version} | {ours:,.0f} | {bare:,.0f} | {spread} |", flush=True)


def _processes(postgres: Postgres, folder: Path, load: Load, options: argparse.Namespace) -> None:
    print(
        f"\n| request | one process | {options.processes} processes | ratio (smallest to largest) |\n|---|---|---|---|"
    )
    with running_valkey() as valkey, contextlib.ExitStack() as stack:
        database = postgres.url(postgres.create())
        _fill(database, options.people)
        environment = {
            **clean_environment(),
            "DATABASE_URL": database,
            "REDIS_URL": valkey.url,
            "PODIUM_DATA_DIR": str(folder / "data"),
            "PODIUM_LOG_LEVEL": "warning",
        }
        bases = [stack.enter_context(_serve(environment, number)) for number in (1, options.processes)]
        for name, path in _REQUESTS.items():
            pairs = [[load.per_second(base + path) for base in bases] for _ in range(options.rounds)]
            ratios = sorted(many / one for one, many in pairs)
            one, many = (statistics.median(values) for values in zip(*pairs, strict=True))
            spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
            print(f"| {name} | {one:,.0f} | {many:,.0f} | {spread} |", flush=True)


def _fill(database: str, people: int) -> None:
    from podium.storage import migrate
    from podium.storage.postgresql.postgres import PostgresDatabase
    from tests.support.bulk_rows import fill

    migrate.migrate(database)
    with contextlib.closing(PostgresDatabase(database, most=2)) as db:
        fill(db, repositories=80, people=people)


@contextlib.contextmanager
def _serve(environment: dict[str, str], processes: int) -> Iterator[str]:
    command = [sys.executable, "-P", "-m", "podium", "serve", "--port", "0", "--processes", str(processes)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        line = next(line for line in process.stderr if "http://" in line)
        base = next(word for word in line.split() if word.startswith("http"))
        # Until each process has started and has made what is read.
        for path in 3 * list(_REQUESTS.values()):
            Load(4 * processes, 1).per_second(base + path)
        yield base
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


if __name__ == "__main__":
    main()
