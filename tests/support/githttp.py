"""A git server on loopback: smart HTTP by git's own ``http-backend``, with faults on demand.

With a :class:`~tests.support.hosted.Hosting` it serves repositories under the names that they have now, redirects old
names, and answers 401 for what is private or not there, as GitHub, GitLab and Gitea do.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote

from tests.support import json_host
from tests.support.hosted import Hosting
from tests.support.json_host import Respond

_CONFIGURATION = {
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "safe.directory": "*",
}


@functools.cache
def _backend() -> str:
    """The program itself: ``git http-backend`` would first start another git."""
    found = subprocess.run(["git", "--exec-path"], capture_output=True, check=True, encoding="utf-8").stdout.strip()
    return str(Path(found, "git-http-backend"))


_IN_REPOSITORY = re.compile(r"/(?P<name>.+?)(?P<suffix>\.git)?(?P<rest>/(?:info|objects|HEAD|git-[a-z-]+)(?:/.*)?)")


@dataclass
class Fault:
    """What to do instead with requests whose path and query hold ``path``.

    ``kind`` is 'status' (answer ``status`` and ``body``, with ``location`` where given), 'stall' (say nothing for
    ``seconds``, or until the server ends, and then the real answer) or 'cut' (break off after ``after`` bytes of the
    real answer). ``times`` counts down; None: always.
    """

    kind: str
    path: str = ""
    status: int = 500
    location: str = ""
    body: bytes = b""
    after: int = 0
    seconds: float | None = None
    times: int | None = None


@dataclass
class GitHost:
    """The server: its base URL, the folder it serves, what was asked of it, and its faults.

    redirect: the status for an old name in ``hosting``: 301 at GitHub, 307 with a path at Gitea; None: served under
        the old name too, as GitLab does.
    api: what it answers below ``/api/``, as :func:`tests.support.gitlab_double.api` does; a request that it has no
        answer for fails the test.
    """

    url: str
    folder: Path
    hosting: Hosting | None = None
    redirect: int | None = 301
    api: Respond | None = None
    unknown: list[str] = field(default_factory=list)
    configuration: dict[str, str] = field(default_factory=lambda: dict(_CONFIGURATION))
    faults: list[Fault] = field(default_factory=list)
    # Speak the protocol of before 2018, in which a host may refuse objects that no branch names.
    old_protocol: bool = False
    requests: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    asked: threading.Condition = field(default_factory=threading.Condition)
    # Close the port, so that connections are refused, and open it again.
    go_away: Callable[[], None] = lambda: None
    come_back: Callable[[], None] = lambda: None

    def wait_for_request(self, path: str, seconds: float = 20) -> None:
        """Until something was asked whose path and query hold ``path``."""
        with self.asked:
            assert self.asked.wait_for(lambda: any(path in request for request in self.requests), seconds)


@contextlib.contextmanager
def serve_repositories(folder: Path, *, port: int = 0, hosting: Hosting | None = None) -> Iterator[GitHost]:
    """Serve the bare repositories below ``folder`` at ``host.url``/their/path.git, until the block ends.

    hosting: serve these by their names instead.
    """
    running = _Running(port, folder)
    host = running.host
    host.hosting = hosting
    host.go_away, host.come_back = running.stop, running.start
    try:
        yield host
    finally:
        host.ended.set()
        running.stop()
    assert not host.unknown, f"the double has no answer for {host.unknown[:10]}"


class _Running:
    """A server that can be stopped and started on the same port."""

    def __init__(self, port: int, folder: Path) -> None:
        server = _Server(("127.0.0.1", port), _Handler)
        self.host = GitHost(f"http://127.0.0.1:{server.server_address[1]}", folder)
        self._port = server.server_address[1]
        self._server: _Server | None = None
        self._thread = threading.Thread()
        self._serve(server)

    def start(self) -> None:
        if self._server is None:
            self._serve(_Server(("127.0.0.1", self._port), _Handler))

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None

    def _serve(self, server: _Server) -> None:
        server.host = self.host
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
        self._thread.start()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    host: GitHost

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    # What is sent in two parts must not wait for the first to be acknowledged.
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        host = self.server.host
        with host.asked:
            host.requests.append(f"{self.command} {self.path}")
            host.asked.notify_all()
        fault = self._fault()
        if fault and fault.kind == "stall":
            if not host.ended.wait(fault.seconds):
                self._answer(None)
        elif fault and fault.kind == "status":
            self.send_response(fault.status)
            # git shows such a body to its user.
            self.send_header("Content-Type", "text/plain")
            if fault.location:
                self.send_header("Location", fault.location)
            self.end_headers()
            self.wfile.write(fault.body)
        else:
            self._answer(fault.after if fault else None)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are quiet."""

    def _fault(self) -> Fault | None:
        for fault in self.server.host.faults:
            if fault.path in self.path and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def _answer(self, most: int | None) -> None:
        path, _, query = self.path.partition("?")
        body = self._body()
        if (api := self.server.host.api) is not None and path.startswith("/api/"):
            answer = api(self.path, {name.lower(): value for name, value in self.headers.items()})
            if answer is None:
                self.server.host.unknown.append(path)
            json_host.send(self, answer or json_host.JsonAnswer(500, {}))
            return
        root = self.server.host.folder
        if (hosting := self.server.host.hosting) is not None:
            place = self._place(hosting, path, query)
            if place is None:
                return
            root, path = place
        configuration = self.server.host.configuration
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": "" if self.server.host.old_protocol else self.headers.get("Git-Protocol", ""),
            "GIT_CONFIG_COUNT": str(len(configuration)),
        }
        for number, (name, value) in enumerate(configuration.items()):
            environment |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        with subprocess.Popen(
            [_backend()],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as backend:
            assert backend.stdin and backend.stdout
            with contextlib.suppress(BrokenPipeError):
                backend.stdin.write(body)
                backend.stdin.close()
            try:
                self._relay(backend.stdout, most)
            finally:
                backend.kill()

    def _place(self, hosting: Hosting, path: str, query: str) -> tuple[Path, str] | None:
        """Where ``http-backend`` finds the repository; None: the request is answered."""
        match = _IN_REPOSITORY.fullmatch(path)
        found = hosting.find(unquote(match["name"])) if match else None
        if match is None or found is None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="Git"')
            self.end_headers()
            return None
        host = self.server.host
        if host.redirect is not None and found is not hosting.at(unquote(match["name"])):
            self.send_response(host.redirect)
            origin = "" if host.redirect == 307 else host.url
            location = f"{origin}/{found.full_name}{match['suffix'] or ''}{match['rest']}"
            self.send_header("Location", location + f"?{query}" * bool(query))
            self.end_headers()
            return None
        return found.real.path.parent, f"/{found.real.path.name}{match['rest']}"

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _relay(self, output: IO[bytes], most: int | None) -> None:
        status, headers = 200, []
        while line := output.readline().strip():
            name, _, value = line.decode().partition(": ")
            if name == "Status":
                status = int(value.split()[0])
            else:
                headers.append((name, value))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if most is not None:
            # More than will come: the client sees that it was cut off.
            self.send_header("Content-Length", str(1 << 30))
        self.end_headers()
        sent = 0
        while (chunk := output.read1(65536)) and (most is None or sent < most):  # type: ignore[attr-defined]
            self.wfile.write(chunk if most is None else chunk[: most - sent])
            sent += len(chunk)
