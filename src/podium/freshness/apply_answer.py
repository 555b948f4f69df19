"""What follows from a host's answer, in one transaction.

==========================================  ============================================================================
the host says                               what follows
==========================================  ============================================================================
nothing that is new                         it is asked again later
another name or owner                       the repository moves there with its branches and tags; the old name leads to
                                            it
a host id or name that another row has      they are one repository: the newer row is joined to the older one
another host id                             another repository has the name: the board stays as it is, and is not
                                            counted, until an administrator decides or the old one is found elsewhere
private or deleted                          :mod:`podium.repositories.store.gone`; only git's answer ends that
another head or default branch              it is counted
==========================================  ============================================================================

It may be applied twice, late or beside a count: rows are locked and read again, a count is found by its id, and what
was asked about a name that the repository no longer has only makes it due again.
"""

from __future__ import annotations

import dataclasses
import logging
import random
import time
from collections.abc import Collection, Sequence

from podium.blocks import block_list
from podium.errors import Blocked
from podium.freshness.host_answer import HostAnswer
from podium.jobs import retry
from podium.repositories.address import Address
from podium.repositories.fair_queue import hook_client
from podium.repositories.model import Repository, State
from podium.repositories.store import gone, queries, transitions
from podium.repositories.store.deletion import removal
from podium.repositories.store.freshness import names, pushes
from podium.repositories.store.queue.due_work import next_virtual_start
from podium.storage.session import Session

log = logging.getLogger(__name__)

# Seconds until the host is asked again, where the answer came at a bad moment.
SOON = 60.0
# Seconds until the host is asked again about what it does not show, such as a board whose name another repository has.
_DAILY = 86_400.0
# Renames in a circle that are made at once.
_MOST_MOVES = 10
# The counts of the schedule have turns of their own.
_SCHEDULE = "schedule"


@dataclasses.dataclass(frozen=True, slots=True)
class Applied:
    """What an answer changed.

    repository_id: the row of the repository now; another one if it was joined.
    counts: a count was begun, which the caller enqueues when the transaction has ended.
    hides: its boards are not shown any more.
    is_taken: another repository has its name.
    """

    repository_id: int
    counts: bool = False
    is_renamed: bool = False
    is_joined: bool = False
    is_taken: bool = False
    hides: bool = False


def is_news(repository: Repository, answer: HostAnswer) -> bool:
    """Whether :func:`apply` would change more than the time of the next question."""
    return (
        answer.gone_code is not None
        or repository.gone_since is not None
        or repository.name_taken_at is not None
        or answer.number not in (None, repository.host_number)
        or _is_elsewhere(repository, answer.address)
        or _differs(repository, answer)
    )


def apply(
    session: Session,
    repository: Repository,
    answer: HostAnswer,
    *,
    next_check_in: float | None = None,
    is_push: bool = False,
) -> Applied:
    """Apply the answer to a question about the name that ``repository`` had.

    A repository whose name another one has (``name_taken_at``) is asked for by its number: see
    :mod:`podium.freshness.check`.

    Args:
        next_check_in: seconds until its host is asked again; None: not automatically;
            :data:`podium.repositories.store.freshness.names.AS_PLANNED`: as it was planned before.
        is_push: a push asked, and not the schedule.
    """
    if answer.gone_code is None:
        # It may get another name, or be counted.
        names.begin(session)
    names.lock_families(session, [repository.repository_key])
    found = queries.lock(session, repository.id)
    if found is None or found.key != repository.key or (answer.is_readable and _is_denied_since(repository, found)):
        # It got another name meanwhile, was hidden by a hook, or was deleted.
        names.note_checked(session, repository.id, next_check_in=SOON)
        return Applied(repository.id)
    if answer.gone_code is not None:
        return _gone(session, found, answer.gone_code, next_check_in)
    if answer.number is not None and _is_another(session, found, answer.number):
        return _taken(session, found, answer.number, next_check_in)
    present, is_held_up = _move_to_present_name(session, found, answer)
    if is_held_up:
        next_check_in = SOON
    if present.name_taken_at is not None and _is_elsewhere(present, answer.address):
        # Neither name is its own.
        names.note_checked(session, present.id, next_check_in=_until_found(session, present, next_check_in))
        return Applied(present.id, is_taken=True)
    if _is_blocked(session, found, present, answer.number or present.host_number):
        return Applied(present.id, hides=True)
    return _settle(session, found, present, answer, next_check_in, is_push=is_push)


def _settle(
    session: Session,
    found: Repository,
    present: Repository,
    answer: HostAnswer,
    next_check_in: float | None,
    *,
    is_push: bool,
) -> Applied:
    """What follows where the repository is known. ``found`` is the row before it got its name."""
    if answer.is_readable:
        gone.end(session, present)
    if answer.number is not None:
        names.note_number(session, present.repository_key, answer.number)
        names.clear_taken(session, present.repository_key)
    is_joined = present.id != found.id
    # What waited to be counted under the other name waits under this one.
    counts = _count(session, present, answer, is_push=is_push) or (is_joined and present.state is State.PENDING)
    if not counts and present.state is State.USERS_PROCESSING and _differs(present, answer):
        # The longer its accounts have been looked up, the longer that may take.
        next_check_in = min(_DAILY, max(SOON, time.time() - (present.commits_processed_at or 0.0)))
    if next_check_in is None and present.gone_since is not None and not answer.is_readable:
        # An API shows it, but git has not read it: nothing else would ask again for a board that is hidden.
        next_check_in = retry.GONE_AFTER
    names.note_checked(session, present.id, next_check_in=next_check_in)
    return Applied(
        present.id,
        counts=counts,
        is_renamed=present.repository_key != found.repository_key,
        is_joined=is_joined,
    )


def _is_blocked(session: Session, found: Repository, present: Repository, number: str | None) -> bool:
    """Forget a repository that an administrator has blocked under another name; return whether it is one.

    A board that only moves to an owner who is blocked stays, and is not counted again.
    """
    is_moved = (present.id, present.repository_key) != (found.id, found.repository_key)
    try:
        if number is not None and (is_moved or found.host_number is None):
            block_list.check_number(session, present.host, number)
        if is_moved and not present.has_board:
            block_list.check_key(session, present.repository_key)
    except Blocked:
        log.warning("repository %d was blocked under another name, and is forgotten", present.id)
        for row in names.lock_families(session, [present.repository_key]):
            removal.mark(session, row)
        return True
    return False


def _is_elsewhere(repository: Repository, address: Address | None) -> bool:
    return address is not None and (address.key, address.owner, address.name) != (
        repository.repository_key,
        repository.owner,
        repository.name,
    )


def _differs(repository: Repository, answer: HostAnswer) -> bool:
    if repository.revision is not None:
        return False
    return answer.head not in (None, repository.head) or (
        repository.branch is not None and answer.branch not in (None, repository.branch)
    )


def _gone(session: Session, found: Repository, code: str, next_check_in: float | None) -> Applied:
    if found.name_taken_at is not None:
        # Its board stays as it was.
        names.note_checked(session, found.id, next_check_in=_until_found(session, found, next_check_in))
        return Applied(found.id, is_taken=True)
    denial = gone.note(session, found, code=code, after=retry.GONE_AFTER)
    if denial.hides:
        log.warning("repository %d is hidden: its host says that it is private or does not exist", found.id)
    delay = retry.gone_delay(denial.seconds, random.random())  # noqa: S311 - spreads questions, no secret
    names.note_checked(session, found.id, next_check_in=delay)
    return Applied(found.id, hides=denial.hides)


def _taken(session: Session, found: Repository, number: str, next_check_in: float | None) -> Applied:
    is_new = found.name_taken_at is None
    if is_new:
        log.warning("repository %d is not refreshed: another repository has its name at %s", found.id, found.host)
    names.mark_taken(session, found.repository_key, number)
    # Its host id may find it at once.
    names.note_checked(session, found.id, next_check_in=0.0 if is_new else _until_found(session, found, next_check_in))
    return Applied(found.id, is_taken=True)


def _until_found(session: Session, found: Repository, next_check_in: float | None) -> float | None:
    """Seconds until a board is looked for whose name another repository has; it is not, if that was decided."""
    if next_check_in == names.AS_PLANNED or names.taken_number(session, found.id) is None:
        return next_check_in
    return max(next_check_in or 0.0, _DAILY)


def _is_denied_since(repository: Repository, found: Repository) -> bool:
    return found.gone_since is not None and (found.gone_since, found.hidden_at) != (
        repository.gone_since,
        repository.hidden_at,
    )


def _is_another(session: Session, found: Repository, number: str) -> bool:
    """Whether ``number`` is the host id of another repository, which has this one's name."""
    known = found.host_number or names.number_of(session, found.repository_key)
    if known is None:
        return found.name_taken_at is not None and names.taken_number(session, found.id) == number
    return known != number


def _move_to_present_name(session: Session, found: Repository, answer: HostAnswer) -> tuple[Repository, bool]:
    """Give a repository the name that it has at its host.

    Returns:
        Its row, and whether it keeps its name for now, because a row that was not asked about yet has the new one.
    """
    own = names.address_of(found)
    target = answer.address or own
    number = answer.number or found.host_number
    keys = {own.key, target.key, *(names.keys_with_number(session, found.host, number) if number else ())}
    if keys == {own.key} and not _is_elsewhere(found, answer.address):
        return found, False
    families = _families(session, keys)
    ours = families[own.key]
    same = {key for key, theirs in families.items() if theirs is ours or _is_same(session, ours, theirs, number)}
    rows = _join(session, [row for key in same for row in families[key]])
    is_blocked = target.key in families and target.key not in same
    moves = [(rows, own if is_blocked else target)]
    if is_blocked and (circle := _circle(session, own, families[target.key])):
        moves = [(rows, target), *circle]
    is_left_to_others = len(moves) > 1 or any(row.name_taken_at is not None for row in ours)
    elsewhere = [([row for row in some if _is_elsewhere(row, address)], address) for some, address in moves]
    names.move(session, elsewhere, keeps_old_names=not is_left_to_others)
    is_held_up = is_waiting = is_blocked and len(moves) == 1
    if is_waiting:
        is_held_up = names.mark_taken(session, target.key, number)
        if is_held_up:
            names.make_due(session, target.key, within=0.0)
    else:
        for _, address in moves:
            names.clear_taken(session, address.key)
        if target.key != own.key:
            log.info("repository %d is named %s now, and was %s", found.id, target.key, own.key)
    stays = next(row for row in rows if row.revision == found.revision)
    return queries.by_id(session, stays.id) or stays, is_held_up


def _circle(session: Session, own: Address, rows: list[Repository]) -> list[tuple[list[Repository], Address]]:
    """The moves of repositories that exchange their names with the one at ``own``; empty: they do not.

    Args:
        rows: of the repository whose name it has.
    """
    moves: list[tuple[list[Repository], Address]] = []
    for _ in range(_MOST_MOVES):
        number = next((row.host_number for row in rows if row.host_number), None)
        key = names.key_taken_by(session, rows[0].host, number) if number else None
        if key is None:
            return []
        if key == own.key:
            return [*moves, (rows, own)]
        found = names.lock_families(session, [key])
        moves.append((rows, names.address_of(found[0])))
        rows = found
    return []


def _families(session: Session, keys: Collection[str]) -> dict[str, list[Repository]]:
    families: dict[str, list[Repository]] = {}
    for row in names.lock_families(session, keys):
        families.setdefault(row.repository_key, []).append(row)
    return families


def _is_same(session: Session, ours: Sequence[Repository], theirs: Sequence[Repository], number: str | None) -> bool:
    """Whether two families are of one repository, where the host has one name for both."""
    known = next((row.host_number for row in theirs if row.host_number), None)
    if known is not None and number is not None:
        return known == number
    # A name that belonged to another repository before has another history.
    roots = [{oid for row in rows for oid in queries.roots(session, row.id)} for rows in (ours, theirs)]
    return not all(roots) or not roots[0].isdisjoint(roots[1])


def _join(session: Session, rows: Sequence[Repository]) -> list[Repository]:
    """Join the rows of one revision to the oldest one, or to the oldest one with a board; return those that stay."""
    stay: dict[str | None, Repository] = {}
    for row in sorted(rows, key=lambda row: (not row.has_board, row.id)):
        kept = stay.setdefault(row.revision, row)
        if kept is not row:
            names.join(session, kept, row)
            _take_over(session, kept, row)
            log.info("repository %d is the same as %d, and was joined to it", row.id, kept.id)
    return list(stay.values())


def _take_over(session: Session, kept: Repository, joined: Repository) -> None:
    """Let what was to be counted under the name of a joined row be counted. The reconciler enqueues it."""
    if not joined.state.is_unfinished:
        return
    if kept.state.stage == "commits":
        if not joined.is_scheduled:
            transitions.take_over(session, kept.id, virtual_start=joined.virtual_start, client_id=None)
    else:
        transitions.restart(
            session,
            kept.id,
            kept.state,
            virtual_start=joined.virtual_start,
            client_id=None,
            is_scheduled=joined.is_scheduled,
            enqueued=False,
        )


def _count(session: Session, present: Repository, answer: HostAnswer, *, is_push: bool) -> bool:
    """Count it again if the host has another head."""
    if not _differs(present, answer):
        return False
    match present.state:
        case State.COMPLETED:
            pass
        case State.USERS_PROCESSING if is_push:
            pass
        case State.FAILED if present.error_code in retry.CURABLE:
            pass
        case _:
            return False
    if is_push and pushes.is_paused(session, present.id):
        pushes.plan_count(session, present.id)
        return False
    client = hook_client(present.host, present.owner) if is_push else None
    return transitions.restart(
        session,
        present.id,
        present.state,
        virtual_start=next_virtual_start(session, client or _SCHEDULE),
        client_id=client,
        is_scheduled=not is_push,
    )
