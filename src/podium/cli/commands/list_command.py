"""``podium list``: what was ranked on this machine, and where the data is stored."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from podium.app import factories
from podium.app.operations import installation
from podium.cli import output
from podium.cli.arguments import ALL
from podium.clones.mirrors import mirror_path
from podium.git.limits import bytes_on_disk
from podium.repositories.model import Repository, State
from podium.repositories.store import queries
from podium.repositories.store.queue import leases
from podium.settings import Settings
from podium.textutil.sanitize import clean, escape_json
from podium.textutil.size import size
from podium.textutil.table import text_table
from podium.timeutil import iso_time, readable_time

# Rows of a table, unless the user asks for another number.
_ROWS = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Data:
    """Where the data is stored, and its bytes; None: on another machine."""

    folder: Path
    database: str
    database_bytes: int | None
    clones_bytes: int


@dataclasses.dataclass(frozen=True, slots=True)
class Listed:
    """One line.

    clone_bytes: of the clone in the data folder, which all revisions of an address share; None: there is none.
    is_interrupted: whether it is unfinished and no process will continue.
    """

    repository: Repository
    clone_bytes: int | None
    is_interrupted: bool

    @property
    def path(self) -> str | None:
        """The folder of a repository on this machine; None for an address."""
        if self.repository.host:
            return None
        key = self.repository.parent_key or self.repository.key
        return _utf8(unquote_to_bytes(urlsplit(key).path)).removesuffix("/.git")

    @property
    def url(self) -> str:
        return self.repository.url.partition("#")[0] if self.repository.revision else self.repository.url


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print the list; a list without rows is not an error.

    Raises:
        StorageError: the database cannot be read.
    """
    settings = Settings.from_environment(environment)
    limit = options.top or (ALL if options.json else _ROWS)
    repositories: list[Repository] = []
    total = 0
    working: set[int] = set()
    has_workers = False
    if settings.uses_postgres or settings.sqlite_path().exists():
        with installation(settings) as installed:
            has_workers = installed.inspector.has_workers()
            with installed.db.read() as session:
                repositories = queries.latest(session, limit=min(limit, 2**31))
                total = queries.count_all(session)
                working = leases.in_progress(session)
    folder = factories.mirror_folder(settings)
    listed = [
        Listed(
            each,
            _clone_bytes(folder, each),
            # Workers continue with addresses only.
            each.state.is_unfinished and each.id not in working and not (has_workers and each.host),
        )
        for each in repositories
    ]
    data = _data(settings, folder)
    output.write(_json(listed, data, total) if options.json else _text(listed, data, total))
    return 0


def _clone_bytes(folder: Path, repository: Repository) -> int | None:
    if not repository.host:
        return None
    key = repository.parent_key or repository.key
    path = mirror_path(folder, repository.host, repository.owner, repository.name, key)
    return bytes_on_disk(path) if path.exists() else None


def _data(settings: Settings, mirrors: Path) -> Data:
    if settings.uses_postgres:
        from podium.storage.postgresql.postgres import read_url

        database, in_bytes = f"PostgreSQL, {read_url(settings.database_url)[1]}", None
    else:
        path = settings.sqlite_path()
        files = [path.with_name(path.name + end) for end in ("", "-wal")]
        database, in_bytes = _utf8(os.fsencode(path)), sum(file.stat().st_size for file in files if file.exists())
    return Data(settings.data_folder(), database, in_bytes, bytes_on_disk(mirrors))


def _json(listed: Sequence[Listed], data: Data, total: int) -> str:
    document: dict[str, Any] = {
        "dataFolder": _utf8(os.fsencode(data.folder)),
        "database": data.database,
        "databaseBytes": data.database_bytes,
        "clonesBytes": data.clones_bytes,
        "total": total,
        "repositories": [_entry(each) for each in listed],
    }
    return escape_json(json.dumps(document, indent=2, ensure_ascii=False)) + "\n"


def _entry(each: Listed) -> dict[str, Any]:
    repository = each.repository
    return {
        "id": repository.id,
        "url": each.url if repository.host else None,
        "path": each.path,
        "revision": repository.revision,
        "state": repository.state,
        "rankedAt": iso_time(repository.commits_processed_at),
        "head": repository.head,
        "branch": repository.branch,
        "totalCommits": repository.total_commits,
        "uniqueContributors": repository.unique_contributors,
        "cloneBytes": each.clone_bytes,
        "error": repository.error,
    }


def _text(listed: Sequence[Listed], data: Data, total: int) -> str:
    blocks = [_table(listed)] if listed else []
    if not listed:
        blocks += ["Nothing was ranked here yet. Rank a repository: `podium rank .`, or `podium rank owner/name`."]
    failed = [each for each in listed if each.repository.state == State.FAILED]
    if failed:
        blocks += ["\n".join(f"{_named(each)} failed: {clean(each.repository.error or '')}" for each in failed)]
    if len(listed) < total:
        blocks += [f"The latest {len(listed):,} of {total:,}: `podium list -n all` shows all."]
    blocks += ["\n".join(_where(data))]
    return "\n\n".join(blocks) + "\n"


def _table(listed: Sequence[Listed]) -> str:
    heads = ["Repository", "Revision", "State", "Ranked (UTC)", "Commits", "E-mails", "Clone"]
    rows = [
        [
            _named(each),
            clean(each.repository.revision or ""),
            "interrupted" if each.is_interrupted else each.repository.state.words,
            readable_time(each.repository.commits_processed_at or 0)[:16] if each.repository.has_board else "",
            _number(each.repository.total_commits),
            _number(each.repository.unique_contributors),
            "" if each.clone_bytes is None else size(each.clone_bytes),
        ]
        for each in listed
    ]
    kept = [column for column in range(len(heads)) if any(row[column] for row in rows)]
    right = [place for place, column in enumerate(kept) if column >= 4]
    return text_table([heads[column] for column in kept], [[row[column] for column in kept] for row in rows], right)


def _named(each: Listed) -> str:
    return clean(each.path or each.url)


def _utf8(path: bytes) -> str:
    return path.decode(errors="replace")


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _where(data: Data) -> list[str]:
    folder = clean(_utf8(os.fsencode(data.folder)))
    there = f"clones {size(data.clones_bytes)}" if data.folder.exists() else "not made yet"
    lines = [f"Data folder: {folder} ({there})"]
    known = "" if not data.database_bytes else f" ({size(data.database_bytes)})"
    return [*lines, f"Database: {clean(data.database)}{known}"]
