"""The web application alone as a real server, over a database that a test writes into, without workers."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from podium.web.serving.server import listening, run
from tests.support import fork_server, markers
from tests.support.web import open_site


@contextlib.contextmanager
def serve_site(folder: Path, *proxies: str, port: int = 0) -> Iterator[fork_server.Process]:
    """The server for the length of a ``with`` block, or until a signal; its first line is its address.

    port: 0 for any free one.
    """
    markers.require("serve_site")
    with fork_server.start(__name__, [str(folder), str(port), *proxies], environment=os.environ) as server:
        try:
            yield server
        finally:
            server.kill()


def first_line(server: fork_server.Process) -> str:
    """The next line that the server prints."""
    assert server.stdout
    return server.stdout.readline().strip()


def main() -> int:
    logging.basicConfig(stream=sys.stderr, level="INFO", format="%(name)s %(message)s")
    with (
        listening("127.0.0.1", int(sys.argv[2])) as listeners,
        open_site(Path(sys.argv[1]), trusted_proxies=tuple(sys.argv[3:])) as site,
    ):
        run(site.services, "127.0.0.1", listeners, on_listening=lambda url: print(url, flush=True))
    print("stopped", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
