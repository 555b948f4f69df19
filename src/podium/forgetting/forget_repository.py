"""Forget a repository: its rows, its mirror, and pictures that no other board needs."""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Callable, Collection, Iterator

from podium.audit import audit_log
from podium.blocks import block_list
from podium.blocks.block_list import BlockKind
from podium.repositories.model import Repository
from podium.repositories.store.deletion import removal
from podium.storage.session import Database, Session
from podium.storage.transactions.steps import Step, run_steps


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """What this machine keeps outside of the database.

    discard_mirror: deletes the mirror of a repository, unless a process uses it.
    drop_pictures: deletes cached pictures by their addresses.
    """

    discard_mirror: Callable[[Repository], None]
    drop_pictures: Callable[[Collection[str]], None]


NOTHING_KEPT = Kept(lambda _: None, lambda _: None)


def forget_repository(
    db: Database,
    repository_id: int,
    *,
    actor: str,
    kept: Kept = NOTHING_KEPT,
    is_blocked: bool = False,
    steps: int | None = None,
) -> list[Repository]:
    """Forget a repository with its branches and tags, or one branch or tag.

    From the first transaction on no reader finds it. Where the rest is interrupted, :func:`remove_marked` continues.

    Args:
        actor: of :func:`podium.audit.audit_log.record`.
        is_blocked: refuse it from now on.
        steps: transactions for which the caller waits; None: until all rows are deleted.

    Returns:
        What was forgotten; empty if there is no such repository.

    Raises:
        StorageError: the database did not answer.
    """
    with db.write() as session:
        found = mark_repository(session, repository_id, actor=actor, is_blocked=is_blocked)
    if found:
        remove_rows(db, [repository.id for repository in found], kept, most=steps)
        discard_mirrors(found, kept)
    return found


def mark_repository(
    session: Session, repository_id: int, *, actor: str, is_blocked: bool = False, act: str = "forget"
) -> list[Repository]:
    """Take it away from readers and workers; return what was taken."""
    found = removal.lock_family(session, repository_id)
    for repository in found[:1]:
        if is_blocked and repository.host:
            # Its former names are forgotten with it.
            block_list.add(session, BlockKind.REPOSITORY, block_list.folded(repository.repository_key))
    for repository in found:
        removal.mark(session, repository)
    for repository in found[:1]:
        audit_log.record(session, actor, act, repository.url, "and blocked" if is_blocked else None)
    return found


def remove_marked(db: Database, kept: Kept = NOTHING_KEPT, *, steps: int) -> bool:
    """Continue to delete, in at most ``steps`` transactions. Return whether there may be more."""
    with db.read() as session:
        numbers = removal.marked(session, limit=steps)
    if not numbers:
        return False
    return remove_rows(db, numbers, kept, most=steps)


def remove_rows(db: Database, numbers: Collection[int], kept: Kept, *, most: int | None = None) -> bool:
    """Delete the rows of marked repositories in bounded transactions; return whether ``most`` were too few."""
    left = most
    is_more = True
    pictures: list[str] = []

    def step(number: int, session: Session) -> None:
        nonlocal is_more
        is_more, found = removal.remove_some(session, number)
        pictures.extend(found)

    def steps(number: int) -> Iterator[Step]:
        nonlocal left
        while is_more and left != 0:
            left = None if left is None else left - 1
            yield functools.partial(step, number)

    for number in numbers:
        is_more = True
        run_steps(db.write, steps(number), threading.Event())
        if left == 0:
            break
    kept.drop_pictures(pictures)
    return left == 0


def discard_mirrors(forgotten: Collection[Repository], kept: Kept) -> None:
    """A branch or tag leaves the mirror to its repository."""
    for repository in forgotten:
        if repository.host and repository.parent_key is None:
            kept.discard_mirror(repository)
