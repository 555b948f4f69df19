"""Measure e-mails per second: 30,000 e-mails are looked up at a double of GitHub that answers after 200 ms.

python -m benchmarks.accounts [--emails N] [--latency SECONDS] [--workers N] [--on sqlite,postgresql]

On SQLite in one process, and with `podium worker users` on PostgreSQL and Valkey; the double is a separate process. The
alternative, one search request per e-mail, is not run: GitHub allows 30 searches a minute
(https://docs.github.com/en/rest/search/search#rate-limit), which is half an e-mail per second at any latency. The upper
bound is what the latency allows: fifty e-mails per concurrent request.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks import cpu
from podium.app import factories
from podium.jobs import reconciler
from podium.jobs.messages.broker import JobQueues
from podium.jobs.messages.queues import Queues
from podium.settings import Settings
from podium.storage.session import Database
from tests.support.community import Community, build, gather
from tests.support.distributed import arranged
from tests.support.github_double import GitHubDouble
from tests.support.postgres import running_postgres
from tests.support.processes import children
from tests.support.resolving import TOKEN, desk
from tests.support.server import wait_until
from tests.support.valkey import running_valkey

SEARCHES_PER_SECOND = 30 / 60


@dataclasses.dataclass(frozen=True)
class Double:
    """A double of GitHub in a separate process."""

    api_url: str
    requests: int = 0

    @property
    def graphql_url(self) -> str:
        """The address of GraphQL."""
        return f"{self.api_url}/graphql"


@dataclasses.dataclass(frozen=True)
class Run:
    """Elapsed and CPU seconds until every account was found."""

    seconds: float
    requests: int
    parts: dict[str, float]


def main() -> None:
    """Measure, check that every account was found, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emails", type=int, default=30_000)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--workers", type=int, default=Settings().user_workers)
    parser.add_argument("--on", default="sqlite,postgresql")
    options = parser.parse_args()
    # One in ten people also has a noreply address, which needs no request, and one a second e-mail, which does.
    community = gather(options.emails * 10 // 11)
    runs = {}
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as name:
        folder = Path(name)
        build(folder / "r.git", community)
        for database in options.on.split(","):
            run = _on_sqlite if database == "sqlite" else _on_postgresql
            (folder / database).mkdir()
            runs[database] = run(folder / "r.git", folder / database, community, options.latency, options.workers)
    _say(runs, sum("noreply" not in email for email in community.emails), options.latency, options.workers)


@contextlib.contextmanager
def _double(folder: Path, community: Community, latency: float, asked: list[int]) -> Iterator[Double]:
    """Append the number of requests to ``asked`` at the end."""
    processes = multiprocessing.get_context("fork")
    here, there = processes.Pipe()
    process = processes.Process(target=_answer, args=(there, folder, community, latency))
    process.start()
    yield Double(here.recv())
    here.send("enough")
    asked.append(here.recv())
    process.join()


def _answer(there: Connection[str | int, str], folder: Path, community: Community, latency: float) -> None:
    with GitHubDouble({"o/r": folder}, community.accounts, latency=latency) as double:
        there.send(double.api_url)
        there.recv()
        there.send(double.asked())


def _on_sqlite(folder: Path, data: Path, community: Community, latency: float, workers: int) -> Run:
    asked: list[int] = []
    with _double(folder, community, latency, asked) as double:
        db = factories.open_database(Settings(data_dir=str(data)))
        with contextlib.closing(db), desk(db, double) as podium:
            number = podium.count(folder)
            start, before = time.perf_counter(), time.process_time()
            podium.resolve(number, workers=workers)
            seconds, used = time.perf_counter() - start, time.process_time() - before
            _check(podium.rows(number), community)
    return Run(seconds, asked[0], {"Podium": used})


def _on_postgresql(folder: Path, data: Path, community: Community, latency: float, workers: int) -> Run:
    asked: list[int] = []
    with (
        _double(folder, community, latency, asked) as double,
        running_postgres() as postgres,
        running_valkey() as valkey,
        arranged(
            data,
            postgres,
            valkey,
            GITHUB_TOKEN=TOKEN,
            GITHUB_API_URL=double.api_url,
            GITHUB_GRAPHQL_URL=double.graphql_url,
            PODIUM_LOG_LEVEL="warning",
        ) as arrangement,
    ):
        worker = arrangement.worker("users", "--threads", str(workers))
        settings = Settings(database_url=arrangement.settings["DATABASE_URL"], redis_url=valkey.url)
        db, queues = factories.open_database(settings), _queues(settings)
        with contextlib.closing(db), desk(db, double) as podium:
            wait_until(lambda: _value(db, "SELECT count(*) FROM worker"), "the worker to be there")
            number = podium.count(folder)
            reconciler.enqueue_next(db, queues, number)
            at_work = children(worker.pid)
            roots = {"PostgreSQL": postgres.pid, "Valkey": valkey.pid}
            before, own = cpu.used(roots), cpu.own_and_childrens(at_work)[0]
            while podium.row(number).state != "completed":
                time.sleep(0.1)
            parts = {name: used - before[name] for name, used in cpu.used(roots).items()}
            parts["Podium"] = cpu.own_and_childrens(at_work)[0] - own
            seconds = float(_value(db, "SELECT users_processed_at - commits_processed_at FROM repository"))
            _check(podium.rows(number), community)
    return Run(seconds, asked[0], parts)


def _queues(settings: Settings) -> Queues:
    def nothing(*_: object) -> None:
        """Do nothing: this process only enqueues."""

    return JobQueues(factories.backend(settings), nothing, nothing, commit_threads=0, user_threads=0)


def _value(db: Database, sql: str) -> float:
    with db.read() as session:
        found: float = session.value(sql)
        return found


def _check(rows: dict[str, int], community: Community) -> None:
    if rows != dict(community.rows()):
        raise SystemExit("The board is not what the accounts say.")


def _say(runs: dict[str, Run], emails: int, latency: float, workers: int) -> None:
    print(f"{emails:,} e-mails, {latency * 1000:.0f} ms an answer, {workers} workers\n")
    print("| way | requests | e-mails per second | ratio | milliseconds of processor time a request |")
    print("|---|---|---|---|---|")
    for database, run in runs.items():
        speed = emails / run.seconds
        parts = ", ".join(f"{name} {1000 * used / run.requests:.1f}" for name, used in run.parts.items())
        print(f"| Podium on {database} | {run.requests} | {speed:,.0f} | | {parts} |")
    if latency:
        print(f"| what the latency allows | | {workers * 50 / latency:,.0f} | | |")
    slower = max(emails / run.seconds for run in runs.values()) / SEARCHES_PER_SECOND
    print(f"| one search an e-mail, 30 a minute | {emails:,} | {SEARCHES_PER_SECOND} | {slower:,.0f} times slower | |")


if __name__ == "__main__":
    main()
