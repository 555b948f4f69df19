"""A small JSON API on loopback: the part that the doubles of GitLab and Gitea share."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclasses.dataclass(frozen=True)
class JsonAnswer:
    """A status, a document and headers; bytes are sent as they are."""

    status: int
    body: Any
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


# From a path with its query, and the request's headers in lower case.
Respond = Callable[[str, Mapping[str, str]], JsonAnswer | None]


def send(handler: BaseHTTPRequestHandler, answer: JsonAnswer) -> None:
    """Answer a request, and close its connection."""
    content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    handler.send_response_only(answer.status)
    for name, value in {"Content-Type": "application/json", **answer.headers}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(content)
    handler.close_connection = True


@dataclasses.dataclass
class JsonHost:
    """The server. ``unknown`` collects what it has no answer for; ``away`` are answers that it gives first instead."""

    url: str
    requests: list[str] = dataclasses.field(default_factory=list)
    unknown: list[str] = dataclasses.field(default_factory=list)
    away: list[JsonAnswer] = dataclasses.field(default_factory=list)


@contextlib.contextmanager
def serve_json(respond: Respond) -> Iterator[JsonHost]:
    """Answer GET with ``respond`` until the block ends; fail if it had no answer (None) for a request."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            host.requests.append(self.path)
            answer = host.away.pop(0) if host.away else self._respond()
            send(self, answer)

        def _respond(self) -> JsonAnswer:
            answer = respond(self.path, {name.lower(): value for name, value in self.headers.items()})
            if answer is None:
                host.unknown.append(self.path)
            return answer or JsonAnswer(500, {"message": "the double has no answer"})

        def log_message(self, format: str, *args: Any) -> None:
            """Tests are quiet; ``requests`` has them."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host = JsonHost(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert not host.unknown, f"the double has no answer for {host.unknown[:10]}"
