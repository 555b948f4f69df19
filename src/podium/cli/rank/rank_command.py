"""``podium rank``. For a path, git begins to walk the commits before most of Podium is imported."""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from podium.cli import output
from podium.cli.arguments import ALL, SORT_COLUMNS
from podium.cli.rank.source_path import local_path
from podium.clones.path_source import PathSource
from podium.errors import BadRule, HistoryError
from podium.git.command import Git
from podium.leaderboard.role_names import ROLE_NAMES

if TYPE_CHECKING:
    from podium.leaderboard.board import Document

# Rows of a table, unless the user asks for another number.
_FEW = 20
# The collector took a tenth of a short process' time and found little.
_MANY_OBJECTS = 200_000


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Rank the repository that the options name, write its board, and return the exit code."""
    if options.mailmap_file and options.mailmap == "ignore":
        raise BadRule("--mailmap ignore applies no mailmap, not even those of --mailmap-file: leave one out.")
    gc.set_threshold(_MANY_OBJECTS)
    files = [Path(file) for file in options.output]
    if files:
        from podium.cli.rank.output_files import check_writable

        for file in files:
            check_writable(file)
    path = local_path(options.source)
    git = Git.for_person(environment)
    try:
        with contextlib.ExitStack() as stack:
            local = None
            if path is not None:
                local = PathSource(git, path, options.rev, begin=True, base_people=options.new)
                stack.callback(local.close)
            board = _rank(options, environment, local)
    except HistoryError as error:
        from podium.cli.rank.rank_faults import explained

        raise explained(error, git, environment, path) from error
    for file in files:
        _write_file(file, board, options)
    if not (files and options.quiet):
        _print(board, options)
    # The collection at the end of the process took as long as loading a third of Podium.
    gc.freeze()
    return 0


def _rank(options: argparse.Namespace, environment: Mapping[str, str], local: PathSource | None) -> Document:
    # git walks meanwhile.
    from podium.cli.rank.local_rank import Request, rank
    from podium.leaderboard.rules import Rules

    # An address with a range is refused later, with the reason.
    is_bounded = local.is_range if local is not None else ".." in (options.rev or "")
    if options.new and not (options.since or options.until or is_bounded):
        raise BadRule("--new needs --since, --until or a range --rev A..B.")
    rules = Rules.parse(
        merges=options.merges,
        bots=options.bots,
        co_authors=options.co_authors,
        mailmap=options.mailmap,
        names=options.names,
        new="only" if options.new else "any",
        is_bounded=is_bounded,
        since=options.since,
        until=options.until,
        identities=not options.no_identities,
    )
    return rank(
        environment,
        Request(
            source=options.source,
            local=local,
            rev=options.rev,
            rules=rules,
            top=_rows_to_read(options),
            bots_files=(Path(options.bots_file),) if options.bots_file else (),
            mailmap_files=tuple(options.mailmap_file),
            roles=_with_roles(options),
            quiet=options.quiet,
        ),
    )


def _rows_to_read(options: argparse.Namespace) -> int | None:
    rows = [_rows(options, options.format)]
    if options.output:
        from podium.cli.rank.output_files import format_of

        rows += [_rows(options, format_of(file) or "") for file in options.output]
    # What comes first in another order may have any rank.
    return None if _is_sorted(options) or None in rows else max(number or 0 for number in rows)


def _rows(options: argparse.Namespace, format: str) -> int | None:
    """How many rows to show; None for all."""
    # A table is read, other formats are kept.
    top = options.top or (_FEW if format in ("table", "markdown") else ALL)
    return None if top == ALL else top


def _is_sorted(options: argparse.Namespace) -> bool:
    return options.sort is not None or options.reverse


def _with_roles(options: argparse.Namespace) -> bool:
    return options.roles or options.sort in SORT_COLUMNS[-len(ROLE_NAMES) :]


def _write_file(file: Path, board: Document, options: argparse.Namespace) -> None:
    from podium.cli.rank.output_files import format_of, write
    from podium.leaderboard.export.formats import render

    format = format_of(str(file)) or ""
    write(file, render(_shown(board, options, format), format, roles=_with_roles(options), bom=True))


def _print(board: Document, options: argparse.Namespace) -> None:
    from podium.leaderboard.export.formats import render

    # Lines are not cut in a file or a pipe.
    width = shutil.get_terminal_size().columns if sys.stdout and sys.stdout.isatty() else None
    text = render(_shown(board, options, options.format), options.format, width=width, roles=_with_roles(options))
    if options.format != "table" and isinstance(sys.stdout, io.TextIOWrapper):
        # A file's encoding does not depend on the terminal (RFC 8259: JSON is UTF-8).
        sys.stdout.reconfigure(encoding="utf-8")
    output.write(text)


def _shown(board: Document, options: argparse.Namespace, format: str) -> Document:
    """The rows of ``board`` in the order and number for one format."""
    # A card shows who is first, with medals.
    if _is_sorted(options) and format != "svg":
        from podium.leaderboard.export.sorted_rows import sorted_rows

        board = sorted_rows(board, options.sort or "commits", reverse=options.reverse)
    rows = _rows(options, format)
    return board | {"limit": rows, "top_contributors": board["top_contributors"][:rows]}
