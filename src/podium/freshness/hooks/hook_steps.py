"""What follows from an event of a hook, for a repository as it is. No I/O.

It is decided twice: from a read, which is all that a flood costs, and again under the lock of the row.
"""

from __future__ import annotations

import dataclasses

from podium.freshness.hooks.hook_events import HookEvent, HookKind
from podium.jobs.retry import CURABLE
from podium.repositories.model import Repository, State
from podium.repositories.store.freshness.pushes import APART, CHECKS_APART, Moment, is_unidentified


@dataclasses.dataclass(frozen=True, slots=True)
class Nothing:
    """It is known already, or concerns another board."""


@dataclasses.dataclass(frozen=True, slots=True)
class CountNow:
    """The repository is counted at once."""


@dataclasses.dataclass(frozen=True, slots=True)
class CountLater:
    """A count is due at a time, or when the one that runs has ended, if that is later."""

    at: float


@dataclasses.dataclass(frozen=True, slots=True)
class CheckHost:
    """The host is asked at a time; until it answers, a board that it ``hides`` is not shown."""

    at: float
    hides: bool


Step = Nothing | CountNow | CountLater | CheckHost


def next_step(event: HookEvent, moment: Moment) -> Step:
    repository = moment.repository
    is_another = None not in (event.number, repository.host_number) and event.number != repository.host_number
    if event.kind is not HookKind.PUSH:
        return _check(moment, CHECKS_APART, hides=event.kind is HookKind.HIDDEN and not is_another)
    if is_another:
        # It only has the name of this one.
        return Nothing() if repository.name_taken_at is not None else _check(moment, APART)
    if repository.parent_key is not None or not _is_of_board(event, repository):
        return Nothing()
    if repository.hidden_at is not None or repository.name_taken_at is not None or _is_moved(event, repository):
        return _check(moment, APART)
    return count_step(moment)


def count_step(moment: Moment) -> Step:
    """What follows where a repository is to be counted."""
    repository = moment.repository
    match repository.state:
        case State.PENDING if not repository.is_scheduled:
            # It is fetched after the push.
            return Nothing()
        case State.FAILED if repository.error_code not in CURABLE:
            return Nothing()
        case State.COMMITS_PROCESSING:
            is_quiet = False
        case _:
            is_quiet = not moment.now - APART < (repository.pushed_at or 0.0) <= moment.now
    if _is_planned(moment):
        return Nothing()
    if is_quiet:
        return CountNow()
    started = max(repository.pushed_at or 0.0, moment.counted_at or 0.0)
    return CountLater(min(max(moment.now, started + APART), moment.now + APART))


def _is_planned(moment: Moment) -> bool:
    due_at = moment.repository.hook_due_at
    return due_at is not None and due_at <= moment.now + APART and not is_unidentified(moment.repository)


def _check(moment: Moment, apart: float, *, hides: bool = False) -> Step:
    repository = moment.repository
    hides = hides and repository.hidden_at is None
    at = min(max(moment.now, (repository.checked_at or 0.0) + apart), moment.now + apart)
    is_known = (
        _is_planned(moment)
        and (repository.hook_due_at or 0.0) <= at
        and (repository.parent_key is not None or repository.hook_wants_check)
    )
    return Nothing() if is_known and not hides else CheckHost(at, hides)


def _is_of_board(event: HookEvent, repository: Repository) -> bool:
    """Whether a push has changed the branch that the board counts, by the host's word or by what is known here."""
    default = {branch for branch in (event.default_branch, repository.branch) if branch is not None}
    return bool(event.branches) and (not default or not default.isdisjoint(event.branches))


def _is_moved(event: HookEvent, repository: Repository) -> bool:
    """Whether it has another name now. A former name in a late delivery is asked about, too."""
    return (
        event.number is not None
        and event.number == repository.host_number
        and event.address.key != repository.repository_key
    )
