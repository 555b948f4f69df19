"""Pause and resume the schedule, hosts and repositories, limit hosts, and move what waits, for operators.

All only change rows, as :mod:`podium.submissions.admin` does: workers, schedule and hooks look there.
"""

from __future__ import annotations

import dataclasses

from podium.audit import audit_log
from podium.errors import BadRule, Conflict, NotFound
from podium.repositories.address import parse_address
from podium.repositories.listing import no_such_id
from podium.repositories.model import Repository, WaitingCode
from podium.repositories.store import queries
from podium.repositories.store.queue import due_work, host_limits, pauses
from podium.repositories.store.queue.pauses import PauseKind
from podium.storage.session import Database, Session
from podium.textutil.whole_number import whole_number

# More counts of one host than any installation runs.
MOST_AT_ONCE = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class QueueChange:
    """message: for people. is_change: whether anything is different now."""

    message: str
    is_change: bool


def pause(db: Database, kind: str, name: str, *, actor: str, github_url: str) -> QueueChange:
    """Pause the schedule, a host, or a repository. It may be paused already.

    Args:
        kind: ``schedule``, ``host`` or ``repository``.
        name: nothing for the schedule, a host, or a repository's address or id.

    Raises:
        BadRule, BadAddress: there is no such kind, or the name does not fit it.
        NotFound: nothing of that name is here.
    """
    with db.write() as session:
        what = _find(session, kind, name, github_url)
        is_new = pauses.pause(session, what.kind, what.name)
        if is_new:
            audit_log.record(session, actor, f"pause {what.kind}", what.words)
    if not is_new:
        return QueueChange(f"{what.shown} is already paused.", is_change=False)
    return QueueChange(f"{what.shown} is paused. Until it is resumed, {_EFFECTS[what.kind]}.", is_change=True)


_EFFECTS = {
    PauseKind.SCHEDULE: "boards are refreshed only on request",
    PauseKind.HOST: "nothing of it is counted or checked, and submissions wait",
    PauseKind.REPOSITORY: "it is refreshed only on request",
}


def check(db: Database, kind: str, name: str, *, github_url: str) -> None:
    """Raise as :func:`pause` does."""
    with db.read() as session:
        _find(session, kind, name, github_url)


def resume(db: Database, kind: str, name: str, *, actor: str, github_url: str) -> QueueChange:
    """End a pause, if there is one; raises as :func:`pause`."""
    with db.write() as session:
        what = _find(session, kind, name, github_url)
        was_paused = pauses.resume(session, what.kind, what.name)
        if was_paused:
            audit_log.record(session, actor, f"resume {what.kind}", what.words)
    if not was_paused:
        return QueueChange(f"{what.shown} is not paused.", is_change=False)
    follows = ": what waited for it follows, one after another." if what.kind is PauseKind.HOST else "."
    return QueueChange(f"{what.shown} is resumed{follows}", is_change=True)


def limit_host(db: Database, host: str, at_once: int | None, *, actor: str) -> QueueChange:
    """Limit the concurrent counts of a host; 0: no limit, None: as ``PODIUM_COUNTS_PER_HOST`` says.

    Raises:
        BadRule: the number or the host cannot be one.
        NotFound: nothing of that host is here.
    """
    if at_once is not None and not 0 <= at_once <= MOST_AT_ONCE:
        raise BadRule(f"Give a number from 0 (no limit) to {MOST_AT_ONCE:,}.")
    with db.write() as session:
        name = _host(session, host)
        if at_once is None:
            is_change = host_limits.unset_limit(session, name)
        else:
            is_change = host_limits.set_limit(session, name, at_once)
        words = "as PODIUM_COUNTS_PER_HOST says" if at_once is None else str(at_once or "any number")
        if is_change:
            audit_log.record(session, actor, "limit host", name, words)
    number = words if at_once is None else f"{words} at once"
    return QueueChange(f"Limit of {name}: {number}{'' if is_change else ', as before'}.", is_change)


def move(db: Database, repository_id: int, *, to_front: bool, actor: str) -> QueueChange:
    """Move a repository that waits to be counted to the front of the queue, or behind all others.

    Raises:
        NotFound: the id does not exist.
        Conflict: it does not wait to be counted, or its host is paused.
    """
    with db.write() as session:
        repository = queries.lock(session, repository_id)
        if repository is None or not repository.host:
            raise no_such_id(repository_id)
        if repository.waiting_code == WaitingCode.HOST_IS_PAUSED:
            raise Conflict(f"{repository.host} is paused: resume it first.")
        is_moved = (due_work.move_to_front if to_front else due_work.move_back)(session, repository_id)
        if not is_moved:
            raise Conflict(f"Repository {repository_id} is {repository.state.words}: it does not wait to be counted.")
        audit_log.record(session, actor, "move to front" if to_front else "move back", repository.url)
    where = "first in the queue" if to_front else "last in the queue"
    return QueueChange(f"{repository.url} is {where}.", is_change=True)


@dataclasses.dataclass(frozen=True, slots=True)
class _Found:
    """name: of the row. shown: at the start of a sentence. words: in the audit log."""

    kind: PauseKind
    name: str
    shown: str
    words: str


def _find(session: Session, kind: str, name: str, github_url: str) -> _Found:
    match kind:
        case PauseKind.SCHEDULE:
            if name:
                raise BadRule("There is one schedule: give no name.")
            return _Found(PauseKind.SCHEDULE, "", "The schedule", "schedule")
        case PauseKind.HOST:
            host = _host(session, name)
            return _Found(PauseKind.HOST, host, host, host)
        case PauseKind.REPOSITORY:
            repository = _repository(session, name, github_url)
            return _Found(PauseKind.REPOSITORY, str(repository.id), repository.url, repository.url)
    raise BadRule(f"{kind[:40]!r} cannot be paused: choose {', '.join(PauseKind)}.")


def _host(session: Session, text: str) -> str:
    host = text.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")
    if not host or "/" in host or "@" in host or not host.isprintable():
        raise BadRule("Give a host, as in `github.com`, without a path.")
    if not host_limits.is_known(session, host):
        raise NotFound(f"No repository of {host[:200]} is here.")
    return host


def _repository(session: Session, text: str, github_url: str) -> Repository:
    given = text.strip().removeprefix("#")
    number = whole_number(given)
    if number is not None:
        repository = queries.by_id(session, number)
    else:
        if not given:
            raise BadRule("Give a repository: its address or its id.")
        repository = queries.by_key(session, parse_address(text, github_url).key)
    if repository is None or not repository.host:
        raise NotFound(f"{text[:200]} is not here: `podium queue` and GET /repositories show ids and addresses.")
    if repository.revision is not None:
        raise BadRule("The board of a branch or tag is refreshed only for people: there is nothing to pause.")
    return repository
