"""Repositories as the API lists and describes them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from podium.errors import BadAddress, BadRule, NotFound
from podium.repositories.address import host_of, parse_address
from podium.repositories.model import Repository, State
from podium.repositories.overall_percent import NAME, saved_percent
from podium.repositories.queue_places import QueuePlace
from podium.repositories.store.readers import readable
from podium.repositories.store.readers import selection as selections
from podium.repositories.store.readers.selection import Selection
from podium.storage.session import Session
from podium.storage.throttled import Throttled
from podium.textutil.fold import fold
from podium.timeutil import iso_time

NEVER_SUBMITTED = "This was never submitted: POST /leaderboard?repoUrl=… (and &rev=… for a branch or tag) submits it."


def find(session: Session, key: str) -> Repository:
    """Return the repository with this identity, or raise NotFound."""
    repository = readable.by_key(session, key)
    if repository is None:
        raise NotFound(NEVER_SUBMITTED)
    return repository


def get(session: Session, repository_id: int) -> Repository:
    """Return the repository at an address with this id, or raise NotFound."""
    repository = readable.by_id(session, repository_id)
    if repository is None:
        raise no_such_id(repository_id)
    return repository


def no_such_id(repository_id: int) -> NotFound:
    return NotFound(f"No repository has the id {repository_id}: `podium queue` and GET /repositories list them.")


# A count of more takes long, and few clients need it to be exact.
MANY = 10_000


# Words of a search, and characters before the rest is ignored.
_MOST_WORDS, _LONGEST = 8, 200


class Totals:
    """Totals above :data:`MANY` are cached."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._totals = {state: Throttled[int](clock=clock) for state in (None, *State)}

    def of(self, session: Session, chosen: Selection) -> int:
        """How many there are, not only on one page."""
        if chosen.words or chosen.prefix:
            return selections.count(session, chosen)
        if not chosen.states:
            return self._of(session, None)
        return sum(self._of(session, state) for state in chosen.states)

    def _of(self, session: Session, state: State | None) -> int:
        chosen = Selection(frozenset() if state is None else frozenset([state]))
        return self._totals[state].get(lambda: selections.count(session, chosen), keep=lambda total: total >= MANY)


def selection(*, state: str | None = None, text: str = "", owner: str = "", github_url: str) -> Selection:
    """Return which repositories a client wants.

    state: '' and None: any. text: words, or an address. owner: an account at GitHub, or ``host/owner``.

    Raises:
        BadRule: the state does not exist.
    """
    try:
        states = frozenset([State(state)] if state else [])
    except ValueError as error:
        raise BadRule(f"There is no state {state!r}: use one of {', '.join(State)}.") from error
    host = host_of(github_url)
    return Selection(states, _words(text, github_url), _prefix(owner, host), host)


def _words(text: str, github_url: str) -> tuple[str, ...]:
    parts = _printable(text[:_LONGEST]).split()[:_MOST_WORDS]
    return tuple(word for word in (_word(part, github_url) for part in parts) if word)


def _printable(text: str) -> str:
    # PostgreSQL rejects NUL characters.
    return "".join(character if character.isprintable() else " " for character in text)


def _word(text: str, github_url: str) -> str:
    """A word as it is searched: of an address what its title shows."""
    bare = fold(_printable(unquote(_repository_in(text, github_url)))).removeprefix("@").removesuffix(".git")
    return bare.removeprefix(f"{host_of(github_url)}/").strip("/")


def _repository_in(text: str, github_url: str) -> str:
    """Host, owner and name of a URL or an SSH address that names a repository, be it by one of its pages."""
    if "://" in text or "@" in text.partition(":")[0]:
        with contextlib.suppress(BadAddress):
            address = parse_address(text, github_url)
            return "/".join(filter(None, (address.host, address.owner, address.name)))
    return text.rpartition("://")[2]


def _prefix(owner: str, github_host: str) -> str:
    owner = owner.strip("/")
    if not owner.isprintable():
        raise BadRule("owner: give an account at GitHub, or host/owner.")
    first, _, rest = owner.partition("/")
    if not owner:
        return ""
    if not rest and "." not in first and ":" not in first:
        return f"{github_host}/{first}/".lower()
    host = first.lower()
    return f"{host}/{rest.lower() if host == github_host else rest}/" if rest else f"{host}/"


def listing(
    session: Session, totals: Totals, chosen: Selection, *, limit: int, offset: int
) -> tuple[list[Repository], int]:
    """Return one page of repositories, and their total."""
    return selections.page(session, chosen, limit=limit, offset=offset), totals.of(session, chosen)


def describe(repository: Repository, place: QueuePlace | None = None) -> dict[str, Any]:
    """``place``: in the queue, if it is pending."""
    return {
        "id": repository.id,
        "url": repository.repository_url,
        "revision": repository.revision,
        "state": repository.state,
        "progress": _progress(repository, place),
        "totalCommits": repository.total_commits,
        "uniqueContributors": repository.unique_contributors,
        "people": repository.people,
        "lastProcessedAt": iso_time(repository.last_processed_at),
        "createdAt": iso_time(repository.created_at),
        "updatedAt": iso_time(repository.updated_at),
        # A check of a branch or tag asks about its repository, and never about its own commits.
        "checkedAt": iso_time(repository.checked_at) if repository.revision is None else None,
        "nextCheckAt": iso_time(repository.check_at) if repository.revision is None else None,
        "refreshEvery": repository.refresh_every,
        "error": repository.error,
        "refreshError": refresh_error(repository),
        "waitingReason": repository.waiting_reason or (place.stopped if place else None),
        "nameTakenAt": iso_time(repository.name_taken_at),
    }


def as_new(repository: Repository) -> Repository:
    """A hidden repository as if it had just been submitted."""
    return dataclasses.replace(
        repository,
        state=State.PENDING,
        progress=None,
        total_commits=None,
        unique_contributors=None,
        people=None,
        last_processed_at=None,
        checked_at=None,
        check_at=None,
        refresh_every=None,
        error=None,
        refresh_error=None,
        waiting_reason=None,
        not_before=None,
        name_taken_at=None,
        created_at=repository.updated_at,
    )


def refresh_error(repository: Repository) -> dict[str, Any] | None:
    """Why and when the refresh of a board failed; None unless it did."""
    if repository.refresh_error is None:
        return None
    return {"at": iso_time(repository.refresh_error_at), "message": repository.refresh_error}


def _progress(repository: Repository, place: QueuePlace | None) -> dict[str, Any] | None:
    stage = repository.state.stage
    if stage is None:
        return None
    saved: dict[str, Any] = json.loads(repository.progress) if repository.progress else {}
    is_later = repository.not_before is not None and repository.not_before > time.time()
    waits = repository.state == State.PENDING or (stage == "commits" and is_later)
    # A count that was interrupted begins again.
    progress: dict[str, Any] = saved if saved.get("stage") == stage and not waits else {"stage": stage}
    progress[NAME] = round(saved_percent(repository.progress), 1)
    if stage == "commits" and is_later:
        progress["waitingUntil"] = iso_time(repository.not_before)
    if place is not None:
        progress["queue"] = {"place": place.place, "of": place.of, "isAbout": place.is_about}
    return progress
