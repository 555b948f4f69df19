"""``podium rank``. For a path, git begins to walk the commits before most of Podium is imported."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections.abc import Mapping
from pathlib import Path

from podium.cli import output
from podium.cli.arguments import ALL
from podium.clones.path_source import PathSource
from podium.git.command import Git


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Rank the repository that the options name and print its board; return the exit code."""
    path = _path(options.source)
    with contextlib.ExitStack() as stack:
        local = None
        if options.source and _exists(path):
            local = PathSource(Git.for_person(environment), path, options.rev, begin=True)
            stack.callback(local.close)
        board = _rank(options, environment, local)
    if options.format != "table" and isinstance(sys.stdout, io.TextIOWrapper):
        # A file's encoding does not depend on the terminal (RFC 8259: JSON is UTF-8).
        sys.stdout.reconfigure(encoding="utf-8")
    output.write(board)
    return 0


def _rank(options: argparse.Namespace, environment: Mapping[str, str], local: PathSource | None) -> str:
    # git walks meanwhile.
    from podium.cli.local_rank import Request, rank
    from podium.leaderboard.rules import Rules

    rules = Rules.parse(
        merges=options.merges,
        bots=options.bots,
        co_authors=options.co_authors,
        mailmap=options.mailmap,
        names=options.names,
        new="only" if options.new else "any",
        since=options.since,
        until=options.until,
        identities=not options.no_identities,
    )
    bots_files = (Path(options.bots_file),) if options.bots_file else ()
    # A table is read, other formats are kept.
    top = options.top or (20 if options.format in ("table", "markdown") else ALL)
    top = None if top == ALL else top
    return rank(
        environment,
        Request(
            source=options.source,
            local=local,
            rev=options.rev,
            rules=rules,
            top=top,
            format=options.format,
            bots_files=bots_files,
            mailmap_files=tuple(options.mailmap_file),
            roles=options.roles,
            quiet=options.quiet,
        ),
    )


def _path(source: str) -> Path:
    path = Path(source.removeprefix("file://"))
    try:
        return path.expanduser()
    except RuntimeError:
        # There is no such user.
        return path


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
