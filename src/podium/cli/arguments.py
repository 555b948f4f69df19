"""What a person may type after ``podium``: commands, options, and what each of them may be."""

from __future__ import annotations

import argparse
import sys
from typing import Any, NoReturn

from podium import __version__

# Of `podium worker`.
_KINDS = ("commits", "users", "all")
# Of --top: more rows than any board has.
ALL = sys.maxsize


class _Parser(argparse.ArgumentParser):
    """Errors are one line that says what to do."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"podium: {message} (see `{self.prog} --help`)\n")


def parser() -> argparse.ArgumentParser:
    """What reads the words that follow ``podium``; ``command`` names what they ask for."""
    podium = _Parser(prog="podium", description="Who made this? A ranked leaderboard of a git repository.")
    podium.add_argument("--version", action="version", version=f"podium {__version__}")
    commands = podium.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    _add_rank(commands)
    _add_serve(commands)
    _add_worker(commands)
    _add_queue(commands)
    _add_doctor(commands)
    _add_migrate(commands)
    _add_count(commands)
    _add_work(commands)
    return podium


def _add_rank(commands: Any) -> None:
    rank = commands.add_parser("rank", help="rank the people behind a repository, and exit")
    rank.set_defaults(command="rank")
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


def _add_serve(commands: Any) -> None:
    serve = commands.add_parser("serve", help="serve the API and the page; with both workers, unless a Redis is set")
    serve.set_defaults(command="serve")
    serve.add_argument("--host", help="address to listen on (default: PODIUM_HOST, or 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (default: PORT, or 3000)")
    serve.add_argument("--workers", action="store_true", help="with both workers, also where a Redis is set")
    _add_reload(serve)


def _add_worker(commands: Any) -> None:
    worker = commands.add_parser("worker", help="work the queues off, in processes of their own (needs a Redis)")
    worker.set_defaults(command="worker")
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


def _add_queue(commands: Any) -> None:
    queue = commands.add_parser("queue", help="show the queues; have failed repositories tried again, take one out")
    queue.set_defaults(command="queue")
    queue.add_argument("--json", action="store_true", help="one JSON document; with --watch one a line")
    queue.add_argument(
        "--watch", type=_interval, nargs="?", const=2.0, metavar="SECONDS", help="again every 2 (or so many) seconds"
    )
    actions = queue.add_subparsers(metavar="[ACTION]", parser_class=_Parser)
    retry = actions.add_parser("retry", help="try failed repositories again, and waiting ones at once")
    retry.set_defaults(command="queue_retry")
    retry.add_argument("ids", metavar="ID", nargs="*", type=_number, help="a repository's number (default: all failed)")
    drop = actions.add_parser("drop", help="take a repository out of the queue: it fails, and says so")
    drop.set_defaults(command="queue_drop")
    drop.add_argument("id", metavar="ID", type=_number, help="its number")


def _add_doctor(commands: Any) -> None:
    doctor = commands.add_parser("doctor", help="look at everything that Podium needs, and say what to do")
    doctor.set_defaults(command="doctor")
    doctor.add_argument("--json", action="store_true", help="one JSON document")
    doctor.add_argument("--offline", action="store_true", help="do not ask GitHub about tokens and budget")


def _add_migrate(commands: Any) -> None:
    migrate = commands.add_parser("migrate", help="bring the database to the revision that this Podium needs")
    migrate.set_defaults(command="migrate")
    migrate.add_argument("--to", metavar="REVISION", default="head", help="up or down to this one (default: head)")
    migrate.add_argument("--check", action="store_true", help="only compare the database with what the code declares")


def _add_count(commands: Any) -> None:
    # Podium's own: the server counts each repository in a process of its own.
    count = commands.add_parser("_count")
    count.set_defaults(command="count")
    count.add_argument("repository_id", type=int)
    count.add_argument("token", type=int)
    count.add_argument("--job", default="", help=argparse.SUPPRESS)


def _add_work(commands: Any) -> None:
    # Podium's own: one process of `podium worker`.
    work = commands.add_parser("_work")
    work.set_defaults(command="work")
    work.add_argument("kind", choices=_KINDS)
    work.add_argument("--threads", type=_count_of)
    work.add_argument("--drain", action="store_true")


def _top(text: str) -> int:
    if text == "all":
        return ALL
    if text.isascii() and text.isdecimal() and len(text) < 20 and int(text) > 0:
        return min(int(text), ALL)
    raise argparse.ArgumentTypeError(f"{text[:40]!r} is neither a number above 0 nor 'all'")


def _count_of(text: str) -> int:
    if text.isascii() and text.isdecimal() and 0 < int(text[:6]) <= 1000 and len(text) < 6:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number from 1 to 1000")


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
