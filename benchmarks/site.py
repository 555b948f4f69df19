"""The web room as a server over a board that was counted before, with bare endpoints beside it to compare with."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from benchmarks import synthetic
from tests.support.cli import Podium
from tests.support.githttp import serve_repositories
from tests.support.server import serving
from tests.support.site_server import first_line

# /bare/NAME answers with the bytes of the file NAME in the folder, and nothing else: the same server, application and
# middleware. /bare/readings says how often the database was read.
_SERVE = """
import sys
from pathlib import Path
from fastapi import Response
from tests.support.web import open_site
from podium.web import server

folder = Path(sys.argv[1])
readings, bytes_of = [0], {}

async def page() -> Response:
    return Response(bytes_of.setdefault("page", (folder / "page").read_bytes()) if "page" not in bytes_of
        else bytes_of["page"], media_type="text/html")

async def json() -> Response:
    return Response(bytes_of.setdefault("json", (folder / "json").read_bytes()) if "json" not in bytes_of
        else bytes_of["json"], media_type="application/json")

async def nothing() -> Response:
    return Response(status_code=304)

async def count() -> Response:
    return Response(str(readings[0]))

with open_site(folder) as site:
    read = site.db.read
    def counted():
        readings[0] += 1
        return read()
    site.db.read = counted
    make = server.create_app
    def create_app(services):
        app = make(services)
        for path, route in (("page", page), ("json", json), ("304", nothing), ("readings", count)):
            app.add_api_route(f"/bare/{path}", route)
        return app
    server.create_app = create_app
    server.run(site.services, "127.0.0.1", 0, on_listening=lambda url: print(url, flush=True))
"""


@dataclasses.dataclass(frozen=True)
class Counted:
    """A folder with a database, and the paths of the one board in it."""

    folder: Path
    page: str
    json: str


def count(folder: Path, commits: int, people: int) -> Counted:
    """Make a repository of so many people, each of whom commits, and have it counted into ``folder``."""
    (folder / "repositories" / "o").mkdir(parents=True)
    synthetic.build(folder / "repositories" / "o" / "big.git", commits, people, everybody=True, pace=3_000)
    settings = {"PODIUM_DISK_RESERVE_BYTES": "1M", "PODIUM_LOG_LEVEL": "warning"}
    with serve_repositories(folder / "repositories") as host:
        url = f"{host.url}/o/big.git"
        with serving(Podium(folder), settings | {"PODIUM_GIT_HOSTS": host.url}) as server:
            server.submit(url)
            server.wait_for(url, "completed", "failed")
    page = f"/r/{host.url.removeprefix('http://')}/o/big"
    return Counted(folder, page, "/leaderboard?" + urllib.parse.urlencode({"repoUrl": url}))


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
