"""Repositories as the API lists and describes them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from podium.errors import BadRule, NotFound
from podium.repositories.model import Repository, State
from podium.repositories.overall_percent import NAME, saved_percent
from podium.repositories.queue_places import QueuePlace
from podium.repositories.store import queries
from podium.storage.session import Session
from podium.storage.throttled import Throttled
from podium.timeutil import iso_time


def find(session: Session, key: str) -> Repository:
    """Return the repository with this identity, or raise NotFound."""
    repository = queries.by_key(session, key)
    if repository is None:
        raise NotFound("This repository was never submitted: POST /leaderboard?repoUrl=… submits it.")
    return repository


def get(session: Session, repository_id: int) -> Repository:
    """Return the repository at an address with this id, or raise NotFound."""
    repository = queries.by_id(session, repository_id)
    if repository is None or not repository.host:
        raise NotFound(f"No repository has the number {repository_id}: GET /repositories lists them.")
    return repository


# A count of more takes long, and few clients need it to be exact.
MANY = 10_000


class Totals:
    """Totals above :data:`MANY` are cached."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._totals = {state: Throttled[int](clock=clock) for state in (None, *State)}

    def of(self, session: Session, state: State | None) -> int:
        return self._totals[state].get(lambda: queries.count(session, state), keep=lambda total: total >= MANY)


def listing(
    session: Session, totals: Totals, *, state: str | None, limit: int, offset: int
) -> tuple[list[Repository], int]:
    """Return one page of repositories, newest first, and their total; raise BadRule if the state does not exist."""
    try:
        chosen = None if state is None else State(state)
    except ValueError as error:
        raise BadRule(f"There is no state {state!r}: use one of {', '.join(State)}.") from error
    return queries.page(session, chosen, limit=limit, offset=offset), totals.of(session, chosen)


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
        "lastProcessedAt": iso_time(repository.last_processed_at),
        "createdAt": iso_time(repository.created_at),
        "updatedAt": iso_time(repository.updated_at),
        "error": repository.error,
        "refreshError": refresh_error(repository),
    }


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
