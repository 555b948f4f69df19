"""How fast commit workers get through many small repositories: one, two, and git alone.

    python -m benchmarks.workers [--repositories 200]

PostgreSQL and Valkey from wheels, a git server on loopback in a process of its own, real worker processes on default
settings. All repositories wait before the workers start; the time is from the first that is taken to the last that is
saved, by the database's clock. Git alone does what a worker has it do: asks for the branch, clones without trees, reads
every commit.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import synthetic
from podium.jobs.queues import SilentRing
from podium.storage import migrate
from podium.storage.postgres import PostgresDatabase
from podium.submissions.address import parse_address
from podium.submissions.submit import submit
from tests.support.cli import Podium, clean_environment
from tests.support.postgres import Postgres, running_postgres
from tests.support.processes import descendants
from tests.support.valkey import Valkey, running_valkey

_SERVER = """
import sys, threading
from pathlib import Path
from tests.support.githttp import serve_repositories
with serve_repositories(Path(sys.argv[1])) as host:
    print(host.url, flush=True)
    sys.stdin.read()
"""
_TICK = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=int, default=200)
    parser.add_argument("--commits", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podium-workers-") as name:
        folder = Path(name)
        for number in range(options.repositories):
            synthetic.build(folder / "repositories" / "o" / f"r{number}.git", options.commits, 20, seed=number)
        with running_postgres() as postgres, running_valkey() as valkey, _git_server(folder / "repositories") as url:
            urls = [f"{url}/o/r{number}.git" for number in range(options.repositories)]
            git = _git_alone(urls, folder / "alone")
            runs = {n: _workers(n, urls, folder / f"workers-{n}", postgres, valkey) for n in (1, 2)}
    _print(options.repositories, git, runs)


@contextlib.contextmanager
def _git_server(repositories: Path) -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(repositories)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin and server.stdout
        yield server.stdout.readline().strip()
        server.stdin.close()


def _git_alone(urls: list[str], folder: Path) -> float:
    """Seconds that git itself takes, one repository after the other."""
    environment = clean_environment()
    started = time.perf_counter()
    for number, url in enumerate(urls):
        mirror = str(folder / f"{number}.git")
        subprocess.run(["git", "ls-remote", "--symref", url, "HEAD"], env=environment, check=True, capture_output=True)
        clone = ["git", "clone", "--quiet", "--bare", "--filter=tree:0", "--single-branch", "--no-tags", url, mirror]
        subprocess.run(clone, env=environment, check=True)
        listed = subprocess.run(
            ["git", "-C", mirror, "rev-list", "HEAD"], env=environment, check=True, capture_output=True
        ).stdout
        subprocess.run(
            ["git", "-C", mirror, "cat-file", "--batch", "--buffer"],
            env=environment,
            check=True,
            input=listed,
            stdout=subprocess.DEVNULL,
        )
    return time.perf_counter() - started


def _workers(
    number: int, urls: list[str], folder: Path, postgres: Postgres, valkey: Valkey
) -> tuple[float, dict[str, float]]:
    """Seconds that so many commit workers take for all, and the processor's seconds by who used them."""
    database = postgres.create()
    migrate.migrate(postgres.url(database))
    valkey.flush()
    with contextlib.closing(PostgresDatabase(postgres.url(database), most=2)) as db:
        for url in urls:
            submit(db, SilentRing(), parse_address(url), refresh_after=0)
    settings = {
        "DATABASE_URL": postgres.url(database),
        "REDIS_URL": valkey.url,
        "PODIUM_GIT_HOSTS": urls[0].rpartition("/o/")[0],
        "PODIUM_DISK_RESERVE_BYTES": "1M",
        "PODIUM_LOG_LEVEL": "WARNING",
    }
    before = _processor(postgres, valkey)
    workers = [
        Podium(folder / f"data-{n}").start("worker", "commits", "--processes", "1", stderr=sys.stderr, **settings)
        for n in range(number)
    ]
    try:
        while postgres.ask("SELECT count(*) FROM repository WHERE head IS NULL", database) != [(0,)]:
            time.sleep(0.2)
        used = {name: value - before.get(name, 0.0) for name, value in _processor(postgres, valkey).items()}
        own = [pid for worker in workers for pid in descendants(worker.pid)]
        used["podium's Python"] = sum(_seconds(pid, children=False) for pid in own)
        used["podium's git"] = sum(_seconds(pid, children=True) for pid in own) - used["podium's Python"]
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        for worker in workers:
            worker.wait()
    ((took,),) = postgres.ask("SELECT max(commits_processed_at) - min(last_attempt) FROM repository", database)
    return took, used


def _processor(postgres: Postgres, valkey: Valkey) -> dict[str, float]:
    """Seconds of the processor that the servers have used."""
    return {
        name: sum(_seconds(pid, children=True) for pid in (root, *descendants(root)))
        for name, root in (("PostgreSQL", postgres.pid), ("Valkey", valkey.pid))
    }


def _seconds(pid: int, *, children: bool) -> float:
    """Seconds of the processor that a process has used, with or without those of its ended children."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11 : 15 if children else 13])) / _TICK


def _print(repositories: int, git: float, runs: dict[int, tuple[float, dict[str, float]]]) -> None:
    one, two = runs[1][0], runs[2][0]
    print(f"| {repositories} repositories | seconds | each | ratio |\n|---|---|---|---|")
    print(f"| git alone | {git:.1f} | {1000 * git / repositories:.0f} ms | |")
    print(f"| one commit worker | {one:.1f} | {1000 * one / repositories:.0f} ms | {one / git:.2f} of git alone |")
    print(f"| two commit workers | {two:.1f} | {1000 * two / repositories:.0f} ms | {two / one:.2f} of one |")
    for number, (took, used) in runs.items():
        parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in used.items())
        print(f"\n{number} at work for {took:.1f} s: {parts}, of {took * (os.cpu_count() or 1):.0f} s there were.")


if __name__ == "__main__":
    main()
