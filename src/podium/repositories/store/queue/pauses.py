"""What an administrator has paused (table ``pause``): the schedule, a host, a repository.

While the schedule or a repository is paused, no schedule and no hook refreshes it; what people submit is counted. While
a host is paused, nothing of it is counted or checked: its repositories wait (``waiting_code`` is ``host-paused``), and
what people submit waits with them. Running counts finish.

A repository that waits for its paused host is due automatically after a day or two, and then parked again by the worker
that takes it. So a pause needs no process that keeps it, and no repository is left behind by a resume.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

from podium.repositories.model import Repository, WaitingCode
from podium.repositories.store.queries import FREE
from podium.repositories.store.queue import host_outages
from podium.storage.session import Session

# Seconds for which a repository of a paused host waits: from the first to twice as many.
_PARKED = 86_400.0
# Seconds for which the check of what is paused is put off: from the first to twice as many.
_CHECK_AGAIN = 1800.0
# Seconds over which the checks are spread of what was called back.
_SPREAD = 600


class PauseKind(enum.StrEnum):
    SCHEDULE = "schedule"
    HOST = "host"
    REPOSITORY = "repository"


@dataclasses.dataclass(frozen=True, slots=True)
class Pause:
    """name: '' for the schedule, a host, or a repository's id.

    at: since when. url: of a repository. waiting: repositories that wait for a paused host.
    """

    kind: PauseKind
    name: str
    at: float
    url: str | None
    waiting: int


# A condition on a row of `repository`. Each part is one look at an index.
_OF_HOST = "EXISTS (SELECT 1 FROM pause WHERE pause.kind = 'host' AND pause.name = repository.host)"
_OF_ITSELF = """EXISTS (
    SELECT 1 FROM pause WHERE pause.kind = 'repository' AND pause.name = CAST(repository.id AS text)
)"""
IS_PAUSED = f"({_OF_HOST} OR {_OF_ITSELF})"
# Schedule and hooks may check and refresh the repository.
MAY_REFRESH = f"""(NOT EXISTS (SELECT 1 FROM pause WHERE pause.kind = 'schedule')
    AND NOT {_OF_HOST} AND NOT {_OF_ITSELF})"""
# The host may be asked about the repository, by its administrator too.
MAY_CHECK = f"NOT {_OF_HOST}"


def postpone_checks(session: Session) -> int:
    """Put off the due checks of paused hosts and repositories, so that a pass of the schedule does not meet them.

    They are due within an hour after a resume, spread out.
    """
    if session.one("SELECT 1 AS one FROM pause WHERE kind <> 'schedule' LIMIT 1") is None:
        return 0
    return session.run(
        f"""UPDATE repository SET check_at = {{now}} + {_CHECK_AGAIN} * (1 + id % 100 / 100.0)
        WHERE id IN (SELECT id FROM repository WHERE check_at <= {{now}} AND {IS_PAUSED} {{skip_locked}})"""
    )


def pause(session: Session, kind: PauseKind, name: str) -> bool:
    """Pause the schedule (name ''), a host, or a repository (name: its id); return False if it was paused already."""
    is_new = session.run(
        "INSERT INTO pause (kind, name, at) VALUES (:kind, :name, {now}) ON CONFLICT (kind, name) DO NOTHING",
        kind=str(kind),
        name=name,
    )
    match kind:
        case PauseKind.HOST:
            _park_all(session, name)
        case PauseKind.SCHEDULE:
            _call_back(session, FREE)
        case PauseKind.REPOSITORY:
            _call_back(session, f"id = :id AND {FREE}", id=int(name))
    return bool(is_new)


def resume(session: Session, kind: PauseKind, name: str) -> bool:
    """End a pause; return False if there was none. What waited for a host is due soon, spread out."""
    # First, so that a worker that parks a repository meanwhile does so before, or finds no pause.
    found = session.run("DELETE FROM pause WHERE kind = :kind AND name = :name", kind=str(kind), name=name)
    match kind:
        case PauseKind.HOST:
            host_outages.make_due(session, name, code=WaitingCode.HOST_IS_PAUSED)
        case PauseKind.REPOSITORY:
            session.run(
                "UPDATE repository SET check_at = {now} WHERE id = :id AND check_at IS NOT NULL",
                id=int(name),
            )
        case PauseKind.SCHEDULE:
            pass
    return bool(found)


def why_host_is_paused(host: str) -> str:
    return f"An administrator has paused {host}: its repositories are counted when it is resumed."


def park_if_host_is_paused(session: Session, repository: Repository) -> bool:
    """Let a repository wait, which the caller has locked, if its host is paused; return whether it waits."""
    found = session.one(
        "SELECT 1 AS one FROM pause WHERE kind = 'host' AND name = :host {for_update}", host=repository.host
    )
    if found is not None:
        _park(session, repository)
    return found is not None


def hold_back(session: Session, repository: Repository) -> bool:
    """Like :func:`park_if_host_is_paused`, before a count; with a paused schedule its refreshes do not begin either."""
    kinds = {
        row["kind"]
        for row in session.all(
            """SELECT kind FROM pause WHERE kind = 'host' AND name = :host
                OR :scheduled AND (kind = 'schedule' OR kind = 'repository' AND name = :id) {for_update}""",
            host=repository.host,
            id=str(repository.id),
            scheduled=repository.is_scheduled,
        )
    }
    if PauseKind.HOST in kinds:
        _park(session, repository)
        return True
    return bool(kinds) and _call_back(session, "id = :id", id=repository.id) > 0


def park_paused_hosts(session: Session) -> None:
    """Let everything wait that waits to be counted at a paused host."""
    # Locked, so that one who resumes a host makes due what is parked here.
    for row in session.all("SELECT name FROM pause WHERE kind = 'host' ORDER BY name {for_update}"):
        _park_all(session, row["name"])


def pauses(session: Session, *, limit: int) -> list[Pause]:
    """What is paused, the longest first."""
    rows: list[Any] = session.all(
        f"""SELECT kind, pause.name, at, repository.url, CASE WHEN kind = 'host' THEN (
            SELECT count(*) FROM repository AS waiting
            WHERE waiting.host = pause.name AND waiting.waiting_code = '{WaitingCode.HOST_IS_PAUSED}'
        ) ELSE 0 END AS waiting
        FROM pause LEFT JOIN repository ON pause.kind = 'repository' AND pause.name = CAST(repository.id AS text)
        ORDER BY at, kind, pause.name LIMIT :limit""",
        limit=limit,
    )
    return [Pause(**{**row, "kind": PauseKind(row["kind"])}) for row in rows]


def names(session: Session) -> frozenset[tuple[str, str]]:
    """The kind and name of all that is paused."""
    return frozenset((row["kind"], row["name"]) for row in session.all("SELECT kind, name FROM pause"))


def _park(session: Session, repository: Repository) -> None:
    session.run(
        f"{host_outages.WAIT} WHERE id = :id AND state IN ('pending', 'commits_processing')",
        id=repository.id,
        **_waiting(repository.host),
    )


def _park_all(session: Session, host: str) -> None:
    session.run(
        f"""{host_outages.WAIT} WHERE id IN (
            SELECT id FROM repository WHERE host = :host AND state IN ('pending', 'commits_processing')
                AND coalesce(waiting_code, '') <> '{WaitingCode.HOST_IS_PAUSED}' AND {FREE} {{skip_locked}}
        )""",
        host=host,
        **_waiting(host),
    )
    # Refreshes that are to be tried again: their reasons stay.
    session.run(
        f"""UPDATE repository SET waiting_code = '{WaitingCode.HOST_IS_PAUSED}',
            not_before = {{now}} + :delay * (1 + id % 100 / 100.0)
        WHERE id IN (
            SELECT id FROM repository WHERE host = :host AND waiting_code IS NOT NULL AND state = 'completed'
                AND waiting_code <> '{WaitingCode.HOST_IS_PAUSED}' AND not_before IS NOT NULL {{skip_locked}}
        )""",
        host=host,
        delay=_PARKED,
    )


def _waiting(host: str) -> dict[str, Any]:
    return {"code": WaitingCode.HOST_IS_PAUSED, "delay": _PARKED, "spread": _PARKED, "reason": why_host_is_paused(host)}


def _call_back(session: Session, condition: str, **parameters: object) -> int:
    """End the refreshes that the schedule asked for and that no worker has begun: checks ask for them again, spread."""
    return session.run(
        f"""UPDATE repository SET state = {host_outages.STATE_OF_BOARD}, is_scheduled = false, not_before = NULL,
            waiting_code = NULL, waiting_reason = NULL, progress = NULL, updated_at = {{now}},
            check_at = {{now}} + id % {_SPREAD}
        WHERE id IN (
            SELECT id FROM repository WHERE is_scheduled AND state IN ('pending', 'commits_processing')
                AND {host_outages.HAS_BOARD} AND {condition} {{skip_locked}}
        )""",
        **parameters,
    )
