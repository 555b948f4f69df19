"""``podium forget``: delete a repository."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Mapping
from pathlib import Path

from podium.app import factories
from podium.app.operations import Installation, installation
from podium.audit import audit_log
from podium.cli import output
from podium.errors import HistoryError, NotFound
from podium.forgetting.forget_repository import forget_repository
from podium.repositories.address import Address, parse_address, path_address
from podium.repositories.model import Repository
from podium.repositories.store import queries
from podium.settings import Settings
from podium.storage.session import Session
from podium.textutil.plural import plural
from podium.textutil.sanitize import clean


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Forget a repository.

    Raises:
        BadAddress, NotFound: it is no address, or was never counted.
        StorageError: the database cannot be written.
    """
    settings = Settings.from_environment(environment)
    with installation(settings) as installed:
        with installed.db.read() as session:
            repository = _find(session, options, settings, environment)
        found = forget_repository(
            installed.db,
            repository.id,
            actor=audit_log.command_line(),
            kept=factories.kept_on_disk(settings),
            is_blocked=options.block and bool(repository.host),
        )
        _forget_messages(installed, found)
    others = f", with {plural(len(found) - 1, 'branch or tag', 'branches and tags')}" if len(found) > 1 else ""
    blocked = " It is refused from now on." if options.block and repository.host else ""
    output.write(f"{clean(repository.url)} is forgotten{others}.{blocked}\n")
    return 0


def _forget_messages(installed: Installation, found: list[Repository]) -> None:
    if installed.queues and found:
        installed.queues.forget_dead({repository.id for repository in found})


def _find(
    session: Session, options: argparse.Namespace, settings: Settings, environment: Mapping[str, str]
) -> Repository:
    text: str = options.repository
    repository = None
    if text.startswith("#") and text[1:].isdecimal() and len(text) < 20:
        repository = queries.by_id(session, int(text[1:]))
    else:
        for address in _addresses(text, settings, environment):
            key = (address.at_revision(options.rev) if options.rev else address).key
            repository = repository or queries.by_key(session, key)
    if repository is None:
        raise NotFound(f"No board of {text[:200]} is here: `podium list` shows all.")
    return repository


def _addresses(text: str, settings: Settings, environment: Mapping[str, str]) -> list[Address]:
    """What ``text`` may mean: an existing path wins; a path that was deleted may still have a board."""
    with contextlib.suppress(OSError, ValueError):
        path = Path(text).expanduser()
        if path.exists():
            with contextlib.suppress(HistoryError):
                return [path_address(factories.path_source(environment, path).repository.path)]
            return [path_address(path.absolute())]
        if path.is_absolute():
            return [path_address(path), path_address(path / ".git")]
    return [parse_address(text, settings.github_server_url)]
