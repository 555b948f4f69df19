"""The distributed arrangement on this machine: PostgreSQL, Valkey, and Podium's processes against them."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from tests.support.cli import ADMIN_TOKEN, Podium
from tests.support.fork_server import Process
from tests.support.postgres import Postgres
from tests.support.server import Server, serving
from tests.support.valkey import Valkey


@dataclasses.dataclass
class Arrangement:
    """Where the servers are, and what every process of Podium's is told."""

    podium: Podium
    settings: dict[str, str]
    log: IO[str]
    started: list[Process] = dataclasses.field(default_factory=list)

    def worker(self, *arguments: str, data: Path | None = None, **settings: str) -> Process:
        """Start `podium worker ARGUMENTS`; it is ended with the arrangement at the latest.

        ``data``: its data folder, as of another machine.
        """
        podium = Podium(data) if data else self.podium
        process = podium.start("worker", *arguments, stderr=self.log, **{**self.settings, **settings})
        self.started.append(process)
        return process

    def running(self) -> list[Process]:
        """The workers that have not ended, in the order in which they were started."""
        return [process for process in self.started if process.poll() is None]

    def drain(self, *arguments: str, **settings: str) -> int:
        """Run `podium worker ARGUMENTS --drain` to its end; give its exit code."""
        return self.worker(*arguments, "--drain", data=None, **settings).wait(120)

    @contextlib.contextmanager
    def api(self, *, port: int | None = None, arguments: Sequence[str] = (), **settings: str) -> Iterator[Server]:
        """`podium serve ARGUMENTS` for the length of a ``with`` block."""
        with serving(self.podium, {**self.settings, **settings}, port=port, arguments=arguments) as server:
            yield server

    def said(self) -> str:
        """All that the workers have logged."""
        self.log.flush()
        return Path(self.log.name).read_text()

    def end(self) -> None:
        """End every process that is left, as an operator would."""
        for process in self.running():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.started:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def arranged(folder: Path, postgres: Postgres, valkey: Valkey, **settings: str) -> Iterator[Arrangement]:
    """An empty database with Podium's tables, an empty Valkey, and a data folder that all processes share."""
    with _arranged(folder, postgres.url(postgres.create_migrated()), valkey, settings) as arrangement:
        yield arrangement


@contextlib.contextmanager
def unmigrated(folder: Path, postgres: Postgres, valkey: Valkey, **settings: str) -> Iterator[Arrangement]:
    """The same before `podium migrate`."""
    with _arranged(folder, postgres.url(postgres.create()), valkey, settings) as arrangement:
        yield arrangement


@contextlib.contextmanager
def _arranged(folder: Path, database_url: str, valkey: Valkey, settings: Mapping[str, str]) -> Iterator[Arrangement]:
    valkey.flush()
    given = {
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey.url,
        # A test does not need a large disk.
        "PODIUM_DISK_RESERVE_BYTES": "1M",
        "PODIUM_SUBMISSIONS_PER_MINUTE": "0",
        "PODIUM_ADMIN_TOKEN": ADMIN_TOKEN,
        **settings,
    }
    with (folder / "workers.log").open("w") as log:
        arrangement = Arrangement(Podium(folder / "data"), given, log)
        try:
            yield arrangement
        finally:
            arrangement.end()
