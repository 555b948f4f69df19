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
from typing import Any, NoReturn

from podium import __version__
from podium.errors import BadRule, Interrupted, OutputError, PodiumError

INTERRUPTED = 130
# Of `podium worker`.
_KINDS = ("commits", "users", "all")
# Of --top: more rows than any board has.
ALL = sys.maxsize


class _Parser(argparse.ArgumentParser):
    """Errors are one line that says what to do."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"podium: {message} (see `{self.prog} --help`)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give its exit code."""
    # Author names are in any script; a terminal that cannot show one must not end the program.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(words)
    options.words = words
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        code = command(options)
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
    return code


def _complain(message: str) -> None:
    # print() leaves out what has nowhere to go: a standard error that is closed is None.
    print("podium: " + " ".join(message.split()), file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="podium", description="Who made this? A ranked leaderboard of a git repository.")
    parser.add_argument("--version", action="version", version=f"podium {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    _add_rank(commands)
    _add_serve(commands)
    _add_worker(commands)
    _add_queue(commands)
    _add_doctor(commands)
    _add_migrate(commands)
    _add_count(commands)
    _add_work(commands)
    return parser


def _add_rank(commands: Any) -> None:
    rank = commands.add_parser("rank", help="rank the people behind a repository, and exit")
    rank.set_defaults(command=_rank)
    rank.add_argument(
        "source", metavar="SOURCE", help="a path, owner/name at GitHub, or any git URL (a path that exists wins)"
    )
    rank.add_argument("--rev", metavar="REV", help="of a path: count this revision instead of HEAD")
    rank.add_argument(
        "--top", type=_top, metavar="N|all", help="how many rows (default: 20 in a table or Markdown, else all)"
    )
    rank.add_argument("--format", choices=("table", "json", "csv", "markdown"), default="table", help="default: table")
    include = ("include", "exclude")
    rank.add_argument("--merges", choices=include, default="exclude", help="count merge commits (default: exclude)")
    rank.add_argument("--bots", choices=(*include, "only"), default="exclude", help="rank bots (default: exclude)")
    rank.add_argument(
        "--co-authors", choices=include, default="exclude", help="count co-authored commits (default: exclude)"
    )
    rank.add_argument("--mailmap", choices=("use", "ignore"), default="use", help="honour .mailmap (default: use)")
    rank.add_argument("--since", metavar="DATE", help="from this day on (author date, UTC, whole weeks from Sunday)")
    rank.add_argument("--until", metavar="DATE", help="up to this day, inclusive")
    rank.add_argument(
        "--no-identities", action="store_true", help="ask nobody, resolve nobody: a row an e-mail or mailmap identity"
    )


def _top(text: str) -> int:
    if text == "all":
        return ALL
    if text.isascii() and text.isdecimal() and len(text) < 20 and int(text) > 0:
        return min(int(text), ALL)
    raise argparse.ArgumentTypeError(f"{text[:40]!r} is neither a number above 0 nor 'all'")


def _add_serve(commands: Any) -> None:
    serve = commands.add_parser("serve", help="serve the API and the page; with both workers, unless a Redis is set")
    serve.set_defaults(command=_serve)
    serve.add_argument("--host", help="address to listen on (default: PODIUM_HOST, or 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (default: PORT, or 3000)")
    serve.add_argument("--workers", action="store_true", help="with both workers, also where a Redis is set")
    _add_reload(serve)


def _add_worker(commands: Any) -> None:
    worker = commands.add_parser("worker", help="work the queues off, in processes of their own (needs a Redis)")
    worker.set_defaults(command=_worker)
    worker.add_argument("kind", choices=_KINDS, help="which queue; all: both, in one process")
    worker.add_argument(
        "--processes", type=_count_of, metavar="N", help="how many (default: PODIUM_COMMIT_WORKERS for commits, else 1)"
    )
    worker.add_argument(
        "--threads", type=_count_of, metavar="N", help="jobs of each kind at a time in each (default: see the settings)"
    )
    worker.add_argument("--drain", action="store_true", help="end when nothing is left to do; 1: something failed")
    worker.add_argument(
        "--port", type=int, help="answer /health, /ready and /metrics on it (default: PORT; else on none)"
    )
    _add_reload(worker)


def _add_reload(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reload", action="store_true", help="start again when Podium's files change (development)")
    # Podium's own: a child process of --reload ends with its parent.
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)


def _count_of(text: str) -> int:
    if text.isascii() and text.isdecimal() and 0 < int(text[:6]) <= 1000 and len(text) < 6:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number from 1 to 1000")


def _add_queue(commands: Any) -> None:
    queue = commands.add_parser("queue", help="show the queues; have failed repositories tried again, take one out")
    queue.set_defaults(command=_queue)
    queue.add_argument("--json", action="store_true", help="one JSON document; with --watch one a line")
    queue.add_argument(
        "--watch", type=_interval, nargs="?", const=2.0, metavar="SECONDS", help="again every 2 (or so many) seconds"
    )
    actions = queue.add_subparsers(metavar="ACTION", parser_class=_Parser)
    retry = actions.add_parser("retry", help="try failed repositories again, and waiting ones at once")
    retry.set_defaults(command=_queue_retry)
    retry.add_argument("ids", metavar="ID", nargs="*", type=_number, help="a repository's number (default: all failed)")
    drop = actions.add_parser("drop", help="take a repository out of the queue: it fails, and says so")
    drop.set_defaults(command=_queue_drop)
    drop.add_argument("id", metavar="ID", type=_number, help="its number")


def _add_doctor(commands: Any) -> None:
    doctor = commands.add_parser("doctor", help="look at everything that Podium needs, and say what to do")
    doctor.set_defaults(command=_doctor)
    doctor.add_argument("--json", action="store_true", help="one JSON document")
    doctor.add_argument("--offline", action="store_true", help="do not ask GitHub about tokens and budget")


def _interval(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if 0.1 <= seconds <= 3600:
        return seconds
    raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number of seconds from 0.1 to 3600")


def _number(text: str) -> int:
    number = text.removeprefix("#")
    if number.isascii() and number.isdecimal() and len(number) < 19:
        return int(number)
    raise argparse.ArgumentTypeError(f"{text[:40]!r} is not the number of a repository: `podium queue` shows them")


def _add_migrate(commands: Any) -> None:
    migrate = commands.add_parser("migrate", help="bring the database to the revision that this Podium needs")
    migrate.set_defaults(command=_migrate)
    migrate.add_argument("--to", metavar="REVISION", default="head", help="up or down to this one (default: head)")
    migrate.add_argument("--check", action="store_true", help="only compare the database with what the code declares")


def _add_count(commands: Any) -> None:
    # Podium's own: the server counts each repository in a process of its own.
    count = commands.add_parser("_count")
    count.set_defaults(command=_count)
    count.add_argument("repository_id", type=int)
    count.add_argument("token", type=int)
    count.add_argument("--job", default="", help=argparse.SUPPRESS)


def _add_work(commands: Any) -> None:
    # Podium's own: one process of `podium worker`.
    work = commands.add_parser("_work")
    work.set_defaults(command=_work)
    work.add_argument("kind", choices=_KINDS)
    work.add_argument("--threads", type=_count_of)
    work.add_argument("--drain", action="store_true")


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
    from podium.jobs.child import end_with_parent

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
    from podium import bootstrap
    from podium.settings import Settings

    bootstrap.migrate_database(Settings.from_environment(os.environ), to=options.to, check=options.check)
    if options.check:
        _say("The database has exactly the tables that this Podium declares.\n")
    return 0


def _count(options: argparse.Namespace) -> int:
    import threading

    from podium import bootstrap
    from podium.jobs.child import stop_with_parent
    from podium.settings import Settings

    # Below the server that started it: whoever waits for an answer goes first.
    os.nice(10)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = threading.Event()
    stop_with_parent(stop)
    settings = Settings.from_environment(os.environ)
    bootstrap.configure_log(settings)
    bootstrap.count_one(settings, options.repository_id, options.token, options.job, stop)
    return 0
