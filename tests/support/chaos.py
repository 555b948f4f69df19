"""Everything that can go wrong with processes, servers and hosts, at random, while repositories are worked off.

One :class:`World` has the servers and the hosts; a :class:`Fleet` is Podium's processes on it, on default settings,
which an operator starts again when they end and does nothing else about; :class:`Chaos` plays the faults.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import psycopg
import redis

from tests.support import host_life
from tests.support.cli import ADMIN_TOKEN, Podium
from tests.support.fork_server import Process
from tests.support.githttp import Fault, GitHost, serve_repositories
from tests.support.github_double import GitHubDouble
from tests.support.github_history import Accounts, KnownAccount
from tests.support.github_script import PASSING, Script
from tests.support.host_life import HostLife
from tests.support.hosted import Hosting
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.processes import asks_git_for, children, counting_processes, descendants
from tests.support.server import Answer, Server, free_port
from tests.support.valkey import Valkey, running_valkey

TOKEN = "token-of-the-chaos"
# Longer than the lease of a commit worker (15 s) and the claim of a user worker.
STOPPED_FOR = 20.0
REDIS_AWAY_FOR = 10.0
OUTAGES = ("git host away", "disk full", "Redis full", "PostgreSQL read-only", "token refused")
# Bytes of the disk of one commit worker.
DISK = "64m"
# What every board is compared under.
VIEWS: tuple[dict[str, str], ...] = ({}, {"merges": "include", "bots": "include", "coAuthors": "include"})


class Bursts(Script):
    """No fault, but while a burst lasts: then most requests have one."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.until = 0.0
        self._dice = random.Random(seed)

    def next(self, api: str) -> str | None:
        if time.monotonic() > self.until or self._dice.random() > 0.7:
            return None
        return self._dice.choice([name for name in PASSING if name != "timeout"])


@dataclasses.dataclass
class World:
    """The servers and hosts, and the repositories that the git host has."""

    folder: Path
    postgres: PostgresServer
    valkey: Valkey
    git: GitHost
    github: GitHubDouble
    bursts: Bursts
    hosting: Hosting

    @property
    def names(self) -> list[str]:
        """What the repositories are called now."""
        return [hosted.full_name for hosted in self.hosting]

    def set_latency(self, seconds: float) -> None:
        """Seconds that every request to git and to GitHub takes, as over a network."""
        self.git.faults[-1].seconds = self.github.latency = seconds

    def address(self, name: str) -> str:
        return f"{self.git.url}/{name}"


@contextlib.contextmanager
def world(folder: Path, repositories: int, seed: int) -> Iterator[World]:
    """A world with so many repositories, for the length of a ``with`` block."""
    dice, accounts = random.Random(seed), Accounts()
    places = {f"o/r{n}": folder / "repositories" / "o" / f"r{n}.git" for n in range(repositories)}
    for number, place in enumerate(places.values()):
        _build(place, number, dice, accounts)
    bursts, hosting = Bursts(seed), Hosting()
    with (
        running_postgres() as postgres,
        running_valkey() as valkey,
        serve_repositories(folder / "repositories", hosting=hosting) as git,
        # What is asked before a limit ended is checked elsewhere: here whoever was told may be dead.
        contextlib.ExitStack() as opened,
    ):
        git.faults.append(Fault("stall", seconds=0))
        hosting.web = git.url
        for name, place in places.items():
            hosting.add(name, place)
        github = GitHubDouble(hosting, accounts, tokens=(TOKEN,), script=bursts)
        github.__enter__()
        opened.callback(github.__exit__, SystemExit, None, None)
        yield World(folder, postgres, valkey, git, github, bursts, hosting)


def _build(place: Path, number: int, dice: random.Random, accounts: Accounts) -> None:
    """A repository of a few hundred commits and up to three batches of people, a third of them in others too."""
    people = [
        f"p{dice.randrange(500)}@example.org" if dice.random() < 0.33 else f"r{number}p{n}@example.org"
        for n in range(dice.randrange(30, 130))
    ]
    account: KnownAccount | None = None
    for email in people:
        if dice.random() < 0.7 and accounts.owner(email) is None:
            # Some have two e-mails.
            if account is None or dice.random() < 0.8:
                number_of = 1000 + len(accounts.by_email)
                account = KnownAccount(number_of, f"login{number_of}")
            accounts.add(account, email)
    stream = bytearray()
    for mark in range(1, dice.randrange(150, 450)):
        who = f"Person <{dice.choice(people)}> {1_500_000_000 + mark * 50_000} +0000".encode()
        message = b"Change\n"
        if dice.random() < 0.1:
            message += f"\nCo-authored-by: Other <{dice.choice(people)}>\n".encode()
        stream += b"commit refs/heads/main\nmark :%d\nauthor %s\ncommitter %s\n" % (mark, who, who)
        stream += b"data %d\n%s" % (len(message), message)
        stream += b"from :%d\n" % (mark - 1) if mark > 1 else b""
        stream += b"merge :%d\n" % (mark - 3) if mark > 5 and dice.random() < 0.1 else b""
        stream += b"\n"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(place)], check=True)
    subprocess.run(["git", "-C", str(place), "fast-import", "--quiet"], input=bytes(stream), check=True)


class Member:
    """One of Podium's commands, started again when it ends."""

    def __init__(self, name: str, start: Callable[[], Process]) -> None:
        self.name = name
        self._start = start
        self.process = start()

    def revive(self) -> None:
        if self.process.poll() is not None:
            self.process = self._start()

    @property
    def worker(self) -> int | None:
        """The process that does the work, below the one that keeps it at work."""
        return next(iter(children(self.process.pid)), None)


class Fleet:
    """The API, two commit workers and two user workers on a world, and whoever starts them again."""

    def __init__(self, world: World, folder: Path, log: IO[str]) -> None:
        self.world = world
        self.podium = Podium(folder / "data")
        self.database = world.postgres.create()
        self.settings = {
            "DATABASE_URL": world.postgres.url(self.database),
            "REDIS_URL": world.valkey.url,
            "GITHUB_SERVER_URL": world.git.url,
            "GITHUB_API_URL": world.github.api_url,
            "GITHUB_GRAPHQL_URL": world.github.graphql_url,
            "GITHUB_TOKEN": TOKEN,
            "PODIUM_GIT_HOSTS": world.git.url,
            # For machines that run tests; and nobody here is to be slowed down.
            "PODIUM_DISK_RESERVE_BYTES": "1M",
            "PODIUM_SUBMISSIONS_PER_MINUTE": "0",
            "PODIUM_ADMIN_TOKEN": ADMIN_TOKEN,
            "PODIUM_WEBHOOK_SECRETS": host_life.SECRET,
            # A delivery that was lost is found soon.
            "PODIUM_REFRESH_EVERY": "60",
        }
        world.valkey.flush()
        done = self.podium.run("migrate", cwd=None, **self.settings)
        assert done.returncode == 0, done.stderr
        self._small_disk = _small_disk(folder / "data-commits-1")
        port = str(free_port())
        commands = {
            "api": ("serve", "--port", port),
            **{f"commits-{n}": ("worker", "commits", "--processes", "1") for n in (1, 2)},
            **{f"users-{n}": ("worker", "users") for n in (1, 2)},
        }
        self.members = {
            name: Member(name, functools.partial(_start, folder / f"data-{name}", words, log, self.settings))
            for name, words in commands.items()
        }
        self.server = Server(int(port), self.members["api"].process, log)
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep)
        self._keeper.start()

    def _keep(self) -> None:
        while not self._ended.wait(0.5):
            for member in self.members.values():
                member.revive()

    def end(self) -> None:
        self._ended.set()
        self._keeper.join()
        processes = [member.process for member in self.members.values()]
        for process in processes:
            for pid in (process.pid, *descendants(process.pid)):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGCONT)
            process.terminate()
        for process in processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._small_disk is not None:
            subprocess.run(["umount", "--lazy", str(self._small_disk)], check=False)

    def ask(self, path: str, method: str = "GET", **query: Any) -> Answer:
        """As a client that does not give up: until there is an answer that is none of the server's own faults."""
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(urllib.error.URLError, OSError, ValueError):
                answer = self.server.ask(path, method, **query)
                if answer.status < 500:
                    return answer
            assert time.monotonic() < deadline, f"no answer from {path}"
            time.sleep(0.2)

    def listens(self) -> bool:
        """Whether the API accepts connections."""
        try:
            socket.create_connection(("127.0.0.1", self.server.port), timeout=1).close()
        except OSError:
            return False
        return True

    @property
    def small_disk(self) -> Path | None:
        """The data folder of one commit worker, if it has a small disk of its own."""
        return self._small_disk

    def unresolved(self) -> int:
        """How many boards lack accounts because of GitHub."""
        ((number,),) = self._query("SELECT count(*) FROM repository WHERE unresolved_reason IS NOT NULL")
        return int(number)

    def is_up_to_date(self) -> bool:
        """Whether every board is of the head that its repository has, under the name that it has."""
        rows = self._query("SELECT owner || '/' || name, head FROM repository WHERE forgotten_at IS NULL")
        return sorted(rows) == sorted((hosted.full_name, hosted.head) for hosted in self.world.hosting)

    def _query(self, sql: str) -> list[Any]:
        deadline = time.monotonic() + 120
        while True:
            try:
                return self.world.postgres.ask(sql, self.database)
            except psycopg.Error:
                assert time.monotonic() < deadline, "PostgreSQL does not come back"
                time.sleep(0.2)

    def submit_all(self) -> None:
        for name in self.world.names:
            answer = self.ask("/leaderboard", "POST", repoUrl=self.world.address(name))
            assert answer.status in (200, 202), answer

    def states(self) -> dict[str, int]:
        return dict(collections.Counter(row["state"] for row in self.ask("/repositories", limit=1000).body))

    def boards(self) -> dict[str, Any]:
        """Every board under every view, as it must be the same however it came about."""
        return {f"{name} {view}": self._board(name, view) for name in self.world.names for view in VIEWS}

    def _board(self, name: str, view: dict[str, str]) -> Any:
        document = self.ask("/leaderboard", repoUrl=self.world.address(name), limit=1000, **view).body
        return {key: value for key, value in document.items() if key not in ("asOf", "repository")}

    def queue(self) -> dict[str, Any]:
        done = self.podium.run("queue", "--json", cwd=None, **self.settings)
        assert done.returncode == 0, done.stderr
        overview: dict[str, Any] = json.loads(done.stdout)
        return overview


def _small_disk(place: Path) -> Path | None:
    """Mount a small file system at ``place``; None: this user may not."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "podium-chaos", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except OSError:
        return None
    return place if done.returncode == 0 else None


def _start(data: Path, words: Sequence[str], log: IO[str], settings: Mapping[str, str]) -> Process:
    """Each has a data folder of its own, as on a machine of its own."""
    return Podium(data).start(*words, stderr=log, **settings)


@contextlib.contextmanager
def fleet(world: World, folder: Path) -> Iterator[Fleet]:
    """Podium's processes on an empty database of the world's, for the length of a ``with`` block."""
    folder.mkdir()
    with (folder / "log").open("w") as log:
        running = Fleet(world, folder, log)
        try:
            yield running
        finally:
            running.end()


class Progress:
    """When anything was got done: a repository counted, a row of people resolved."""

    def __init__(self, fleet: Fleet) -> None:
        self.at: list[float] = []
        self._fleet = fleet
        self._most = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Progress:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            with contextlib.suppress(psycopg.Error):
                ((done,),) = self._fleet.world.postgres.ask(
                    """SELECT (SELECT count(*) FROM repository WHERE head IS NOT NULL)
                        + (SELECT count(*) FROM commit_data WHERE processed)
                        + (SELECT count(*) FROM repository WHERE state = 'completed')""",
                    self._fleet.database,
                )
                if done > self._most:
                    self._most = done
                    self.at.append(time.monotonic())

    def after(self, moment: float) -> float | None:
        """Seconds from ``moment`` until something was got done."""
        return next((at - moment for at in self.at if at >= moment), None)


class Chaos:
    """Plays faults at random. ``played`` is what was played, and when; ``kills`` how many processes were killed."""

    def __init__(self, fleet: Fleet, seed: int, outage: float) -> None:
        self.played: list[tuple[float, str]] = []
        self.kills = 0
        self._fleet = fleet
        self._world = fleet.world
        self._dice = random.Random(seed)
        self._later: list[threading.Thread] = []
        self._over = threading.Event()
        self._one_at_a_time = threading.Lock()
        self._outage = outage
        # An outage of each kind at a time.
        self._outages: set[str] = set()
        # Half of it is killing.
        self.faults: dict[str, Callable[[], None]] = {
            "kill a commit worker": lambda: self._kill("commits"),
            "kill a user worker": lambda: self._kill("users"),
            "kill the API": lambda: self._kill("api"),
            "stop a commit worker": lambda: self._stop("commits"),
            "stop a user worker": lambda: self._stop("users"),
            "flush Redis": self._world.valkey.flush,
            "Redis away": self._redis_away,
            "restart PostgreSQL": self._restart_postgres,
            "cut connections": lambda: self._world.postgres.cut_connections(self._fleet.database),
            "faults of GitHub": self._github_faults,
            "git stalls": self._git_stalls,
            "git host away": lambda: self._last("git", self._world.git.go_away, self._world.git.come_back),
            "Redis full": lambda: self._last("Redis", self._fill_redis, self._empty_redis),
            "PostgreSQL read-only": lambda: self._last("PostgreSQL", self._lock_postgres, self._unlock_postgres),
            "token refused": lambda: self._last("token", self._refuse_token, self._accept_token),
        }
        # However long an outage is, each kind lasts for a sixth of the time: otherwise all would overlap.
        rare = 10 / max(outage, 10)
        self._weights: list[float] = [6, 6, 2, 1, 1, 2, 1, 1, 2, 2, 2, rare, rare, rare, rare]
        if fleet.small_disk is not None:
            ballast = fleet.small_disk / "ballast"
            self.faults["disk full"] = lambda: self._last("disk", lambda: _fill(ballast), ballast.unlink)
            self._weights.append(rare)

    def play_one(self, name: str | None = None) -> str:
        """Play a fault, a random one where none is named; give its name."""
        name = name or self._dice.choices(list(self.faults), self._weights)[0]
        moment = time.monotonic()
        # What cannot be done because of another fault, or by this user, is none.
        with contextlib.suppress(psycopg.Error, redis.RedisError, OSError, ValueError, KeyError):
            self.faults[name]()
            self.played.append((moment, name))
        return name

    def end(self) -> None:
        """Let every fault pass that lasts."""
        self._over.set()
        for thread in self._later:
            thread.join()

    def _pick(self, kind: str) -> Member:
        if kind == "api" and not self._fleet.listens():
            # Faults that are closer together than its start takes would leave no API at all.
            raise ValueError("it has not started yet")
        return self._dice.choice([member for name, member in self._fleet.members.items() if name.startswith(kind)])

    def _kill(self, kind: str) -> None:
        """The process that works, the one that keeps it at work, or both."""
        member = self._pick(kind)
        victims = [pid for pid in (member.process.pid, member.worker) if pid]
        if kind != "api" and self._dice.random() < 0.75:
            victims = self._dice.choice([victims[:1], victims[1:] or victims])
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
            self.kills += 1

    def _stop(self, kind: str) -> None:
        member = self._pick(kind)
        pids = [member.process.pid, *descendants(member.process.pid)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)

        def go_on() -> None:
            for pid in pids:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGCONT)

        self._after(STOPPED_FOR, go_on)

    def _after(self, seconds: float, do: Callable[[], None]) -> None:
        def run() -> None:
            self._over.wait(seconds)
            do()

        thread = threading.Thread(target=run)
        self._later.append(thread)
        thread.start()

    def _last(self, what: str, begin: Callable[[], None], end: Callable[[], object]) -> None:
        """An outage; it ends for certain."""
        if what in self._outages:
            raise ValueError("it is not over yet")
        self._outages.add(what)

        def stop() -> None:
            deadline = time.monotonic() + 60
            while True:
                try:
                    end()
                    break
                except (psycopg.Error, redis.RedisError, OSError):
                    # Another fault is in the way.
                    assert time.monotonic() < deadline, f"the outage of {what} cannot be ended"
                    time.sleep(0.5)
            self._outages.discard(what)

        try:
            begin()
        finally:
            self._after(self._outage, stop)

    def _fill_redis(self) -> None:
        self._world.valkey.client().config_set("maxmemory", 1)

    def _empty_redis(self) -> None:
        self._world.valkey.client().config_set("maxmemory", 0)

    def _lock_postgres(self) -> None:
        self._world.postgres.ask("ALTER SYSTEM SET default_transaction_read_only = on")
        self._world.postgres.ask("SELECT pg_reload_conf()")

    def _unlock_postgres(self) -> None:
        self._world.postgres.ask("ALTER SYSTEM RESET default_transaction_read_only")
        self._world.postgres.ask("SELECT pg_reload_conf()")

    def _refuse_token(self) -> None:
        self._world.github.tokens.discard(TOKEN)

    def _accept_token(self) -> None:
        self._world.github.tokens.add(TOKEN)

    def _redis_away(self) -> None:
        if self._one_at_a_time.acquire(blocking=False):
            self._world.valkey.stop()

            def back() -> None:
                self._world.valkey.start()
                self._one_at_a_time.release()

            self._after(REDIS_AWAY_FOR, back)

    def _restart_postgres(self) -> None:
        self._world.postgres.stop(at_once=self._dice.random() < 0.5)
        time.sleep(self._dice.uniform(0, 2))
        self._world.postgres.start()

    def _github_faults(self) -> None:
        self._world.bursts.until = time.monotonic() + 3

    def _git_stalls(self) -> None:
        self._world.git.faults.insert(0, Fault("stall", seconds=self._dice.uniform(3, 8), times=1))


def _fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(1 << 16)):
            pass


@dataclasses.dataclass
class Report:
    """What a disturbed run came to. Times are seconds."""

    boards: dict[str, Any]
    queue: dict[str, Any]
    took: float
    kills: int
    faults: dict[str, int]
    # What happened at the host.
    acts: dict[str, int]
    # By fault: how long until something was got done again.
    recovery: dict[str, list[float]]
    longest_silence: float


def undisturbed(world: World, folder: Path, patience: float = 180) -> tuple[dict[str, Any], float]:
    """The boards as they are without any fault, and the seconds that it takes."""
    world.set_latency(0)
    with fleet(world, folder) as running:
        started = time.monotonic()
        running.submit_all()
        _wait_for_all(running, started + patience)
        return running.boards(), time.monotonic() - started


def disturbed(
    world: World,
    folder: Path,
    seed: int,
    *,
    pause: tuple[float, float] = (1, 2),
    most: float = 900,
    patience: float = 1800,
    outage: float = 60,
    play: Sequence[str] = (),
    acts: int = 0,
) -> Report:
    """Work everything off; until all is done, but at most for ``most`` seconds, there is a fault every ``pause``.

    patience: seconds until all must be done, also what had its last fault after ``most`` seconds.

    acts: how often something happens at the host meanwhile.

    ``outage``: seconds for which hosts, disk, Redis, PostgreSQL and token stay as they must not be. ``play``: the first
    faults.
    """
    world.set_latency(0.2)
    with fleet(world, folder) as running, Progress(running) as progress:
        chaos = Chaos(running, seed, outage)
        first = iter(play)
        dice = random.Random(seed + 1)
        started = time.monotonic()
        done = threading.Event()

        def disturb() -> None:
            while not done.wait(dice.uniform(*pause)) and time.monotonic() < started + most:
                chaos.play_one(next(first, None))

        life = HostLife(world.hosting, f"http://127.0.0.1:{running.server.port}", seed, acts)
        threads = [threading.Thread(target=do) for do in (running.submit_all, disturb, life.run)]
        for thread in threads:
            thread.start()
        try:
            threads[-1].join()
            _wait_for_all(running, started + patience)
        finally:
            done.set()
            life.end()
            for thread in threads:
                thread.join()
            chaos.end()
        took = time.monotonic() - started
        boards = running.boards()
        queue = _wait_for_empty_queue(running)
    recovery: dict[str, list[float]] = collections.defaultdict(list)
    for moment, name in chaos.played:
        if (seconds := progress.after(moment)) is not None:
            recovery[name].append(seconds)
    gaps = [later - earlier for earlier, later in zip(progress.at, progress.at[1:], strict=False)]
    return Report(
        boards=boards,
        queue=queue,
        took=took,
        kills=chaos.kills,
        faults=dict(collections.Counter(name for _, name in chaos.played)),
        acts=dict(life.played),
        recovery=dict(recovery),
        longest_silence=max(gaps, default=0.0),
    )


def _wait_for_all(running: Fleet, deadline: float) -> None:
    expected = len(running.world.names)
    while (
        (states := running.states()) != {"completed": expected} or running.unresolved() or not running.is_up_to_date()
    ):
        assert "failed" not in states, running.ask("/repositories", state="failed").body
        assert time.monotonic() < deadline, f"still {states}; see {running.podium.data.parent / 'log'}"
        time.sleep(0.3)


def _wait_for_empty_queue(running: Fleet) -> dict[str, Any]:
    """Copies of messages that were rung twice find nothing to do, and go."""
    deadline = time.monotonic() + 30
    while True:
        overview = running.queue()
        depths = overview["queues"].values()
        if not any(depth[what] for depth in depths for what in ("waiting", "active", "delayed", "dead")):
            return overview
        assert time.monotonic() < deadline, overview
        time.sleep(0.5)


def killer(world: World, folder: Path, patience: float = 600) -> tuple[str, int, float]:
    """A repository whose counting process is killed each time: its error, how many died, and the seconds it took."""
    name, *others = world.names[:5]
    path = f"/{name}"
    world.git.faults.insert(0, Fault("stall", path))
    deaths: set[int] = set()
    with fleet(world, folder) as running:
        ended = threading.Event()

        def kill_whoever_asks() -> None:
            while not ended.wait(0.05):
                for member in running.members.values():
                    for process in counting_processes(member.process.pid):
                        if any(asks_git_for(path, pid) for pid in descendants(process)):
                            os.kill(process, signal.SIGKILL)
                            deaths.add(process)

        killing = threading.Thread(target=kill_whoever_asks)
        killing.start()
        try:
            started = time.monotonic()
            for each in (name, *others):
                running.ask("/leaderboard", "POST", repoUrl=world.address(each))
            while running.states() != {"failed": 1, "completed": len(others)}:
                assert time.monotonic() < started + patience, running.states()
                time.sleep(0.3)
            took = time.monotonic() - started
            (row,) = running.ask("/repositories", state="failed").body
        finally:
            ended.set()
            killing.join()
            world.git.faults.pop(0)
    assert row["url"] == world.address(name)
    return row["error"], len(deaths), took
