"""Compare many small repositories with as many bare treeless clones at the same parallelism.

python -m benchmarks.small [--repositories N] [--commits N] [--at-once N] [--rounds N] [--old FOLDER] [--postgres]

Each round runs `git clone --bare --filter=tree:0`, this version of Podium, and the one in FOLDER (a work tree) in turn.
Podium is `podium serve` with so many commit workers; its time is from the first submission to the last completed board.
Some repositories have a .mailmap. CPU time is that of all of its processes, without the git server.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import functools
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg

from benchmarks import cpu
from tests.support.cli import clean_environment
from tests.support.postgres import running_postgres

_ROOT = Path(__file__).parents[1]
_HOST = """
import sys
from pathlib import Path
from tests.support.githttp import serve_repositories
with serve_repositories(Path(sys.argv[1])) as host:
    print(host.url, flush=True)
    sys.stdin.read()
"""
_CLONE = ("git", "clone", "--quiet", "--bare", "--filter=tree:0")
# Every so many repositories have a .mailmap.
_WITH_MAILMAP = 10
# Repositories before the measurement, so that no start is measured.
_WARM = 4

_UNFINISHED = "SELECT count(*) FROM repository WHERE state NOT IN ('completed', 'failed')"

# Seconds, CPU milliseconds per repository of the clients, and of the git server.
Result = tuple[float, float, float]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repositories", type=int, default=40)
    parser.add_argument("--commits", type=int, default=30)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--old", type=Path)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        names = [f"o/r{number}.git" for number in range(options.repositories + _WARM)]
        for number, each in enumerate(names):
            _build(folder / "served" / each, options.commits, mailmap=number % _WITH_MAILMAP == 0)
        host = stack.enter_context(_git_host(folder / "served"))
        server = stack.enter_context(running_postgres()) if options.postgres else None
        versions = {"now": _ROOT} | ({"before": options.old} if options.old else {})
        rounds: list[dict[str, Result]] = []
        for number in range(options.rounds):
            made = {"clones": _clones(host, names[_WARM:], folder / f"clones{number}", options.at_once)}
            for version, source in versions.items():
                url = server.url(server.create()) if server else ""
                data = folder / f"{version}{number}"
                made[version] = _podium(host, names, data, source, url, options.at_once)
            rounds.append(made)
    _say(rounds, options.repositories)


def _build(repository: Path, commits: int, *, mailmap: bool) -> None:
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(repository)], check=True)
    files = b"M 100644 inline .mailmap\n" + _data(b"A <a@x> <b@x>\n") if mailmap else b""
    stream = b"".join(
        b"commit refs/heads/main\nauthor %b\ncommitter %b\n%b%bM 100644 inline README\n%b"
        % (who, who, _data(b"Change %d\n" % number), files, _data(b"%d\n" % number))
        for number in range(commits)
        for who in [b"Person %d <p%d@example.org> %d +0000" % (number % 7, number % 7, 1_700_000_000 + number)]
    )
    subprocess.run(["git", "-C", str(repository), "fast-import", "--quiet"], input=stream, check=True)


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


@contextlib.contextmanager
def _git_host(served: Path) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-c", _HOST, str(served)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.communicate()


def _clones(host: tuple[str, int], names: list[str], folder: Path, at_once: int) -> Result:
    environment, (url, git_server) = clean_environment(), host

    def clone(name: str) -> None:
        subprocess.run([*_CLONE, f"{url}/{name}", str(folder / name)], env=environment, check=True)

    before, own = _used(git_server), cpu.own_and_childrens([os.getpid()])[1]
    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        list(pool.map(clone, names))
    seconds = time.perf_counter() - start
    spent = cpu.own_and_childrens([os.getpid()])[1] - own
    return seconds, spent, _used(git_server) - before


def _podium(host: tuple[str, int], names: list[str], data: Path, source: Path, database: str, at_once: int) -> Result:
    environment = {
        **clean_environment(),
        "PYTHONPATH": str(source / "src"),
        "PODIUM_DATA_DIR": str(data),
        "PODIUM_PRIVATE_GIT_HOSTS": host[0],
        "PODIUM_COMMIT_WORKERS": str(at_once),
        "PODIUM_SUBMISSIONS_PER_MINUTE": "0",
        "PODIUM_LOG_LEVEL": "warning",
        **({"DATABASE_URL": database} if database else {}),
    }
    podium = [sys.executable, "-P", "-m", "podium"]
    if database:
        subprocess.run([*podium, "migrate"], env=environment, check=True, capture_output=True)
    command = [*podium, "serve", "--port", "0"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        base = next(word for word in process.stderr.readline().split() if word.startswith("http"))
        with httpx.Client(base_url=base, trust_env=False, timeout=60) as client:
            wait = functools.partial(_wait, database or data / "podium.db")
            _count(client, host[0], names[:_WARM], wait)
            before = _used(host[1]), _used(process.pid)
            seconds = _count(client, host[0], names[_WARM:], wait)
            return seconds, _used(process.pid) - before[1], _used(host[1]) - before[0]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def _count(client: httpx.Client, url: str, names: list[str], wait: Callable[[], None]) -> float:
    start = time.perf_counter()
    for name in names:
        client.post(f"/leaderboard?repoUrl={url}/{name}").raise_for_status()
    wait()
    return time.perf_counter() - start


def _wait(database: str | Path) -> None:
    """Until every repository is completed. Asking the server would cost it as much as a count."""
    opened = sqlite3.connect(database) if isinstance(database, Path) else psycopg.connect(database, autocommit=True)
    with contextlib.closing(opened) as connection:
        while (found := connection.execute(_UNFINISHED).fetchone()) and found[0]:
            time.sleep(0.01)
        if connection.execute("SELECT count(*) FROM repository WHERE state = 'failed'").fetchone() != (0,):
            raise SystemExit("a repository failed")


def _used(pid: int) -> float:
    return cpu.used({"": pid})[""]


def _say(rounds: list[dict[str, Result]], repositories: int) -> None:
    print(f"{repositories} repositories, medians of {len(rounds)} rounds in turn; load {os.getloadavg()[0]:.1f}\n")
    print("| | seconds | against clones (smallest to largest) | CPU ms a repository | of the git server | CPU ratio |")
    print("|---|---|---|---|---|---|")
    for kind in rounds[0]:
        ratios = sorted(made[kind][0] / made["clones"][0] for made in rounds)
        work = statistics.median(sum(made[kind][1:]) / sum(made["clones"][1:]) for made in rounds)
        seconds, client, server = (statistics.median(made[kind][at] for made in rounds) for at in range(3))
        spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
        each = f"{client / repositories * 1000:.0f} | {server / repositories * 1000:.0f}"
        print(f"| {kind} | {seconds:.1f} | {spread} | {each} | {work:.2f} |")


if __name__ == "__main__":
    main()
