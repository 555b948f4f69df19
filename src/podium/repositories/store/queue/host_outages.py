"""The circuit breaker of each git host (table ``git_host``), shared by all workers, by the database's clock.

A row notes failures in a row. From ``down_since`` on the host is down: its repositories wait (``waiting_code`` is
``host-down``), and one of them at a time, the probe, is tried. Any answer of the host deletes the row.

A waiting repository is due again after an hour or so, in case no process extends that.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from podium.repositories.fair_queue import SCHEDULED_FROM
from podium.repositories.model import WaitingCode
from podium.repositories.store.queries import NOT_HELD, update_some
from podium.repositories.store.queue.due_work import next_virtual_start
from podium.storage import due_times
from podium.storage.session import Session

# Seconds until a probe that no worker has begun is replaced.
PROBE_SECONDS = 60.0
# Seconds for which repositories wait, and what is left of them when that is extended.
_PARKED, _EXTENDED_BELOW = 3600.0, 1800.0
# Repositories of a host that came back start at least the first number of seconds apart, and all within the second.
_APART, _SPREAD = 0.25, 300.0

HAS_BOARD = "head IS NOT NULL AND commits_processed_at IS NOT NULL"
_IS_RESOLVED = f"""{HAS_BOARD} AND NOT EXISTS (
    SELECT 1 FROM commit_data c
    WHERE c.repository_id = repository.id AND c.count_id = repository.count_id AND NOT c.processed
)"""

# The state of a board whose refresh ends without a new count.
STATE_OF_BOARD = f"CASE WHEN {_IS_RESOLVED} THEN 'completed' ELSE 'users_processing' END"

# A refresh ends: the board is completed, or its accounts are still looked up and no refresh follows automatically.
WAIT = f"""
UPDATE repository SET
    state = CASE WHEN {_IS_RESOLVED} THEN 'completed' WHEN {HAS_BOARD} THEN 'users_processing' ELSE 'pending' END,
    waiting_code = CASE WHEN {_IS_RESOLVED} OR NOT ({HAS_BOARD}) THEN :code END,
    not_before = CASE WHEN {_IS_RESOLVED} OR NOT ({HAS_BOARD}) THEN {{now}} + :delay + :spread * (id % 100) / 100 END,
    waiting_reason = CASE WHEN {HAS_BOARD} THEN NULL ELSE :reason END,
    refresh_error = CASE WHEN {HAS_BOARD} THEN :reason ELSE refresh_error END,
    refresh_error_at = CASE WHEN {HAS_BOARD} THEN {{now}} ELSE refresh_error_at END,
    progress = CASE WHEN {HAS_BOARD} THEN NULL ELSE progress END,
    last_processed_at = CASE WHEN {HAS_BOARD} THEN coalesce(last_processed_at, commits_processed_at) END,
    error = NULL, error_code = NULL, updated_at = {{now}}
"""


@dataclasses.dataclass(frozen=True, slots=True)
class DownHost:
    """A host that is down; times are seconds since the epoch."""

    host: str
    since: float
    next_try_at: float | None
    message: str
    waiting: int


@dataclasses.dataclass(frozen=True, slots=True)
class Noted:
    """A host's row after a fault: failures in a row, and for how long it has been down; None: it is not down."""

    failures: int
    down_for: float | None
    is_probe: bool
    was_ever_up: bool


def note_fault(session: Session, host: str, repository_id: int, *, message: str, counts_again: bool) -> Noted:
    """Note a fault. ``counts_again``: also if the same repository had the one before."""
    row = session.one(
        """INSERT INTO git_host (host, failures, message, failed_repository_id)
        VALUES (:host, 1, :message, :id)
        ON CONFLICT (host) DO UPDATE SET message = :message, failed_repository_id = :id,
            failures = git_host.failures
                + CASE WHEN :again OR coalesce(git_host.failed_repository_id, 0) <> :id THEN 1 ELSE 0 END
        RETURNING failures, {now} - down_since AS down_for, coalesce(probe_repository_id, 0) AS probe""",
        host=host,
        id=repository_id,
        message=message,
        again=counts_again,
    )
    assert row is not None  # noqa: S101 # RETURNING
    was_up = session.value(
        """SELECT EXISTS (
            SELECT 1 FROM repository WHERE key >= :first AND key < :behind AND commits_processed_at IS NOT NULL
        )""",
        first=f"{host}/",
        behind=f"{host}0",
    )
    return Noted(row["failures"], row["down_for"], row["probe"] == repository_id, bool(was_up))


def begin_outage(session: Session, host: str, *, reason: str, delay: float) -> None:
    """Let all repositories of a host wait that no worker holds."""
    session.run(
        "UPDATE git_host SET down_since = {now}, next_try_at = {now} + :delay WHERE host = :host",
        host=host,
        delay=delay,
    )
    park_waiting(session, host, reason=reason)


def continue_outage(session: Session, host: str, *, delay: float) -> None:
    """End a probe that failed: the next one follows after ``delay`` seconds. The others wait for longer if needed."""
    session.run(
        "UPDATE git_host SET next_try_at = {now} + :delay, probe_repository_id = NULL WHERE host = :host",
        host=host,
        delay=delay,
    )
    session.run(
        f"""UPDATE repository SET not_before = {{now}} + {_PARKED} WHERE id IN (
            SELECT id FROM repository WHERE host = :host AND waiting_code = '{WaitingCode.HOST_IS_DOWN}' AND {NOT_HELD}
                AND not_before < {{now}} + {_EXTENDED_BELOW} {{skip_locked}}
        )""",
        host=host,
    )


def end_outage(session: Session, host: str) -> int:
    """Note that a host has answered. What waited for it is due soon, spread out; return how many there are."""
    row = session.one("DELETE FROM git_host WHERE host = :host RETURNING down_since", host=host)
    if row is None or row["down_since"] is None:
        return 0
    return make_due(session, host, code=WaitingCode.HOST_IS_DOWN)


def make_due(session: Session, host: str, *, code: str) -> int:
    """Make what waits for a host with this code due soon, spread out; return how many there are."""
    return session.run(
        f"""UPDATE repository SET waiting_code = CASE WHEN state = 'completed' THEN '{WaitingCode.OWN_TRY}' END,
            waiting_reason = NULL, not_before = {{now}} + place * least_apart, updated_at = {{now}}
        FROM (
            SELECT id AS number, ROW_NUMBER() OVER (ORDER BY state = 'completed', virtual_start, id) - 1 AS place,
                CASE WHEN count(*) OVER () * {_APART} > {_SPREAD} THEN {_SPREAD} / count(*) OVER () ELSE {_APART} END
                    AS least_apart
            FROM (
                SELECT id, state, virtual_start FROM repository
                WHERE host = :host AND waiting_code = :code {{skip_locked}}
            ) AS waiting
        ) AS placed WHERE repository.id = number""",
        host=host,
        code=code,
    )


def give_up(session: Session, host: str, reason: str, *, also: int) -> None:
    """Fail what was never counted of a host, and try no refresh of its boards again.

    also: a repository that the caller has leased and parked.
    """
    session.run("DELETE FROM git_host WHERE host = :host", host=host)
    session.run(
        f"""UPDATE repository SET state = CASE WHEN state = 'completed' THEN state ELSE 'failed' END,
            error = CASE WHEN state = 'completed' THEN NULL ELSE :reason END,
            error_code = CASE WHEN state = 'completed' THEN NULL ELSE 'unreachable' END,
            refresh_error = CASE WHEN state = 'completed' THEN :reason ELSE refresh_error END,
            waiting_code = NULL, waiting_reason = NULL, not_before = NULL, client_id = NULL, updated_at = {{now}}
        WHERE id IN (
            SELECT id FROM repository WHERE host = :host AND waiting_code = '{WaitingCode.HOST_IS_DOWN}'
                AND (id = :also OR {NOT_HELD}) {{skip_locked}}
        )""",
        host=host,
        reason=reason,
        also=also,
    )


def is_noted(session: Session, host: str) -> bool:
    """Whether a fault of a host was noted since its last answer."""
    return bool(session.value("SELECT EXISTS (SELECT 1 FROM git_host WHERE host = :host)", host=host))


def park_waiting(session: Session, host: str, *, reason: str) -> None:
    """Let the repositories wait that no worker holds, refreshes too."""
    session.run(
        f"""{WAIT} WHERE id IN (
            SELECT id FROM repository
            WHERE host = :host AND state IN ('pending', 'commits_processing') AND {NOT_HELD} {{skip_locked}}
        )""",
        host=host,
        code=WaitingCode.HOST_IS_DOWN,
        delay=_PARKED,
        spread=600.0,
        reason=reason,
    )


def park(session: Session, repository_id: int, *, reason: str) -> None:
    """Let one repository wait, which the caller has locked."""
    session.run(
        f"{WAIT} WHERE id = :id AND state IN ('pending', 'commits_processing')",
        id=repository_id,
        code=WaitingCode.HOST_IS_DOWN,
        delay=_PARKED,
        spread=600.0,
        reason=reason,
    )


def wait(session: Session, repository_id: int, token: int, *, code: str, delay: float, reason: str) -> bool:
    """Let one repository wait for its own next try, if the lease token is still valid."""
    return bool(
        session.run(
            f"{WAIT} WHERE id = :id AND lease_token = :token AND state IN ('pending', 'commits_processing')",
            id=repository_id,
            token=token,
            code=code,
            delay=delay,
            spread=0.0,
            reason=reason,
        )
    )


def why_down(session: Session, host: str, repository_id: int) -> str | None:
    """Why a repository must wait for its host; None if it need not, or is the probe."""
    reason: str | None = session.value(
        """SELECT message FROM git_host
        WHERE host = :host AND down_since IS NOT NULL AND coalesce(probe_repository_id, 0) <> :id""",
        host=host,
        id=repository_id,
    )
    return reason


def may_not_try(session: Session, host: str, repository_id: int) -> str | None:
    """Make a repository that a client wants now the probe of its host, if that is down and has none.

    Returns:
        Why it must wait; None if it may be tried.
    """
    row = session.one(
        f"""SELECT message, coalesce(probe_repository_id, 0) AS probe, probe_repository_id IS NOT NULL
            AND (next_try_at > {{now}} OR {_PROBE_RUNS}) AS is_tried
        FROM git_host WHERE host = :host AND down_since IS NOT NULL""",
        host=host,
    )
    if row is None:
        return None
    if row["is_tried"] and row["probe"] != repository_id:
        return str(row["message"])
    _note_probe(session, host, repository_id)
    return None


_PROBE_RUNS = """EXISTS (
    SELECT 1 FROM repository WHERE repository.id = git_host.probe_repository_id AND lease_until >= {now}
)"""


def _note_probe(session: Session, host: str, repository_id: int) -> None:
    session.run(
        f"""UPDATE git_host SET probe_repository_id = :id, next_try_at = {{now}} + {PROBE_SECONDS}
        WHERE host = :host""",
        host=host,
        id=repository_id,
    )


def look(session: Session) -> tuple[bool, bool]:
    """Whether :func:`begin_probes` or :func:`restart_due` would find something, and whether anything is unfinished."""
    [(is_any_due, is_unfinished)] = session.tuples(
        f"""SELECT EXISTS (SELECT 1 FROM git_host WHERE down_since IS NOT NULL AND next_try_at <= {{now}})
                OR EXISTS (SELECT 1 FROM repository WHERE state = 'completed' AND not_before <= {{now}}),
            EXISTS (SELECT 1 FROM repository WHERE {due_times.UNFINISHED})"""
    )
    return bool(is_any_due), bool(is_unfinished)


def begin_probes(session: Session) -> list[int]:
    """Choose a repository of each host that is due to be tried; return their ids.

    Each probe is another one, so that a repository that alone fails does not hide that its host is back.
    """
    # Before any row is locked, as wherever a count may follow.
    start = next_virtual_start(session, None)
    hosts = session.all(
        f"""SELECT host FROM git_host WHERE down_since IS NOT NULL AND next_try_at <= {{now}} AND NOT {_PROBE_RUNS}
        {{skip_locked}}"""
    )
    return [found for row in hosts if (found := _begin_probe(session, row["host"], start)) is not None]


def _begin_probe(session: Session, host: str, start: float) -> int | None:
    found: int | None = session.value(
        f"""SELECT id FROM repository WHERE host = :host AND waiting_code = '{WaitingCode.HOST_IS_DOWN}' AND {NOT_HELD}
        ORDER BY CASE WHEN not_before > {{now}} THEN 1 ELSE 0 END, coalesce(last_attempt, 0), id
        LIMIT 1 {{skip_locked}}""",
        host=host,
    )
    if found is None:
        # Nothing waits: the next submission tries.
        session.run("DELETE FROM git_host WHERE host = :host", host=host)
        return None
    _note_probe(session, host, found)
    session.run(
        """UPDATE repository SET state = 'pending', not_before = NULL, virtual_start = :start, enqueued_at = {now},
            updated_at = {now}
        WHERE id = :id""",
        id=found,
        start=start,
    )
    return found


def restart_due(session: Session, *, limit: int) -> list[int]:
    """Begin the refreshes of boards that are to be tried again by now; return their ids."""
    restart = update_some(
        f"""state = 'pending', not_before = NULL, waiting_code = NULL,
            virtual_start = CASE WHEN is_scheduled THEN {SCHEDULED_FROM} + {{now}} ELSE :start END,
            crashes = 0, attempts = 0, enqueued_at = {{now}}, updated_at = {{now}}""",
        chosen="""SELECT id FROM repository WHERE state = 'completed' AND not_before <= {now} AND host <> ''
            ORDER BY not_before LIMIT :limit {skip_locked}""",
    )
    rows = session.all(
        f"{restart} RETURNING id",
        start=next_virtual_start(session, None),
        limit=limit,
    )
    return sorted(row["id"] for row in rows)


def try_all_now(session: Session) -> None:
    """Let the next probe of each host begin."""
    session.run(
        """UPDATE git_host SET next_try_at = {now}
        WHERE down_since IS NOT NULL AND probe_repository_id IS NULL"""
    )


def number_down(session: Session) -> tuple[int, float]:
    """Return how many hosts are down, and for how many seconds the first of them."""
    [(number, seconds)] = session.tuples(
        "SELECT count(*), max({now} - down_since) FROM git_host WHERE down_since IS NOT NULL"
    )
    return number, max(0.0, seconds or 0.0)


def down(session: Session, *, limit: int) -> list[DownHost]:
    """The hosts that are down, the longest first."""
    rows: list[Any] = session.all(
        f"""SELECT host, down_since AS since, next_try_at, message, (
            SELECT count(*) FROM repository
            WHERE repository.host = git_host.host AND waiting_code = '{WaitingCode.HOST_IS_DOWN}'
        ) AS waiting
        FROM git_host WHERE down_since IS NOT NULL ORDER BY down_since, host LIMIT :limit""",
        limit=limit,
    )
    return [DownHost(**row) for row in rows]
