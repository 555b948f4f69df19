"""The command ``podium``: parses its arguments, runs one command, turns errors into one line and an exit code.

Exit codes: 0, 2 for what the user can mend, 1 otherwise, 130 when interrupted. Everything but ``argparse`` is imported
by the command that needs it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence

from podium.cli.arguments import ALL, parser
from podium.errors import BadRule, Interrupted, OutputError, PodiumError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give its exit code."""
    # Author names are in any script; a terminal that cannot show one must not end the program.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(words)
    options.words = words
    try:
        return _COMMANDS[options.command](options)
    except (KeyboardInterrupt, Interrupted):
        _complain("interrupted; what was saved before stays, run it again to go on")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough (`podium rank … | head`).
        _drop_output()
        return 0
    except PodiumError as error:
        _complain(error.message)
        return error.exit_code


def _complain(message: str) -> None:
    # print() leaves out what has nowhere to go: a standard error that is closed is None.
    print("podium: " + " ".join(message.split()), file=sys.stderr)


def _rank(options: argparse.Namespace) -> int:
    from podium.cli.rank import Request, rank
    from podium.leaderboard.rules import Rules

    rules = Rules.parse(
        merges=options.merges,
        bots=options.bots,
        co_authors=options.co_authors,
        mailmap=options.mailmap,
        since=options.since,
        until=options.until,
        identities=not options.no_identities,
    )
    # A table is for reading, a file is for keeping.
    top = options.top or (20 if options.format in ("table", "markdown") else ALL)
    request = Request(options.source, options.rev, rules, None if top == ALL else top, options.format)
    board = rank(os.environ, request)
    if options.format != "table" and isinstance(sys.stdout, io.TextIOWrapper):
        # A file's format says what it is written in (RFC 8259 for JSON), whatever a terminal here could show.
        sys.stdout.reconfigure(encoding="utf-8")
    _say(board)
    return 0


def _say(text: str) -> None:
    """Write the answer to standard output.

    Raises:
        BrokenPipeError: whoever read it has gone.
        OutputError: it cannot be written.
    """
    if sys.stdout is None:
        raise OutputError("Standard output is closed: there is nowhere to print the board to.")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop_output()
        raise OutputError(f"Standard output cannot be written: {error.strerror}.") from error


def _drop_output() -> None:
    """Python flushes once more at exit, and would complain again."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _serve(options: argparse.Namespace) -> int:
    import dataclasses

    from podium.cli.serve import serve
    from podium.settings import Settings

    if options.reload:
        return _reloading(options)
    settings = Settings.from_environment(os.environ)
    given = {name: getattr(options, name) for name in ("host", "port") if getattr(options, name) is not None}
    _check_port(options.port)
    if options.child:
        _end_with_parent()
    return serve(dataclasses.replace(settings, **given), workers=options.workers or not settings.uses_redis)


def _check_port(port: int | None) -> None:
    if port is not None and not 0 <= port <= 65535:
        raise BadRule("--port must be from 0 to 65535.")


def _reloading(options: argparse.Namespace) -> int:
    from podium.cli.reload import run_reloading

    return run_reloading([*(word for word in options.words if word != "--reload"), "--child"])


def _end_with_parent() -> None:
    from podium.workers.child import end_with_parent

    end_with_parent()


def _worker(options: argparse.Namespace) -> int:
    from podium.cli.worker import Wanted, run_workers
    from podium.settings import Settings

    if options.reload:
        return _reloading(options)
    settings = Settings.from_environment(os.environ)
    _check_port(options.port)
    if options.child:
        _end_with_parent()
    # PORT has a default for `podium serve`; a worker answers only where it is told to.
    port = options.port if options.port is not None else (settings.port if os.environ.get("PORT") else None)
    return run_workers(settings, Wanted(options.kind, options.processes, options.threads, options.drain, port))


def _work(options: argparse.Namespace) -> int:
    from podium.cli.worker import work
    from podium.settings import Settings

    return work(Settings.from_environment(os.environ), options.kind, options.threads, drain=options.drain)


def _queue(options: argparse.Namespace) -> int:
    from podium.cli.queue import show
    from podium.settings import Settings

    return show(Settings.from_environment(os.environ), as_json=options.json, every=options.watch, say=_say)


def _queue_retry(options: argparse.Namespace) -> int:
    from podium.cli.queue import retry
    from podium.settings import Settings

    _say(retry(Settings.from_environment(os.environ), options.ids) + "\n")
    return 0


def _queue_drop(options: argparse.Namespace) -> int:
    from podium.cli.queue import drop
    from podium.settings import Settings

    _say(drop(Settings.from_environment(os.environ), options.id) + "\n")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from podium.cli.doctor import examine
    from podium.cli.doctor.findings import as_json, as_text, is_healthy
    from podium.settings import Settings

    findings = examine(Settings.from_environment(os.environ), ask_github=not options.offline)
    _say(as_json(findings) if options.json else as_text(findings))
    return 0 if is_healthy(findings) else 1


def _migrate(options: argparse.Namespace) -> int:
    from podium.app.operations import migrate_database
    from podium.settings import Settings

    migrate_database(Settings.from_environment(os.environ), to=options.to, check=options.check)
    if options.check:
        _say("The database has exactly the tables that this Podium declares.\n")
    return 0


def _count(options: argparse.Namespace) -> int:
    import threading

    from podium.app.count_process import count_one
    from podium.app.startup import configure_log
    from podium.settings import Settings
    from podium.workers.child import stop_with_parent

    # Below the server that started it: whoever waits for an answer goes first.
    os.nice(10)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = threading.Event()
    stop_with_parent(stop)
    settings = Settings.from_environment(os.environ)
    configure_log(settings)
    count_one(settings, options.repository_id, options.token, options.job, stop)
    return 0


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "rank": _rank,
    "serve": _serve,
    "worker": _worker,
    "queue": _queue,
    "queue_retry": _queue_retry,
    "queue_drop": _queue_drop,
    "doctor": _doctor,
    "migrate": _migrate,
    "count": _count,
    "work": _work,
}
