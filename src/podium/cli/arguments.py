"""The arguments of ``podium``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from podium import __version__
from podium.cli import output
from podium.cli.argument_parser import Once, Parser
from podium.errors import BadRule
from podium.leaderboard.role_names import ROLE_NAMES
from podium.textutil.whole_number import whole_number

_SERVER_PACKAGES = "`pip install 'podium[server]'`"
_KINDS = ("commits", "users", "all")
# Repeated from podium.blocks, as for SORT_COLUMNS.
BLOCKS = ("repository", "owner", "address")
# Seconds of the longest interval, repeated from podium.settings.
MOST_REFRESH_INTERVAL = 366 * 86_400
# More rows than any board has.
ALL = sys.maxsize
# Repeated here: the module that sorts is imported after git has started. A test compares them.
SORT_COLUMNS = (
    *("commits", "merges", "co-authored", "ai", "name", "account", "email", "first", "last"),
    *(role.option for role in ROLE_NAMES),
)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parse a command line. Help, the version and mistakes are printed, and end the program.

    Raises:
        SystemExit: with the exit code.
    """
    if words and words[0] in CHILD_COMMANDS:
        return _child_parser().parse_args(words)
    if words and words[0] == "help":
        words = [*words[1:], "--help"]
    words = words or ["--help"]
    command = words[0] if words[0] in COMMANDS else None
    podium = parser(command)
    if command is None and words[0] not in ("-h", "--help", "-V", "--version"):
        from podium.cli.help.mistakes import unknown_command

        # The line comes last, after what fits a small terminal with it.
        podium.has_epilog = False
        usage, _, listed = podium.format_help().partition("\n\ncommands:\n")
        output.say(f"{usage.partition(chr(10))[0]}\n\ncommands:\n{listed.partition(chr(10) + 'options:')[0]}")
        output.complain(unknown_command(words, list(COMMANDS)))
        podium.exit(2)
    options: argparse.Namespace
    options, unknown = podium.parse_known_args(words)
    if unknown:
        from podium.cli.help.mistakes import unknown_argument

        options.parser.error(unknown_argument(unknown, options.parser))
    return options


def parser(command: str | None = None) -> Parser:
    """The parser of one command, or of all.

    Each command sets ``func``, ``module:function`` in this package, so that parsing imports no command.
    """
    podium = Parser(
        prog="podium",
        usage="%(prog)s COMMAND [OPTIONS]",
        description="Who made this? A ranked leaderboard of a git repository.",
    )
    podium.add_argument("-V", "--version", action="version", version=f"podium {__version__}", help="show the version")
    commands = podium.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser, prog="podium")
    podium._positionals.title = "commands"
    for name in [command] if command else COMMANDS:
        COMMANDS[name](commands)
    return podium


def _add(
    commands: Any, name: str, func: str, summary: str, *, usage: str = "[OPTIONS]", more: str = ""
) -> argparse.ArgumentParser:
    """Add a command or an action.

    Args:
        usage: what follows its name.
        more: what its own help says after the summary.
    """
    description = f"{summary[0].upper()}{summary[1:]}."
    added: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{description}\n{more}" if more else description,
        usage=f"%(prog)s {usage}".rstrip(),
    )
    added.set_defaults(func=func, parser=added)
    return added


def _add_rank(commands: Any) -> None:
    summary = "rank the people behind a repository and print the board"
    rank = _add(commands, "rank", "rank.rank_command:run", summary, usage="SOURCE [OPTIONS]")
    rank.add_argument(
        "source", metavar="SOURCE", help="a path, owner/name at GitHub, or any git URL (an existing path wins)"
    )
    rank.add_argument(
        "--rev",
        metavar="REV",
        action=Once,
        help="what to count; of a path: any revision, or a range A..B, which is what B has and A lacks, as in git "
        "shortlog A..B (default: HEAD); of an address: a branch or tag (default: the default branch)",
    )
    _add_window(rank)
    _add_rules(rank)
    _add_people(rank)
    _add_output(rank)


def _add_window(rank: argparse.ArgumentParser) -> None:
    window = rank.add_argument_group(
        "window",
        "Whole days in UTC, by author date. DATE names a day or a span of days:\n"
        "2024-01-31, 2024-01, 2024-Q1, 2024, yesterday, 'last month', '3 months ago', 2.weeks.",
    )
    window.add_argument("--since", type=_date, metavar="DATE", help="start with the first day of DATE")
    window.add_argument("--until", type=_date, metavar="DATE", help="end with the last day of DATE")
    window.add_argument(
        "--new",
        action="store_true",
        help="rank only people whose first commit is in the window, or in the range of --rev A..B",
    )


def _add_rules(rank: argparse.ArgumentParser) -> None:
    include = ("include", "exclude")
    rules = rank.add_argument_group("what is ranked")
    rules.add_argument("--merges", choices=include, default="exclude", help="count merge commits (default: exclude)")
    rules.add_argument("--bots", choices=(*include, "only"), default="exclude", help="rank bots (default: exclude)")
    rules.add_argument(
        "--bots-file",
        metavar="FILE",
        help="further bots, one e-mail address or login per line; prefix ! for one that is not a bot",
    )
    rules.add_argument(
        "--co-authors", choices=include, default="exclude", help="credit co-authors too (default: exclude)"
    )


def _add_people(rank: argparse.ArgumentParser) -> None:
    people = rank.add_argument_group("who is one person")
    people.add_argument("--mailmap", choices=("use", "ignore"), default="use", help="apply mailmaps (default: use)")
    people.add_argument(
        "--mailmap-file",
        metavar="FILE",
        action="append",
        default=[],
        help="a mailmap of your own, applied after the repository's; may be given several times: if two differ, the "
        "last one wins",
    )
    people.add_argument(
        "--names", choices=("join", "apart"), default="join", help="join rows of one full name (default: join)"
    )
    people.add_argument(
        "--no-identities",
        action="store_true",
        help="do not look up identities, the accounts behind e-mail addresses, and join no rows by account",
    )


def _add_output(rank: argparse.ArgumentParser) -> None:
    shown = rank.add_argument_group("output")
    shown.add_argument(
        "-n", "--top", type=_top, metavar="N|all", help="number of rows (default: 20 in a table or Markdown, else all)"
    )
    shown.add_argument(
        "--roles", action="store_true", help="show how often trailers such as Reviewed-by name each person"
    )
    formats = shown.add_mutually_exclusive_group()
    formats.add_argument(
        "--format",
        choices=("table", "json", "csv", "markdown"),
        default="table",
        help="format of standard output (default: table)",
    )
    formats.add_argument("--json", dest="format", action="store_const", const="json", help="the same as --format json")
    shown.add_argument(
        "-o",
        "--output",
        type=_output,
        metavar="FILE",
        action="append",
        default=[],
        help="also write a file, by its extension: .csv or .json (all rows), .md (Markdown, 20 rows) or .svg (a card "
        "of 12 people), unless --top is given; may be given several times",
    )
    shown.add_argument(
        "--sort",
        choices=SORT_COLUMNS,
        metavar="COLUMN",
        help=f"order rows by {', '.join(SORT_COLUMNS[:-1])} or {SORT_COLUMNS[-1]} (default: commits); the last seven "
        "imply --roles; numbers: highest first, last commits: newest first, first commits: oldest first, text: A to Z; "
        "ranks stay those of commits",
    )
    shown.add_argument("-r", "--reverse", action="store_true", help="reverse the order of --sort")
    shown.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="show no progress and no notes on standard error, only errors; with --output, print no board",
    )


def _add_list(commands: Any) -> None:
    summary = "show what was ranked on this machine, and where the data is"
    listing = _add(commands, "list", "commands.list_command:run", summary)
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.add_argument(
        "-n", "--top", type=_top, metavar="N|all", help="number of rows, the latest first (default: 100, all in JSON)"
    )


def _add_completion(commands: Any) -> None:
    summary = "print a script that completes commands and options in a shell"
    completion = _add(commands, "completion", "commands.completion_command:run", summary, usage="SHELL")
    completion.add_argument(
        "shell", metavar="SHELL", choices=("bash", "zsh", "fish"), help="the shell that reads it: bash, zsh or fish"
    )


def _add_serve(commands: Any) -> None:
    serve = _add(
        commands,
        "serve",
        "commands.serve_command:run",
        "serve the API and the page",
        more="Without REDIS_URL this process also counts commits and finds accounts, as `podium worker all` does.\n"
        f"It needs {_SERVER_PACKAGES}.",
    )
    serve.add_argument("--host", help="address to listen on (default: PODIUM_HOST, or 127.0.0.1)")
    serve.add_argument("--port", type=_port, help="port to listen on (default: PORT, or 3000)")
    serve.add_argument(
        "--workers", action="store_true", help="count commits and find accounts in this process even with REDIS_URL"
    )
    serve.add_argument(
        "--processes",
        type=_positive,
        metavar="N",
        help="API processes that share the port (default: 1; more need PostgreSQL and Redis)",
    )
    _add_reload(serve)


def _add_worker(commands: Any) -> None:
    worker = _add(
        commands,
        "worker",
        "commands.worker_command:run",
        "run processes that count and find accounts (needs Redis)",
        usage="KIND [OPTIONS]",
        more=f"It needs REDIS_URL and {_SERVER_PACKAGES}.",
    )
    worker.add_argument(
        "kind",
        metavar="KIND",
        choices=_KINDS,
        help="commits: clone and count; users: find accounts; all: both, in one process",
    )
    worker.add_argument(
        "--processes",
        type=_positive,
        metavar="N",
        help="number of processes (default: PODIUM_COMMIT_WORKERS for commits, else 1)",
    )
    worker.add_argument(
        "--threads",
        type=_positive,
        metavar="N",
        help="jobs of each kind at a time per process (default: for users PODIUM_USER_WORKERS, for commits 1, or "
        "PODIUM_COMMIT_WORKERS with all)",
    )
    worker.add_argument(
        "--drain",
        action="store_true",
        help="exit when nothing is left to do, with 1 if a repository failed or cannot be counted here",
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
    summary = "show the queues, retry, drop or move repositories, pause and limit hosts"
    queue = _add(commands, "queue", "commands.queue_command:show", summary, usage="[ACTION] [OPTIONS]")
    queue.add_argument("--json", action="store_true", help="print JSON; with --watch one document per line")
    queue.add_argument(
        "--watch", type=_interval, nargs="?", const=2.0, metavar="SECONDS", help="repeat every SECONDS (default: 2)"
    )
    actions = queue.add_subparsers(metavar="ACTION", parser_class=Parser, prog="podium queue")
    queue._positionals.title = "actions"
    _add_repository_actions(actions)
    _add_name_decisions(actions)
    _add_pauses(actions)
    _add_limit(actions)
    _add_moves(actions)


def _add_repository_actions(actions: Any) -> None:
    retry = _add(
        actions, "retry", "commands.queue_command:retry", "try failed repositories again now", usage="[ID ...]"
    )
    retry.add_argument(
        "ids",
        metavar="ID",
        nargs="*",
        type=_repository_id,
        help="id of a repository that failed or waits for its next try (default: all that failed)",
    )
    drop = _add(
        actions,
        "drop",
        "commands.queue_command:drop",
        "take a repository out of the queue; it becomes failed",
        usage="ID",
    )
    drop.add_argument("id", metavar="ID", type=_repository_id, help="repository id")
    every = _add(
        actions,
        "check-every",
        "commands.queue_command:check_every",
        "set how often a repository is checked for new commits",
        usage="ID SECONDS|default",
    )
    every.add_argument("id", metavar="ID", type=_repository_id, help="repository id")
    every.add_argument(
        "seconds", metavar="SECONDS", type=_refresh_interval, help="0: never; default: as the settings say"
    )


def _add_name_decisions(actions: Any) -> None:
    """What becomes of a board whose name another repository has."""
    keep = _add(
        actions,
        "keep",
        "commands.queue_command:keep",
        "keep a board whose name another repository has taken",
        usage="ID",
    )
    keep.add_argument("id", metavar="ID", type=_repository_id, help="repository id")
    start_over = _add(
        actions,
        "start-over",
        "commands.queue_command:start_over",
        "delete such a board and count the repository that now has its name",
        usage="ID",
    )
    start_over.add_argument("id", metavar="ID", type=_repository_id, help="repository id")


def _add_pauses(actions: Any) -> None:
    for action, summary, more in (
        (
            "pause",
            "pause the schedule, a host or a repository",
            "While the schedule or a repository is paused, its boards are refreshed only for people who ask for it.\n"
            "While a host is paused, nothing of it is counted or checked, and what people submit waits.\n"
            "Running counts finish.",
        ),
        ("resume", "end a pause", "What waited for a host follows within five minutes, one repository after another."),
    ):
        control = _add(
            actions,
            action,
            f"commands.queue_command:{action}",
            summary,
            usage="WHAT [NAME]",
            more=more,
        )
        control.add_argument("kind", metavar="WHAT", help="schedule, host or repository")
        control.add_argument(
            "name", metavar="NAME", nargs="?", default="", help="a host, or a repository's address or id"
        )


def _add_limit(actions: Any) -> None:
    limit = _add(
        actions,
        "limit",
        "commands.queue_command:limit",
        "set how many repositories of a host are counted at once",
        usage="HOST NUMBER",
    )
    limit.add_argument("host", metavar="HOST", help="a git host, such as github.com")
    limit.add_argument(
        "number",
        metavar="NUMBER",
        type=_limit_of_host,
        help="maximum at once; 0: unlimited; default: as PODIUM_COUNTS_PER_HOST says",
    )


def _add_moves(actions: Any) -> None:
    for action, summary in (
        ("first", "count a repository next"),
        ("last", "move a repository to the end of the queue"),
    ):
        move = _add(actions, action, f"commands.queue_command:{action}", summary, usage="ID")
        move.add_argument("id", metavar="ID", type=_repository_id, help="id of a repository that waits to be counted")


def _add_forget(commands: Any) -> None:
    forget = _add(
        commands,
        "forget",
        "commands.forget_command:run",
        "delete a repository's board and clone, or forget a person",
        usage="[REPOSITORY] [OPTIONS]",
        more="Forgetting a repository deletes its rows, the boards of its branches and tags, its clone on this\n"
        "machine and the pictures that no other board needs. A forgotten person is on no board until --undo,\n"
        "even after a new count.",
    )
    forget.add_argument(
        "repository", metavar="REPOSITORY", nargs="?", help="a path, owner/name at GitHub, any git URL, or an id"
    )
    forget.add_argument(
        "--person",
        metavar="LOGIN|EMAIL",
        help="a person instead of a repository; - reads it from standard input, so that no list of processes shows it",
    )
    forget.add_argument("--undo", action="store_true", help="with --person: show the person again, after a new count")
    forget.add_argument("--rev", metavar="REV", action=Once, help="only the board of this revision")
    forget.add_argument("--block", action="store_true", help="refuse the repository from now on")


def _add_block(commands: Any) -> None:
    block = _add(
        commands,
        "block",
        "commands.block_command:show",
        "show, add and remove what is refused",
        usage="ACTION",
        more="A blocked repository, owner or address is refused when it is submitted; boards stay until they are "
        "forgotten.",
    )
    actions = block.add_subparsers(metavar="ACTION", parser_class=Parser, prog="podium block", required=True)
    block._positionals.title = "actions"
    listing = _add(actions, "list", "commands.block_command:show", "show what is blocked")
    listing.add_argument("--json", action="store_true", help="print JSON")
    add = _add(
        actions,
        "add",
        "commands.block_command:add",
        "refuse a repository, an owner or an address",
        usage="KIND VALUE [OPTIONS]",
    )
    remove = _add(actions, "remove", "commands.block_command:remove", "remove a block", usage="KIND VALUE")
    for action in (add, remove):
        action.add_argument("kind", metavar="KIND", choices=BLOCKS, help=f"{', '.join(BLOCKS[:-1])} or {BLOCKS[-1]}")
        action.add_argument(
            "value",
            metavar="VALUE",
            help="a repository's address; owner at GitHub or host/owner; a host, or the beginning of a URL",
        )
    add.add_argument("--reason", metavar="TEXT", help="shown to clients who submit it")


def _add_doctor(commands: Any) -> None:
    summary = "check everything that Podium needs, and say what to do"
    doctor = _add(commands, "doctor", "doctor:run", summary, more="It exits with 1 if it finds a problem.")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.add_argument(
        "--wait",
        type=_interval,
        metavar="SECONDS",
        help="seconds that the checks may take (default: as many as let the answer come within five)",
    )
    doctor.add_argument("--offline", action="store_true", help="do not ask GitHub about tokens and limits")


def _add_migrate(commands: Any) -> None:
    summary = "migrate to the database revision that this Podium needs"
    migrate = _add(commands, "migrate", "commands.migrate_command:run", summary)
    migrate.add_argument(
        "--to",
        metavar="REVISION",
        default="head",
        help="database revision to migrate to, up or down (default: head)",
    )
    migrate.add_argument("--check", action="store_true", help="only compare the tables with those of this Podium")


def _add_backup(commands: Any) -> None:
    backup = _add(
        commands,
        "backup",
        "commands.backup_command:backup",
        "save the database in one file, while Podium runs or not",
        usage="FILE [OPTIONS]",
        more="The file has e-mail addresses and the keys of what was forgotten: only its owner may read it.",
    )
    backup.add_argument("file", metavar="FILE", help="the file to write; - for standard output")
    backup.add_argument("--force", action="store_true", help="replace an existing file")


def _add_restore(commands: Any) -> None:
    restore = _add(
        commands,
        "restore",
        "commands.backup_command:restore",
        "fill the database from a backup, SQLite or PostgreSQL",
        usage="FILE [OPTIONS]",
        more="Stop the server and all workers first. Restoring takes all of the file, or nothing.",
    )
    restore.add_argument("file", metavar="FILE", help="the file of `podium backup`; - for standard input")
    restore.add_argument("--force", action="store_true", help="replace what the database has; its blocks stay")


def _add_copy(commands: Any) -> None:
    copy = _add(
        commands,
        "copy",
        "commands.backup_command:copy",
        "copy the database to the one that PODIUM_COPY_TO names",
        more="Either may be SQLite or PostgreSQL. Stop the server and all workers first: what they save meanwhile is\n"
        "not copied.",
    )
    copy.add_argument("--force", action="store_true", help="replace what the other database has; its blocks stay")


def _add_schema(commands: Any) -> None:
    _add(commands, "schema", "commands.schema_command:run", "print the JSON Schema of a board's JSON", usage="")


# By name, in the order of the help.
COMMANDS: dict[str, Callable[[Any], None]] = {
    "rank": _add_rank,
    "list": _add_list,
    "serve": _add_serve,
    "worker": _add_worker,
    "queue": _add_queue,
    "forget": _add_forget,
    "block": _add_block,
    "doctor": _add_doctor,
    "migrate": _add_migrate,
    "backup": _add_backup,
    "restore": _add_restore,
    "copy": _add_copy,
    "schema": _add_schema,
    "completion": _add_completion,
}
# Processes that Podium starts itself, and the command that starts them. No help, completion or suggestion names them.
CHILD_COMMANDS = {"_count": "serve", "_serve": "serve", "_work": "worker"}


def _child_parser() -> argparse.ArgumentParser:
    podium = Parser(prog="podium")
    commands = podium.add_subparsers(required=True, parser_class=Parser)
    count = commands.add_parser("_count")
    count.set_defaults(func="commands.count_command:run")
    serve = commands.add_parser("_serve")
    serve.set_defaults(func="commands.serve_command:run_process")
    serve.add_argument("host")
    serve.add_argument("processes", type=_positive)
    serve.add_argument("listeners", type=_positive, nargs="+")
    work = commands.add_parser("_work")
    work.set_defaults(func="commands.worker_command:run_process")
    work.add_argument("kind", choices=_KINDS)
    work.add_argument("--threads", type=_positive)
    work.add_argument("--drain", action="store_true")
    return podium


def _top(text: str) -> int:
    number = ALL if text == "all" else whole_number(text, least=1)
    if number is None:
        from podium.cli.help.mistakes import of_shortlog

        raise argparse.ArgumentTypeError(f"{text[:40]!r} is neither a number above 0 nor 'all'{of_shortlog(text)}")
    return number


def _date(text: str) -> str:
    from podium.leaderboard.dates import first_day
    from podium.timeutil import current_day

    try:
        first_day(text, current_day())
    except BadRule as error:
        raise argparse.ArgumentTypeError(error.message) from None
    return text


def _output(text: str) -> str:
    from podium.cli.rank.output_files import FORMATS, format_of

    if text == "-":
        raise argparse.ArgumentTypeError("standard output has no extension: choose its format with --format")
    if format_of(text) is None:
        known = ", ".join(FORMATS)
        raise argparse.ArgumentTypeError(f"the extension of {text[-60:]!r} names no format: use one of {known}")
    return text


def _positive(text: str) -> int:
    number = whole_number(text, least=1, most=1000)
    if number is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number from 1 to 1000")
    return number


def _port(text: str) -> int:
    number = whole_number(text, most=65535)
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


def _refresh_interval(text: str) -> float | None:
    if text.lower() == "default":
        return None
    seconds = whole_number(text, most=MOST_REFRESH_INTERVAL)
    if seconds is None:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is neither `default` nor a number of seconds from 0 to {MOST_REFRESH_INTERVAL}"
        )
    return float(seconds)


def _limit_of_host(text: str) -> int | None:
    if text == "default":
        return None
    number = whole_number(text)
    if number is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number, 0 for any number, or `default`")
    return number


def _repository_id(text: str) -> int:
    number = whole_number(text.removeprefix("#"))
    if number is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a repository id: `podium queue` shows them")
    return number
