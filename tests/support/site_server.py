"""The web room alone as a real server, over a database that a test writes into, and no worker beside it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support import markers

_SERVE = """
import sys
from pathlib import Path
from tests.support.web import open_site
from podium.web.server import run

import logging
logging.basicConfig(stream=sys.stderr, level="INFO", format="%(name)s %(message)s")
with open_site(Path(sys.argv[1]), trusted_proxies=tuple(sys.argv[2:])) as site:
    run(site.services, "127.0.0.1", 0, on_listening=lambda url: print(url, flush=True))
print("stopped", flush=True)
"""


@contextlib.contextmanager
def serve_site(folder: Path, *proxies: str) -> Iterator[subprocess.Popen[str]]:
    """The server for the length of a ``with`` block, or until it is told to stop; its first line is its address."""
    markers.require("serve_site")
    with subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(folder), *proxies],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            yield server
        finally:
            server.kill()


def first_line(server: subprocess.Popen[str]) -> str:
    """The next line that the server prints."""
    assert server.stdout
    return server.stdout.readline().strip()
