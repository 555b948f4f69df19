"""The command `podium` as a person runs it: a process of its own, with a data folder of its own."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

# What must not leak from the machine that runs the tests into what they see.
_OWN = ("PODIUM_", "GITHUB_", "GIT_", "DATABASE_URL", "PORT", "XDG_")


def clean_environment(**variables: str) -> dict[str, str]:
    """The machine's environment without anything that changes what Podium or git do, and ``variables`` over it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
    # The tests' repositories belong to whoever runs them; a person's own settings play no part.
    return kept | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"} | variables


@dataclasses.dataclass(frozen=True)
class Podium:
    """A data folder, and the command run on it."""

    data: Path

    def environment(self, **variables: str) -> dict[str, str]:
        return clean_environment(PODIUM_DATA_DIR=str(self.data), **variables)

    def run(self, *arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run ``podium ARGUMENTS`` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "podium", *arguments],
            cwd=cwd,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    def start(
        self, *arguments: str, stderr: IO[str] | int = subprocess.PIPE, **variables: str
    ) -> subprocess.Popen[str]:
        """Start ``podium ARGUMENTS``; the caller ends it."""
        return subprocess.Popen(
            [sys.executable, "-m", "podium", *arguments],
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if stderr is subprocess.PIPE else subprocess.DEVNULL,
            stderr=stderr,
            encoding="utf-8",
        )

    def board(self, *arguments: str, **variables: str) -> dict[str, Any]:
        """Run ``podium rank ARGUMENTS --format json``, which must succeed; give the document."""
        done = self.run("rank", *arguments, "--format", "json", cwd=None, **variables)
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document
