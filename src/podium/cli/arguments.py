"""The arguments of ``podium``."""

from __future__ import annotations

import argparse
import sys
from typing import Any, NoReturn

from podium import __version__

_KINDS = ("commits", "users", "all")
# More rows than any board has.
ALL = sys.maxsize


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"podium: {message} (see `{self.prog} --help`)\n")


def parser() -> argparse.ArgumentParser:
    """Each command sets ``func``, ``module:function`` in this package, so that parsing imports no command."""
    podium = _Parser(prog="podium", description="Who made this? A ranked leaderboard of a git repository.")
    podium.add_argument("--version", action="version", version=f"podium {__version__}")
    commands = podium.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    _add_rank(commands)
    _add_serve(commands)
    _add_worker(commands)
    _add_queue(commands)
    _add_doctor(commands)
    _add_migrate(commands)
    _add_child_commands(commands)
    return podium


def _add_rank(commands: Any) -> None:
    rank = commands.add_parser("rank", help="rank the people behind a repository and print the board")
    rank.set_defaults(command="rank", func="rank:run")
    rank.add_argument(
        "source", metavar="SOURCE", help="a path, owner/name at GitHub, or any git URL (an existing path wins)"
    )
    rank.add_argument("--rev", metavar="REV", help="count this revision of a path instead of HEAD")
    rank.add_argument(
        "--top", type=_top, metavar="N|all", help="number of rows (default: 20 in a table or Markdown, else all)"
    )
    rank.add_argument("--format", choices=("table", "json", "csv", "markdown"), default="table", help="default: table")
    include = ("include", "exclude")
    rank.add_argument("--merges", choices=include, default="exclude", help="count merge commits (default: exclude)")
    rank.add_argument("--bots", choices=(*include, "only"), default="exclude", help="rank bots (default: exclude)")
    rank.add_argument(
        "--bots-file",
        metavar="FILE",
        help="further bots: an e-mail address or login per line, ! before one that is no bot",
    )
    rank.add_argument(
        "--co-authors", choices=include, default="exclude", help="count co-authored commits (default: exclude)"
    )
    rank.add_argument("--mailmap", choices=("use", "ignore"), default="use", help="apply mailmaps (default: use)")
    rank.add_argument(
        "--mailmap-file",
        metavar="FILE",
        action="append",
        default=[],
        help="a mailmap of your own, applied after the repository's; may be given several times, the last one wins",
    )
    rank.add_argument(
        "--names", choices=("join", "apart"), default="join", help="join rows of one full name (default: join)"
    )
    rank.add_argument("--new", action="store_true", help="rank only people whose first commit ever is in the window")
    rank.add_argument(
        "--since", metavar="DATE", help="first day of the window, inclusive (author dates, whole days in UTC)"
    )
    rank.add_argument("--until", metavar="DATE", help="last day of the window, inclusive")
    rank.add_argument(
        "--roles", action="store_true", help="show how often trailers such as Reviewed-by name each person"
    )
    rank.add_argument("--no-identities", action="store_true", help="look up no accounts, and join no rows by account")


def _add_serve(commands: Any) -> None:
    serve = commands.add_parser("serve", help="serve the API and the page; without Redis also run both workers")
    serve.set_defaults(command="serve", func="serve:run")
    serve.add_argument("--host", help="address to listen on (default: PODIUM_HOST, or 127.0.0.1)")
    serve.add_argument("--port", type=_port, help="port to listen on (default: PORT, or 3000)")
    serve.add_argument("--workers", action="store_true", help="run both workers in this process even with Redis")
    _add_reload(serve)


def _add_worker(commands: Any) -> None:
    worker = commands.add_parser("worker", help="run worker processes (needs Redis)")
    worker.set_defaults(command="worker", func="worker:run")
    worker.add_argument("kind", choices=_KINDS, help="the queue to work on; all: both, in one process")
    worker.add_argument(
        "--processes",
        type=_positive,
        metavar="N",
        help="number of processes (default: PODIUM_COMMIT_WORKERS for commits, else 1)",
    )
    worker.add_argument(
        "--threads", type=_positive, metavar="N", help="jobs of each kind at a time per process (default: the settings)"
    )
    worker.add_argument(
        "--drain", action="store_true", help="exit when nothing is left to do, with 1 if a repository failed"
    )
    worker.add_argument(
        "--port", type=_port, help="answer /health, /ready and /metrics on this port (default: PORT, else none)"
    )
    _add_reload(worker)


def _add_reload(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reload", action="store_true", help="restart when a file of Podium changes (for development)")
    # Internal: the child process of --reload ends with its parent.
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)


def _add_queue(commands: Any) -> None:
    queue = commands.add_parser("queue", help="show the queues, retry failed repositories, drop one")
    queue.set_defaults(command="queue", func="queue:show")
    queue.add_argument("--json", action="store_true", help="print JSON; with --watch one document per line")
    queue.add_argument(
        "--watch", type=_interval, nargs="?", const=2.0, metavar="SECONDS", help="repeat every SECONDS (default: 2)"
    )
    actions = queue.add_subparsers(metavar="[ACTION]", parser_class=_Parser)
    retry = actions.add_parser("retry", help="retry failed repositories, and waiting ones at once")
    retry.set_defaults(func="queue:retry")
    retry.add_argument("ids", metavar="ID", nargs="*", type=_repository_id, help="repository id (default: all failed)")
    drop = actions.add_parser("drop", help="take a repository out of the queue; it becomes failed")
    drop.set_defaults(func="queue:drop")
    drop.add_argument("id", metavar="ID", type=_repository_id, help="repository id")


def _add_doctor(commands: Any) -> None:
    doctor = commands.add_parser("doctor", help="check everything that Podium needs, and say what to do")
    doctor.set_defaults(command="doctor", func="doctor:run")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.add_argument("--offline", action="store_true", help="do not ask GitHub about tokens and limits")


def _add_migrate(commands: Any) -> None:
    migrate = commands.add_parser("migrate", help="bring the database to the revision that this Podium needs")
    migrate.set_defaults(command="migrate", func="migrate_command:run")
    migrate.add_argument("--to", metavar="REVISION", default="head", help="migrate up or down to it (default: head)")
    migrate.add_argument("--check", action="store_true", help="only compare the tables with those of this Podium")


def _add_child_commands(commands: Any) -> None:
    # Processes that Podium starts itself: without `help` they are not listed.
    count = commands.add_parser("_count")
    count.set_defaults(command="serve", func="count_command:run")
    work = commands.add_parser("_work")
    work.set_defaults(command="worker", func="worker:run_process")
    work.add_argument("kind", choices=_KINDS)
    work.add_argument("--threads", type=_positive)
    work.add_argument("--drain", action="store_true")


def _whole(text: str, least: int, most: int) -> int | None:
    """int() alone accepts signs, spaces and other digits."""
    if text.isascii() and text.isdecimal() and len(text) < 19 and least <= int(text) <= most:
        return int(text)
    return None


def _top(text: str) -> int:
    number = ALL if text == "all" else _whole(text, 1, ALL)
    if number is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is neither a number above 0 nor 'all'")
    return number


def _positive(text: str) -> int:
    number = _whole(text, 1, 1000)
    if number is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number from 1 to 1000")
    return number


def _port(text: str) -> int:
    number = _whole(text, 0, 65535)
    if number is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a port from 0 to 65535")
    return number


def _interval(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if 0.1 <= seconds <= 3600:
        return seconds
    raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number of seconds from 0.1 to 3600")


def _repository_id(text: str) -> int:
    number = _whole(text.removeprefix("#"), 0, ALL)
    if number is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a repository id: `podium queue` shows them")
    return number
