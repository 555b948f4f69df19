"""``podium serve``: the API, the page and, in the embedded default, both workers."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from podium.app import factories
from podium.app.startup import prepare_process
from podium.cli import output
from podium.net import is_loopback
from podium.settings import Settings

if TYPE_CHECKING:
    from podium.web.admin_sessions import OneTimeCode


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    if options.reload:
        from podium.cli.reload import run_reloading

        return run_reloading(options.words, environment)
    settings = Settings.from_environment(environment)
    given = {name: getattr(options, name) for name in ("host", "port") if getattr(options, name) is not None}
    if options.child:
        from podium.workers.child import end_with_parent

        end_with_parent()
    settings = dataclasses.replace(settings, **given)
    if (options.processes or 1) > 1:
        return _serve_by_processes(settings, environment, options.processes, workers=options.workers)
    return serve(settings, environment, workers=options.workers or not settings.uses_redis)


def serve(settings: Settings, environment: Mapping[str, str], *, workers: bool) -> int:
    """Serve until stopped; return the exit code.

    Raises:
        PodiumError: the database, the data folder or the port cannot be used.
    """
    from podium.app.admin_token import with_admin_token
    from podium.app.processes.server_process import services
    from podium.web.admin_sessions import OneTimeCode
    from podium.web.serving.server import listening, run

    has_token = bool(settings.admin_token)
    settings = with_admin_token(settings)
    prepare_process(settings, environment)
    for note in factories.check_own_mailmap(settings):
        logging.getLogger("podium").warning("%s", note)
    # The link is as good as the token: only a person at the terminal sees it, no log.
    on_terminal = sys.stderr.isatty() and settings.log_format != "json"
    code = OneTimeCode() if settings.admin_token and not has_token and on_terminal else None
    with (
        # First: a second server must not migrate, start workers or take leases before it finds the port taken.
        listening(settings.host, settings.port) as listeners,
        services(settings, loopback=is_loopback(settings.host), workers=workers, code=code) as given,
    ):
        run(
            given,
            settings.host,
            listeners,
            on_listening=lambda url: _announce(settings, url, code),
        )
    return 0


def _serve_by_processes(settings: Settings, environment: Mapping[str, str], processes: int, *, workers: bool) -> int:
    from podium.app.processes.api_supervisor import check_shared, supervise
    from podium.web.serving.server import listening

    check_shared(settings, workers=workers)
    prepare_process(settings, environment)
    # Fail once here, not in each process.
    factories.open_database(settings).close()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with listening(settings.host, settings.port) as listeners:
        announce = partial(_announce, settings, code=None)
        return supervise(environment, settings.host, listeners, processes=processes, stop=stop, on_listening=announce)


def run_process(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Serve in a child process, with the sockets of its parent, until stopped."""
    # The parent has blocked it until here.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    from podium.app.processes.api_process import serve as serve_as_one

    settings = Settings.from_environment(environment)
    prepare_process(settings)
    listeners = [socket.socket(fileno=number) for number in options.listeners]
    serve_as_one(settings, options.host, listeners, options.processes)
    return 0


def _announce(settings: Settings, url: str, code: OneTimeCode | None) -> None:
    if settings.log_format == "json":
        # A JSON log contains only JSON.
        logging.getLogger("podium").info("listening on %s", url)
    else:
        output.say(f"Podium: {url} (data in {settings.data_folder()})")
    if code is not None:
        output.say(f"Administration, once within ten minutes: {url}/admin?code={code.text}")
