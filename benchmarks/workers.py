"""Compare one and two commit workers with git alone on 200 small repositories, and show what the cores do.

python -m benchmarks.workers [--repositories N] [--commits N] [--at-once 1,2] [--rounds N]

PostgreSQL and Valkey from wheels, a git server on loopback in a process of its own, real worker processes on default
settings, each with a folder of its own. Git alone does what a worker has it do: asks for the branch, clones without
trees, reads every commit; so many at a time as there are workers.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import cpu, synthetic
from podium.app import factories
from podium.jobs.messages.queues import NullQueues
from podium.repositories.address import parse_address
from podium.settings import Settings
from podium.submissions.submit import submit
from tests.support.cli import clean_environment
from tests.support.distributed import Arrangement, arranged
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.processes import children
from tests.support.valkey import Valkey, running_valkey

_SERVE = """
import sys, threading
from pathlib import Path
from tests.support.githttp import serve_repositories
with serve_repositories(Path(sys.argv[1])) as host:
    print(host.url, flush=True)
    sys.stdin.read()
"""


@dataclasses.dataclass(frozen=True)
class Run:
    """How long something took for all repositories, and the seconds of processor time of each part."""

    seconds: float
    parts: dict[str, float]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repositories", type=int, default=200)
    parser.add_argument("--commits", type=int, default=200)
    parser.add_argument("--at-once", default="1,2")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as folder:
        bench = Bench(Path(folder), options.repositories, options.commits)
        with bench:
            counts = [int(number) for number in options.at_once.split(",")]
            rounds = [
                {(kind, number): bench.run(kind, number) for number in counts for kind in ("git", "podium")}
                for _ in range(options.rounds)
            ]
    _say(rounds, counts, options.repositories)


class Bench:
    """Repositories, the servers, and what is run against them."""

    def __init__(self, folder: Path, repositories: int, commits: int) -> None:
        self._folder = folder
        self._names = [f"o/r{number}.git" for number in range(repositories)]
        for number, name in enumerate(self._names):
            synthetic.build(folder / "served" / name, commits, 20, seed=number)

    def __enter__(self) -> None:
        self._host = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(self._folder / "served")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._host.stdout
        self._url = self._host.stdout.readline().strip()
        self._servers = (running_postgres(), running_valkey())
        self._postgres: PostgresServer = self._servers[0].__enter__()
        self._valkey: Valkey = self._servers[1].__enter__()

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.__exit__(None, None, None)
        self._host.communicate()

    def run(self, kind: str, at_once: int) -> Run:
        """All repositories, so many at a time."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            return self._git(folder, at_once) if kind == "git" else self._podium(folder, at_once)
        finally:
            shutil.rmtree(folder)

    def _roots(self) -> dict[str, int]:
        return {"git server": self._host.pid, "PostgreSQL": self._postgres.pid, "Valkey": self._valkey.pid}

    def _git(self, folder: Path, at_once: int) -> Run:
        environment = clean_environment()

        def one(name: str) -> None:
            url, path = f"{self._url}/{name}", str(folder / name)

            def git(*words: str, **options: Any) -> bytes:
                done = subprocess.run(["git", *words], env=environment, check=True, stdout=subprocess.PIPE, **options)
                return bytes(done.stdout)

            git("ls-remote", "--symref", url, "HEAD")
            git("clone", "--quiet", "--bare", "--filter=tree:0", "--single-branch", "--no-tags", url, path)
            git("-C", path, "cat-file", "--batch", "--buffer", input=git("-C", path, "rev-list", "HEAD"))

        before, own = cpu.used(self._roots()), cpu.own_and_childrens([os.getpid()])[1]
        start = time.perf_counter()
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(one, self._names))
        seconds = time.perf_counter() - start
        parts = _since(before, cpu.used(self._roots()))
        return Run(seconds, parts | {"git": cpu.own_and_childrens([os.getpid()])[1] - own})

    def _podium(self, folder: Path, at_once: int) -> Run:
        settings = {"PODIUM_PRIVATE_GIT_HOSTS": self._url, "PODIUM_LOG_LEVEL": "warning"}
        with (
            arranged(folder, self._postgres, self._valkey, **settings) as arrangement,
            psycopg.connect(arrangement.settings["DATABASE_URL"], autocommit=True) as look,
        ):
            self._submit(arrangement)
            workers = [
                arrangement.worker("commits", "--processes", "1", data=folder / f"machine{n}") for n in range(at_once)
            ]
            # The first few are not measured, so that process start-up is left out.
            already = _wait_for_counted(look, at_once)
            start = time.perf_counter()
            at_work = [pid for worker in workers for pid in children(worker.pid)]
            before, own = cpu.used(self._roots()), cpu.own_and_childrens(at_work)
            _wait_for_counted(look, len(self._names))
            seconds = time.perf_counter() - start
            parts = _since(before, cpu.used(self._roots()))
            after = cpu.own_and_childrens(at_work)
            parts |= {"Podium": after[0] - own[0], "git": after[1] - own[1]}
        share = len(self._names) / (len(self._names) - already)
        return Run(seconds * share, {name: took * share for name, took in parts.items()})

    def _submit(self, arrangement: Arrangement) -> None:
        db = factories.open_database(Settings(database_url=arrangement.settings["DATABASE_URL"]))
        for name in self._names:
            submit(db, NullQueues(), parse_address(f"{self._url}/{name}"), refresh_after=0)
        db.close()


def _wait_for_counted(look: psycopg.Connection[Any], number: int) -> int:
    while True:
        row = look.execute("SELECT count(*) FROM repository WHERE head IS NOT NULL").fetchone()
        if row is not None and row[0] >= number:
            return int(row[0])
        time.sleep(0.05)


def _since(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: used - before[name] for name, used in after.items()}


def _say(rounds: Sequence[dict[tuple[str, int], Run]], counts: list[int], repositories: int) -> None:
    parts = ("Podium", "git", "git server", "PostgreSQL", "Valkey")
    print(f"{repositories} repositories; milliseconds each, medians of {len(rounds)} rounds taken in turn\n")
    print(f"| | at a time | a repository | of the first | cores busy | {' | '.join(parts)} |")
    print("|---" * (5 + len(parts)) + "|")
    for kind, number in [(kind, number) for kind in ("git", "podium") for number in counts]:
        runs = [each[kind, number] for each in rounds]
        seconds = statistics.median(run.seconds for run in runs)
        ratio = statistics.median(each[kind, number].seconds / each[kind, counts[0]].seconds for each in rounds)
        used = {part: statistics.median(run.parts.get(part, 0.0) for run in runs) for part in parts}
        each = [f"{used[part] / repositories * 1000:.0f}" for part in parts]
        label = "git alone" if kind == "git" else "Podium"
        busy = sum(used.values()) / seconds
        print(
            f"| {label} | {number} | {seconds / repositories * 1000:.0f} | {ratio:.2f} | {busy:.2f} | "
            f"{' | '.join(each)} |"
        )


if __name__ == "__main__":
    main()
