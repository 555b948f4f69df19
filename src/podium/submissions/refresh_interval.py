"""How often the schedule checks one repository."""

from __future__ import annotations

from podium.audit import audit_log
from podium.errors import BadRule, Conflict
from podium.repositories.listing import no_such_id
from podium.repositories.model import Repository
from podium.repositories.store import queries
from podium.repositories.store.freshness import due_checks
from podium.settings import LEAST_REFRESH_INTERVAL, MOST_REFRESH_INTERVAL
from podium.storage.session import Database


def check_interval(seconds: float | None) -> None:
    """Raise BadRule unless ``seconds`` is None (the setting's), 0 (never) or an interval that is allowed."""
    if seconds and not LEAST_REFRESH_INTERVAL <= seconds <= MOST_REFRESH_INTERVAL:
        raise BadRule(
            f"refreshEvery is 0 (never), or from {LEAST_REFRESH_INTERVAL} to {MOST_REFRESH_INTERVAL} seconds."
        )


def set_interval(db: Database, repository_id: int, seconds: float | None, *, every: float, actor: str) -> Repository:
    """Check a repository every ``seconds``; return it.

    Args:
        seconds: 0: never; None: as the settings say, which is ``every``.

    Raises:
        BadRule: the interval is not allowed.
        NotFound, Conflict: there is no such repository; it is a branch or tag.
    """
    check_interval(seconds)
    with db.write() as session:
        repository = queries.lock(session, repository_id)
        if repository is None or not repository.host:
            raise no_such_id(repository_id)
        if repository.revision is not None:
            raise Conflict("Only default branches are refreshed automatically: submit a branch or tag to refresh it.")
        due_checks.set_interval(session, repository_id, seconds, every=every)
        audit_log.record(session, actor, "refresh every", repository.url, interval_text(seconds))
        return queries.by_id(session, repository_id) or repository


def interval_text(seconds: float | None) -> str:
    return "default" if seconds is None else f"{seconds:g} s"
