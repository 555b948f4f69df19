"""``podium forget``: delete a repository, or forget a person."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from podium.app import factories
from podium.app.operations import Installation, installation
from podium.audit import audit_log
from podium.cli import output
from podium.errors import BadRule, HistoryError, NotFound
from podium.forgetting.forget_person import forget_person, remember_person, sweep
from podium.forgetting.forget_repository import forget_repository
from podium.repositories.address import Address, parse_address, path_address, revision_key
from podium.repositories.model import Repository
from podium.repositories.store import queries
from podium.repositories.store.freshness import names
from podium.settings import Settings
from podium.storage.session import Session
from podium.textutil.plural import plural
from podium.textutil.sanitize import clean
from podium.textutil.whole_number import whole_number


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Forget a repository or a person.

    Raises:
        BadRule: neither or both are given, the revision is empty, or it is both an id and a path here.
        BadAddress, NotFound: it is not an address, or was never counted.
        StorageError: the database cannot be written.
    """
    settings = Settings.from_environment(environment)
    if (options.repository is None) == (options.person is None):
        raise BadRule("Give a repository, or a person with --person.")
    if options.person is not None:
        return _forget_person(options, settings)
    if options.undo:
        raise BadRule("--undo is for people: submit the repository again.")
    if options.rev == "":
        # Such as that of an unset variable.
        raise BadRule("--rev: it is empty: name a revision, or leave it out to forget the repository with all of them.")
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


def _forget_person(options: argparse.Namespace, settings: Settings) -> int:
    if options.block or options.rev is not None:
        raise BadRule("--block and --rev are for repositories: a forgotten person stays away anyway.")
    text = sys.stdin.readline() if options.person == "-" else options.person
    actor, host = audit_log.command_line(), factories.github_host(settings)
    with installation(settings) as installed:
        if options.undo:
            boards = remember_person(installed.db, text, github_host=host, actor=actor)
            again = plural(boards, "board is", "boards are")
            output.write(f"This person may be shown again. {again} counted again, one after another, by a worker.\n")
            return 0
        kept = factories.kept_on_disk(settings)
        found = forget_person(installed.db, text, github_host=host, actor=actor, kept=kept)
        sweep(installed.db, host)
    output.write(f"This person is forgotten, and appears in logs as {found.person}.\n")
    return 0


def _forget_messages(installed: Installation, found: list[Repository]) -> None:
    if installed.queues and found:
        installed.queues.forget_dead({repository.id for repository in found})


def _find(
    session: Session, options: argparse.Namespace, settings: Settings, environment: Mapping[str, str]
) -> Repository:
    text: str = options.repository
    repository = None
    number = _id(text)
    if number is not None:
        repository = queries.by_id(session, number)
        if repository is not None and options.rev:
            repository = queries.by_key(session, revision_key(repository.repository_key, options.rev))
    else:
        for address in _addresses(text, settings, environment):
            key = (address.at_revision(options.rev) if options.rev else address).key
            repository = repository or queries.by_key(session, key)
            if repository is None and (present := names.present_key(session, key)) != key:
                repository = queries.by_key(session, present)
    if repository is None:
        revision = f" at {options.rev[:200]}" if options.rev else ""
        raise NotFound(f"No board of {text[:200]}{revision} is here: `podium list` shows all.")
    return repository


def _id(text: str) -> int | None:
    """The id in ``7`` or ``#7``; None: it is an address or a path."""
    digits = text.removeprefix("#")
    number = whole_number(digits)
    if number is None:
        return None
    if digits == text and Path(text).exists():
        raise BadRule(f"{text} is a path here, and may be the id of a repository: write ./{text} or '#{text}'.")
    return number


def _addresses(text: str, settings: Settings, environment: Mapping[str, str]) -> list[Address]:
    """What ``text`` may mean: an existing path wins; a path that was deleted may still have a board."""
    # An empty path would be the current folder.
    if text:
        with contextlib.suppress(OSError, ValueError):
            path = Path(text).expanduser()
            if path.exists():
                with contextlib.suppress(HistoryError):
                    return [path_address(factories.path_source(environment, path).repository.path)]
                return [path_address(path.absolute())]
            if path.is_absolute() or text.startswith(("./", "../")):
                path = Path(os.path.realpath(path))
                return [path_address(path), path_address(path / ".git")]
    return [parse_address(text, settings.github_server_url)]
