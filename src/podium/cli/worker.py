"""``podium worker``: processes that work the queues off, kept at work by this one."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from podium.app import factories
from podium.app.startup import configure_log
from podium.errors import BadSetting
from podium.net import is_loopback
from podium.settings import Settings

if TYPE_CHECKING:
    from podium.workers.supervisor import Supervisor

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asked for.

    Attributes:
        kind: ``commits``, ``users`` or ``all``.
        processes, threads: how many processes, and how many jobs of each kind in each; None: as the settings have it.
        drain: end when nothing is left to do.
        port: answer probes on it; None: answer none.
    """

    kind: str
    processes: int | None
    threads: int | None
    drain: bool
    port: int | None


def run_workers(settings: Settings, wanted: Wanted) -> int:
    """Keep worker processes at work until told to stop; give the exit code.

    Raises:
        BadSetting: there is no queue that processes share.
        PodiumError: the port cannot be used.
    """
    from podium.workers.supervisor import Supervisor

    if not settings.uses_redis:
        raise BadSetting(
            "Workers of their own need a queue that processes share: set REDIS_URL, or use `podium serve`."
        )
    configure_log(settings)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    processes = wanted.processes or (settings.commit_workers if wanted.kind == "commits" else 1)
    arguments = ["_work", wanted.kind, *(["--threads", str(wanted.threads)] if wanted.threads else [])]
    arguments += ["--drain"] * wanted.drain
    supervisor = Supervisor(arguments, settings.to_environment(), processes, stop, once=wanted.drain)
    log.info("%d worker %s for %s", processes, "process" if processes == 1 else "processes", wanted.kind)
    with _probes(settings, wanted.port, supervisor):
        return supervisor.run()


@contextlib.contextmanager
def _probes(settings: Settings, port: int | None, supervisor: Supervisor) -> Iterator[None]:
    if port is None:
        yield
        return
    from podium.app.operations import metrics_page, shared_budgets
    from podium.app.worker_process import check_worker
    from podium.monitoring.inspector import Inspector
    from podium.web.api.worker_probes import Probed, create_probes
    from podium.web.server import beside

    db, messages = factories.connect(settings), factories.backend(settings)

    def check() -> None:
        supervisor.check()
        check_worker(db, messages)

    with metrics_page(Inspector(db, messages, shared_budgets(settings, db))) as page:
        probed = Probed(settings, is_loopback(settings.host), check, page)
        with beside(create_probes(probed), settings.host, port):
            yield


def work(settings: Settings, kind: str, threads: int | None, *, drain: bool) -> int:
    """In a process of its own: work off one or both queues until told to stop; give the exit code.

    Raises:
        StorageError: the database cannot be used.
    """
    from podium.app.worker_process import work
    from podium.telemetry import metrics
    from podium.telemetry.metrics_pipe import MetricsPipe
    from podium.workers.child import stop_with_parent

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = threading.Event()
    stop_with_parent(stop)
    configure_log(settings)
    metrics.install(MetricsPipe(sys.stdout.buffer))
    # Of a process that only counts, Python lets one thread count at a time: there are processes for more.
    alone = 1 if kind == "commits" else settings.commit_workers
    return work(
        settings,
        stop,
        commit_threads=(threads or alone) if kind != "users" else 0,
        user_threads=(threads or settings.user_workers) if kind != "commits" else 0,
        drain=drain,
    )
