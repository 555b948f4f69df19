"""Measure what idle worker processes cost: SQL statements, Redis commands and processor time per second.

python -m benchmarks.idle [FOLDER] [--processes N] [--seconds N] [--pick-up N]

FOLDER is another checkout of Podium (its ``src`` runs, with this environment's packages); by default this one.
PostgreSQL logs every statement, BEGIN and COMMIT are counted apart. Redis counts the commands of scripts, too.
--pick-up N submits N small repositories instead, one after the other, each after two seconds without work, and measures
the time from the request's start until a worker has the lease, which is looked for every two milliseconds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import synthetic
from tests.support.cli import clean_environment
from tests.support.githttp import serve_repositories
from tests.support.postgres import running_postgres
from tests.support.processes import descendants
from tests.support.server import free_port, wait_until
from tests.support.valkey import Valkey, running_valkey

_HERE = Path(__file__).parents[1]
_TICKS = os.sysconf("SC_CLK_TCK")
# Seconds until the first passes of all processes are over.
_SETTLE = 25.0


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=_HERE)
    parser.add_argument("--processes", type=int, default=6, help="half of them for each queue")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--pick-up", type=int, default=0, metavar="N")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as data, running_postgres() as postgres, running_valkey() as valkey:
        name = postgres.create()
        environment = clean_environment(
            PYTHONPATH=str(options.folder / "src"),
            PODIUM_DATA_DIR=data,
            DATABASE_URL=postgres.url(name),
            REDIS_URL=valkey.url,
        )
        podium = [sys.executable, "-m", "podium"]
        servers = contextlib.ExitStack()
        if options.pick_up:
            host = servers.enter_context(serve_repositories(Path(data)))
            environment |= {"PODIUM_GIT_HOSTS": host.url, "PODIUM_SUBMISSIONS_PER_MINUTE": "0"}
        subprocess.run([*podium, "migrate"], env=environment, cwd=data, check=True, capture_output=True)
        if not options.pick_up:
            postgres.ask("ALTER SYSTEM SET log_statement = 'all'; ")
            postgres.ask("SELECT pg_reload_conf()")
        each = str(options.processes // 2)
        workers = [
            subprocess.Popen([*podium, "worker", kind, "--processes", each], env=environment, cwd=data)
            for kind in ("commits", "users")
        ]
        try:
            time.sleep(_SETTLE)
            if options.pick_up:
                server = servers.enter_context(_serving(podium, environment, data))
                _report_pick_up(server, host.url, Path(data), postgres.url(name), options.pick_up)
            else:
                _report(postgres.log, valkey, [worker.pid for worker in workers], options.seconds)
        finally:
            servers.close()
            for worker in workers:
                worker.send_signal(signal.SIGTERM)
            for worker in workers:
                worker.wait()


@contextlib.contextmanager
def _serving(podium: list[str], environment: Mapping[str, str], folder: str) -> Iterator[str]:
    """Run the API; its address."""
    port = free_port()
    process = subprocess.Popen([*podium, "serve", "--port", str(port)], env=environment, cwd=folder)
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/health"):
            return True
        return False

    try:
        wait_until(answers, "the API to answer")
        yield address
    finally:
        process.terminate()
        process.wait()


def _report_pick_up(server: str, host: str, repositories: Path, database: str, number: int) -> None:
    synthetic.build(repositories / "o" / "0.git", 10, 2)
    took = []
    with psycopg.connect(database, autocommit=True) as connection:
        for place in range(number + 1):
            if place:
                shutil.copytree(repositories / "o" / "0.git", repositories / "o" / f"{place}.git")
            time.sleep(2)
            took.append(_pick_up(connection, server, f"{host}/o/{place}.git"))
    # The first one starts a counting process.
    took = sorted(took[1:])
    print(f"from submission to lease, {number} times, in milliseconds: ", end="")
    print(f"median {statistics.median(took):.0f}, fastest {took[0]:.0f}, slowest {took[-1]:.0f}")


def _pick_up(connection: psycopg.Connection[Any], server: str, address: str) -> float:
    """Submit a repository; the milliseconds until its lease was taken."""
    query = urllib.parse.urlencode({"repoUrl": address})
    start = time.monotonic()
    with urllib.request.urlopen(urllib.request.Request(f"{server}/leaderboard?{query}", method="POST")) as answer:
        repository = json.load(answer)["id"]
    while True:
        row = connection.execute("SELECT lease_token FROM repository WHERE id = %s", (repository,)).fetchone()
        if row is not None and row[0] > 0:
            return 1000 * (time.monotonic() - start)
        time.sleep(0.002)


def _report(log: Path, valkey: Valkey, parents: list[int], seconds: float) -> None:
    pids = [pid for parent in parents for pid in (parent, *descendants(parent))]
    before = (_statements(log), _commands(valkey), sum(map(_cpu_seconds, pids)), time.monotonic())
    time.sleep(seconds)
    after = (_statements(log), _commands(valkey), sum(map(_cpu_seconds, pids)), time.monotonic())
    took = after[3] - before[3]
    statements, bounds = (after[0][place] - before[0][place] for place in (0, 1))
    print(f"{len(pids)} processes, {took:.0f} s")
    print(f"SQL statements per second: {statements / took:.2f}, and {bounds / took:.2f} BEGIN and COMMIT")
    print(f"Redis commands per second: {(after[1] - before[1]) / took:.1f}")
    print(f"processor time: {100 * (after[2] - before[2]) / took:.2f} % of a core")


def _statements(log: Path) -> tuple[int, int]:
    """The statements that PostgreSQL has logged, and the bounds of transactions."""
    lines = [line.partition(": ")[2] for line in log.read_text(errors="replace").splitlines() if "LOG:  " in line]
    ran = [line for line in lines if line.lstrip().startswith(("statement:", "execute"))]
    bounds = sum(1 for line in ran if line.rpartition(": ")[2].strip().upper().startswith(("BEGIN", "COMMIT")))
    return len(ran) - bounds, bounds


def _commands(valkey: Valkey) -> int:
    with valkey.client() as client:
        return int(client.info("stats")["total_commands_processed"])


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


if __name__ == "__main__":
    main()
