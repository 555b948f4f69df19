"""Replace a running version of Podium by another beside it, under load, and compare every board.

    python -m benchmarks.two_versions OLD NEW [--repositories 24] [--seed 1]

OLD and NEW are folders with a checkout each, and with a `.venv` or with the packages of this interpreter. PostgreSQL
and Valkey come from wheels; a git server and a GitHub run on loopback.

1. The new version counts all repositories by itself. Its boards are what is expected.
2. On an empty database the old version's API and workers count half of the repositories. While they do, the new version
   migrates the database.
3. The new version's API and workers start beside them. A quarter is submitted to both APIs in turn.
4. The old version's processes end, one by one. The last quarter is submitted to the new one.

It fails if a repository is lost or failed, if a board differs, or after ten minutes.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from tests.support import chaos
from tests.support.cli import clean_environment
from tests.support.server import free_port

DEADLINE = 600.0
# Seconds for which both versions work side by side before the old one is ended.
BESIDE = 8.0

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Version:
    """One version of Podium, and its processes on one database."""

    def __init__(self, name: str, source: Path, folder: Path, settings: Mapping[str, str]) -> None:
        self.name = name
        self._folder = folder
        self._settings = settings
        self._source = source
        own = source / ".venv" / "bin" / "python"
        self._python = str(own if own.exists() else sys.executable)
        self.log = folder / f"{name}.log"
        self.port = free_port()
        self.processes: list[subprocess.Popen[bytes]] = []

    def run(self, *words: str) -> None:
        self.finish(self.begin(*words))

    def finish(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until a command has ended well."""
        assert process.wait(DEADLINE) == 0, f"a command of {self.name} failed: {self.log.read_text()[-3000:]}"

    def start(self) -> None:
        """The API, a commit worker and a user worker."""
        for words in (("worker", "commits", "--processes", "2"), ("worker", "users")):
            self.processes.append(self.begin(*words))
        self.processes.append(self.begin("serve", "--port", str(self.port)))

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        with self._log() as log:
            return self._popen(words, log)

    def _log(self) -> IO[bytes]:
        return self.log.open("ab")

    def _popen(self, words: tuple[str, ...], log: IO[bytes]) -> subprocess.Popen[bytes]:
        environment = clean_environment(
            PODIUM_DATA_DIR=str(self._folder / f"data-{self.name}-{words[-1]}"),
            PYTHONPATH=str(self._source / "src"),
            **self._settings,
        )
        return subprocess.Popen(
            [self._python, "-m", "podium", *words],
            env=environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )

    def end_one(self) -> None:
        process = self.processes.pop(0)
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def ask(self, path: str, method: str = "GET", **query: Any) -> Any:
        """Ask until there is an answer that is no fault of the server."""
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(query)}"
        deadline = time.monotonic() + 120
        while True:
            request = urllib.request.Request(url, method=method)
            with (
                contextlib.suppress(urllib.error.URLError, OSError, ValueError),
                _direct.open(request, timeout=30) as response,
            ):
                return json.load(response)
            assert time.monotonic() < deadline, f"{self.name}: no answer from {path}"
            time.sleep(0.2)


def main() -> int:
    """Run it; give the exit code: 1 where a board differs or a repository is lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--repositories", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podium-two-versions-") as name:
        folder = Path(name)
        with chaos.world(folder, options.repositories, options.seed) as world:
            expected = _alone(world, options.new.resolve(), folder / "alone")
            return _beside(world, options.old.resolve(), options.new.resolve(), folder / "beside", expected)


def _settings(world: chaos.World) -> dict[str, str]:
    world.valkey.flush()
    return {
        "DATABASE_URL": world.postgres.url(world.postgres.create()),
        "REDIS_URL": world.valkey.url,
        "GITHUB_SERVER_URL": world.git.url,
        "GITHUB_API_URL": world.github.api_url,
        "GITHUB_GRAPHQL_URL": world.github.graphql_url,
        "GITHUB_TOKEN": chaos.TOKEN,
        "PODIUM_GIT_HOSTS": world.git.url,
        "PODIUM_DISK_RESERVE_BYTES": "1M",
        "PODIUM_SUBMISSIONS_PER_MINUTE": "0",
    }


@contextlib.contextmanager
def _ended(*versions: Version) -> Iterator[None]:
    try:
        yield
    finally:
        for version in versions:
            while version.processes:
                version.end_one()


def _alone(world: chaos.World, source: Path, folder: Path) -> dict[str, Any]:
    folder.mkdir()
    new = Version("new", source, folder, _settings(world))
    with _ended(new):
        new.run("migrate")
        new.start()
        began = time.monotonic()
        _submit(world, world.names, new)
        _wait_until_completed(new, len(world.names))
        print(f"the new version alone: {len(world.names)} repositories in {time.monotonic() - began:.0f} s", flush=True)
        return _boards(world, new)


def _beside(world: chaos.World, old_source: Path, new_source: Path, folder: Path, expected: dict[str, Any]) -> int:
    folder.mkdir()
    settings = _settings(world)
    old, new = Version("old", old_source, folder, settings), Version("new", new_source, folder, settings)
    quarter = -(-len(world.names) // 4)
    with _ended(old, new):
        old.run("migrate")
        old.start()
        began = time.monotonic()
        _submit(world, world.names[:quarter], old)
        migrated_at = time.monotonic()
        migrating = new.begin("migrate")
        _submit(world, world.names[quarter : 2 * quarter], old)
        print(f"while it is migrated: {_states(old)}", flush=True)
        new.finish(migrating)
        print(f"migrated in {time.monotonic() - migrated_at:.1f} s: {_states(old)}", flush=True)
        new.start()
        _submit(world, world.names[2 * quarter : 3 * quarter], old, new)
        print(f"both versions work: {_states(new)}", flush=True)
        time.sleep(BESIDE)
        print(f"after {BESIDE:.0f} s side by side: {_states(new)}, of the old API {_states(old)}", flush=True)
        while old.processes:
            old.end_one()
        _submit(world, world.names[3 * quarter :], new)
        _wait_until_completed(new, len(world.names))
        print(f"all completed after {time.monotonic() - began:.0f} s", flush=True)
        found = _boards(world, new)
    differing = [name for name, board in expected.items() if found[name] != board]
    print(f"{len(differing)} of {len(expected)} boards differ{': ' if differing else ''}{', '.join(differing)}")
    for version in (old, new):
        print(f"\nwhat the {version.name} version logged at WARNING and above:\n")
        for line, times in _warnings(version.log):
            print(f"{times:5} {line[:150]}")
    return 1 if differing else 0


def _submit(world: chaos.World, names: Any, *versions: Version) -> None:
    for number, name in enumerate(names):
        versions[number % len(versions)].ask("/leaderboard", "POST", repoUrl=world.address(name))


def _states(version: Version) -> dict[str, int]:
    return dict(collections.Counter(row["state"] for row in version.ask("/repositories", limit=1000)))


def _wait_until_completed(version: Version, repositories: int) -> None:
    deadline = time.monotonic() + DEADLINE
    while (states := _states(version)) != {"completed": repositories}:
        assert not states.get("failed"), f"failed: {states}; see {version.log.read_text()[-3000:]}"
        assert time.monotonic() < deadline, f"not completed: {states}; see {version.log.read_text()[-3000:]}"
        time.sleep(0.5)


def _boards(world: chaos.World, version: Version) -> dict[str, Any]:
    boards = {}
    for name in world.names:
        for view in chaos.VIEWS:
            document = version.ask("/leaderboard", repoUrl=world.address(name), limit=1000, **view)
            boards[f"{name} {view}"] = {
                key: value for key, value in document.items() if key not in ("asOf", "repository")
            }
    return boards


def _warnings(log: Path) -> list[tuple[str, int]]:
    """The lines, without what differs between repetitions, and how often each is there."""
    found: collections.Counter[str] = collections.Counter()
    for line in log.read_text(errors="replace").splitlines():
        match = re.match(r"\S+Z (WARNING|ERROR|CRITICAL) +(.*)", line)
        if match:
            found[re.sub(r"[0-9a-f-]{36}|\d+(\.\d+)?", "N", match[2])] += 1
        elif line.startswith("Traceback"):
            found[line] += 1
    return found.most_common()


if __name__ == "__main__":
    sys.exit(main())
