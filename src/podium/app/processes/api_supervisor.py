"""``podium serve --processes N``: API processes that accept connections from the same sockets."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Mapping, Sequence

from podium.errors import BadSetting
from podium.settings import Settings
from podium.telemetry import metrics, metrics_pipe
from podium.telemetry.prometheus import Prometheus
from podium.workers.supervisor import Supervisor


def check_shared(settings: Settings, *, workers: bool) -> None:
    """Raise BadSetting unless several API processes can work as one server."""
    if not (settings.uses_postgres and settings.uses_redis):
        raise BadSetting(
            "`podium serve --processes` needs PostgreSQL and Redis, which the processes share: set DATABASE_URL and "
            "REDIS_URL, or serve with one process."
        )
    if workers:
        raise BadSetting("--workers goes with one process only: run `podium worker all` beside --processes.")


def supervise(
    environment: Mapping[str, str],
    host: str,
    listeners: Sequence[socket.socket],
    *,
    processes: int,
    stop: threading.Event,
    on_listening: Callable[[str], None],
) -> int:
    """Keep ``processes`` API processes running until ``stop`` is set; return the exit code.

    Args:
        environment: of each process.
        listeners: connections wait here while a process is replaced.
        on_listening: called with the URL once the first process responds.
    """
    counters = Prometheus(None)
    metrics.install(counters)
    heard = threading.Event()

    def receive(line: bytes) -> bytes | None:
        message = _message(line)
        if "page" in message:
            return json.dumps({"number": message["page"], "page": counters.page().decode()}).encode() + b"\n"
        if "listening" in message:
            if not heard.is_set():
                heard.set()
                on_listening(str(message["listening"]))
            return None
        metrics_pipe.receive(line, None)
        return None

    files = [listener.fileno() for listener in listeners]
    arguments = ["_serve", host, str(processes), *map(str, files)]
    supervisor = Supervisor(
        arguments,
        environment,
        processes,
        stop,
        once=False,
        restarts_all=True,
        name="API process",
        on_line=receive,
        files=files,
    )
    try:
        return supervisor.run()
    finally:
        metrics.install(None)


def _message(line: bytes) -> dict[str, object]:
    with contextlib.suppress(ValueError):
        message = json.loads(line)
        if isinstance(message, dict):
            return message
    return {}
