"""``podium worker`` supervises processes of ``podium _work``."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from podium.app import factories
from podium.app.processes.child_environment import worker_environment
from podium.app.startup import prepare_process
from podium.errors import BadSetting
from podium.settings import Settings
from podium.textutil.plural import plural

if TYPE_CHECKING:
    from podium.workers.supervisor import Supervisor

log = logging.getLogger(__name__)


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Supervise worker processes until stopped.

    Raises:
        BadSetting: there is no queue that processes share.
        PodiumError: the port cannot be used.
    """
    if options.reload:
        from podium.cli.reload import run_reloading

        return run_reloading(options.words, environment)
    settings = Settings.from_environment(environment)
    if options.child:
        from podium.workers.child import end_with_parent

        end_with_parent()
    # Fail once here, not in each process.
    importlib.import_module("dramatiq")
    if not settings.uses_redis:
        raise BadSetting("`podium worker` needs a queue that processes share: set REDIS_URL, or use `podium serve`.")
    # PORT has a default for `podium serve` only.
    port = options.port if options.port is not None else (settings.port if environment.get("PORT") else None)
    return _supervise(settings, environment, options, port)


def _supervise(
    settings: Settings, environment: Mapping[str, str], options: argparse.Namespace, port: int | None
) -> int:
    from podium.workers.supervisor import Supervisor

    prepare_process(settings, environment)
    for note in factories.check_own_mailmap(settings):
        logging.getLogger("podium").warning("%s", note)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    processes = options.processes or (settings.commit_workers if options.kind == "commits" else 1)
    arguments = ["_work", options.kind, *(["--threads", str(options.threads)] if options.threads else [])]
    arguments += ["--drain"] * options.drain
    supervisor = Supervisor(arguments, worker_environment(settings, options.kind), processes, stop, once=options.drain)
    log.info("%s for %s", plural(processes, "worker process", "worker processes"), options.kind)
    with _probes(settings, port, supervisor, options.kind):
        return supervisor.run()


@contextlib.contextmanager
def _probes(settings: Settings, port: int | None, supervisor: Supervisor, kind: str) -> Iterator[None]:
    if port is None:
        yield
        return
    from podium.app import ready_checks
    from podium.app.operations import metrics_page, shared_inspector
    from podium.web.api.worker_probes import Probed, create_probes
    from podium.web.serving.server import beside

    db, messages = factories.connect(settings), factories.backend(settings)
    with (
        ready_checks.of_worker(settings, messages, supervisor.check, counts=kind != "users") as readiness,
        metrics_page(settings, shared_inspector(settings, db, messages), readiness) as page,
    ):
        probed = Probed(settings, readiness, page)
        with beside(create_probes(probed), settings.host, port, settings):
            yield


def run_process(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Work in a child process until stopped.

    Raises:
        StorageError: the database cannot be used.
    """
    from podium.app.processes.worker_process import work
    from podium.telemetry import metrics
    from podium.telemetry.metrics_pipe import MetricsPipe
    from podium.workers.child import stop_with_parent

    settings = Settings.from_environment(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = threading.Event()
    stop_with_parent(stop)
    prepare_process(settings)
    metrics.install(MetricsPipe(sys.stdout.buffer))
    # Python runs one thread at a time: a commit worker has one and uses more processes instead.
    alone = 1 if options.kind == "commits" else settings.commit_workers
    return work(
        settings,
        stop,
        commit_threads=(options.threads or alone) if options.kind != "users" else 0,
        user_threads=(options.threads or settings.user_workers) if options.kind != "commits" else 0,
        drain=options.drain,
    )
