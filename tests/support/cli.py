"""The command `podium` as a person runs it: a process of its own, with a data folder of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from podium.storage import sqlite_schema
from podium.storage.sqlite import SqliteDatabase
from tests.support.fork_server import Process, start

# What must not leak from the machine that runs the tests into what they see.
_OWN = ("PODIUM_", "GITHUB_", "GITLAB_", "CI_", "GIT_", "DATABASE_URL", "PORT", "XDG_")


# The administrator's token of the servers that tests start, and the header that carries it.
ADMIN_TOKEN = "the-token-of-the-tests"
ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


def clean_environment(**variables: str) -> dict[str, str]:
    """The machine's environment without anything that changes what Podium or git do, and ``variables`` over it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
    # The tests' repositories belong to whoever runs them; a person's own settings play no part.
    return kept | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"} | variables


@dataclasses.dataclass(frozen=True)
class Podium:
    """A data folder, and the command run on it. ``module``: what has its ``main()``."""

    data: Path
    module: str = "podium"

    def environment(self, **variables: str) -> dict[str, str]:
        return clean_environment(PODIUM_DATA_DIR=str(self.data), **variables)

    def run(self, *arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run ``podium ARGUMENTS`` to its end."""
        process = self._start(arguments, cwd, subprocess.PIPE, variables)
        stdout, stderr = process.communicate(timeout=120)
        assert process.returncode is not None
        return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)

    def start(self, *arguments: str, stderr: IO[str] | int = subprocess.PIPE, **variables: str) -> Process:
        """Start ``podium ARGUMENTS``; the caller ends it."""
        return self._start(arguments, None, stderr, variables)

    def _start(
        self, arguments: Sequence[str], cwd: Path | None, stderr: IO[str] | int, variables: Mapping[str, str]
    ) -> Process:
        stdout = subprocess.PIPE if stderr is subprocess.PIPE else subprocess.DEVNULL
        environment = self.environment(**variables)
        # Such variables are for the interpreter, which a fork does not start.
        fork = not any(name.startswith("PYTHON") for name in variables)
        return start(
            self.module, arguments, environment=environment, cwd=cwd, stdout=stdout, stderr=stderr, may_fork=fork
        )

    def board(self, *arguments: str, **variables: str) -> dict[str, Any]:
        """Run ``podium rank ARGUMENTS --format json``, which must succeed; give the document."""
        done = self.run("rank", *arguments, "--format", "json", cwd=None, **variables)
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document


def migrated_podium(data: Path) -> Podium:
    """A data folder as ``podium migrate`` makes it, which takes a tenth of the time."""
    data.mkdir(mode=0o700)
    (data / "podium.db").write_bytes(_migrated())
    return Podium(data)


@functools.cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "podium.db"
        with contextlib.closing(SqliteDatabase(path)) as db:
            sqlite_schema.create(db)
        return path.read_bytes()
