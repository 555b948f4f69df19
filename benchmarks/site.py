"""Serve a board that is already counted, with bare endpoints of the same server beside it."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import synthetic
from tests.support.cli import Podium
from tests.support.site_server import first_line

# /bare/NAME answers with the file NAME, through the same server, application and middleware. /bare/readings gives the
# number of database reads.
_SERVE = """
import functools, sys
from pathlib import Path
from fastapi import Response
from tests.support.web import open_site
from podium.web.serving import server

folder = Path(sys.argv[1])
readings = [0]

@functools.cache
def content(name):
    return (folder / name).read_bytes()

async def page() -> Response:
    return Response(content("page"), media_type="text/html")

async def json() -> Response:
    return Response(content("json"), media_type="application/json")

async def nothing() -> Response:
    return Response(status_code=304)

async def count() -> Response:
    return Response(str(readings[0]))

with open_site(folder, live_connections_per_client=100_000) as site:
    read = site.db.read
    def counted(*limits):
        readings[0] += 1
        return read(*limits)
    site.db.read = counted
    make = server.create_app
    def create_app(services):
        app = make(services)
        for path, route in (("page", page), ("json", json), ("304", nothing), ("readings", count)):
            app.add_api_route(f"/bare/{path}", route)
        return app
    server.create_app = create_app
    listeners = server.listen("127.0.0.1", 0)
    server.run(site.services, "127.0.0.1", listeners, on_listening=lambda url: print(url, flush=True))
"""


@dataclasses.dataclass(frozen=True)
class Counted:
    """A folder with a database, and the paths of the one board in it."""

    folder: Path
    page: str
    json: str


def count(folder: Path, commits: int, people: int) -> Counted:
    """Make a repository in which each of ``people`` commits, and count it into ``folder``."""
    repository = folder / "big.git"
    synthetic.build(repository, commits, people, everybody=True, pace=3_000)
    Podium(folder).board(str(repository), "--top", "1")
    # A server never shows a repository that was counted from a path, so this one gets an address.
    connection = sqlite3.connect(folder / "podium.db")
    with connection:
        connection.execute(
            """UPDATE repository SET key = 'github.com/o/big', url = 'https://github.com/o/big', host = 'github.com',
            owner = 'o', name = 'big'"""
        )
    connection.close()
    return Counted(folder, "/r/o/big", "/leaderboard?repoUrl=https://github.com/o/big")


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple[str, int]]:
    """The server over the database in ``folder``: its address and process."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield first_line(process), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
