"""One of several API processes (``podium _serve``), and what it shares with the others through its parent."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence

from podium.app.operations import gauges_of
from podium.app.processes.server_process import services
from podium.errors import QueueError
from podium.monitoring.inspector import Inspector
from podium.monitoring.readiness import Readiness
from podium.net import is_loopback
from podium.settings import Settings
from podium.telemetry import metrics
from podium.telemetry.batched_metrics import BatchedMetrics
from podium.telemetry.metrics_pipe import MetricsPipe
from podium.telemetry.prometheus import Prometheus

# Seconds.
_PATIENCE = 5.0


class ParentPipe:
    """Standard input and output, at whose other ends the parent adds up what all processes count."""

    def __init__(self) -> None:
        self._pipe = MetricsPipe(sys.stdout.buffer)
        self._pages: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._asked = 0
        self.metrics = BatchedMetrics(self._pipe)

    def start(self) -> None:
        """Listen to the parent. Its end ends this process as SIGTERM does."""
        threading.Thread(target=self._read, name="parent", daemon=True).start()
        self.metrics.start()

    def _read(self) -> None:
        with open(0, "rb", closefd=False) as stdin:
            for line in stdin:
                answer = json.loads(line)
                self._pages.put((answer["number"], answer["page"]))
        os.kill(os.getpid(), signal.SIGTERM)

    def say(self, **message: object) -> None:
        self._pipe.send(message)

    def counters(self) -> bytes:
        """The counters of all processes, those of this one until now among them.

        Raises:
            QueueError: the parent does not answer.
        """
        with self._lock:
            self.metrics.flush()
            self._asked += 1
            self.say(page=self._asked)
            with contextlib.suppress(queue.Empty):
                while (found := self._pages.get(timeout=_PATIENCE))[0] != self._asked:
                    continue
                return found[1].encode()
        raise QueueError("The process that adds up the counters does not answer: try again.")


def serve(settings: Settings, host: str, listeners: Sequence[socket.socket], processes: int) -> None:
    """Serve with inherited sockets until SIGTERM, as one of several processes."""
    from podium.web.serving.server import run

    pipe = ParentPipe()

    @contextlib.contextmanager
    def metrics_page(settings: Settings, inspector: Inspector, readiness: Readiness) -> Iterator[Callable[[], bytes]]:
        gauges = Prometheus(gauges_of(settings, inspector, readiness), counts=False)
        metrics.install(pipe.metrics)
        try:
            yield lambda: pipe.counters() + gauges.page()
        finally:
            metrics.install(None)
            pipe.metrics.stop()

    share = share_of(settings, processes)
    with services(share, loopback=is_loopback(host), workers=False, metrics_page=metrics_page) as given:
        pipe.start()
        run(given, host, list(listeners), on_listening=lambda url: pipe.say(listening=url), accept_at_once=1)


def share_of(settings: Settings, processes: int) -> Settings:
    """The settings of one process: what bounds a process of its own is divided, so that all keep the server's."""

    def divided(number: int) -> int:
        # 0: no limit.
        return max(1, -(-number // processes)) if number else 0

    return dataclasses.replace(
        settings,
        read_budget=divided(settings.read_budget),
        board_cache_bytes=settings.board_cache_bytes // processes,
        max_connections=divided(settings.max_connections),
        live_connections_per_client=divided(settings.live_connections_per_client),
    )
