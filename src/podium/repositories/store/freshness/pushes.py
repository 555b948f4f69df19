"""What hooks ask for: which repository one names, and when it is counted or checked next.

A repository that was counted for the first time is due, too: its host is asked for its host id.

``hook_due_at`` holds what a hook asked for and no process has begun. A value that is later than a push could plan
(:data:`APART`) is that of a check in progress, which its process renews, or of one that failed: a hook that comes
meanwhile replaces it, so that nothing is lost that happens while the host is asked.
"""

from __future__ import annotations

import dataclasses

from podium.repositories.model import Repository
from podium.repositories.store.queries import NOT_FORGOTTEN, SELECT, update_some
from podium.repositories.store.queue.pauses import MAY_CHECK, MAY_REFRESH
from podium.storage.session import Row, Session

# Rows of one transaction.
_AT_A_TIME = 1000
# Seconds between two counts of a repository that pushes ask for.
APART = 60.0
# Seconds between two checks of a repository that hooks ask for.
CHECKS_APART = 10.0
# Seconds after which a check is tried again whose process ended, and one that the host did not answer: twice as many
# each time, up to the last number.
CLAIMED, AGAIN, LONGEST_AGAIN = 120.0, 90.0, 3600.0

_MOMENT = f"{SELECT}, last_attempt, {{now}} AS now FROM repository"

_FIND = f"""{_MOMENT}
WHERE id IN (
    SELECT id FROM repository WHERE host = :host AND host_number = :number
    UNION SELECT id FROM repository WHERE key IN (:key, :former)
    UNION SELECT id FROM repository WHERE parent_key IN (:key, :former)
    UNION SELECT repository_id FROM former_name WHERE key IN (:key, :former)
) AND host = :host AND {NOT_FORGOTTEN}
ORDER BY CASE WHEN host_number = :number THEN 0 WHEN :key IN (key, parent_key) THEN 1
    WHEN :former IN (key, parent_key) THEN 2 ELSE 3 END, CASE WHEN parent_key IS NULL THEN 0 ELSE 1 END, id
LIMIT 1
"""

_IS_UP = "NOT EXISTS (SELECT 1 FROM git_host WHERE git_host.host = repository.host AND down_since IS NOT NULL)"

# A branch or tag whose repository was never submitted is counted, which asks the host, too.
_WANTS_CHECK = "(hook_wants_check OR hidden_at IS NOT NULL OR name_taken_at IS NOT NULL) AND parent_key IS NULL"
_IS_DUE = f"hook_due_at <= {{now}} AND {NOT_FORGOTTEN} AND {_IS_UP}"

# A check is due whatever is being counted; a count waits for the one before it.
_DUE_COUNTS = f"""SELECT id FROM repository
WHERE {_IS_DUE} AND NOT ({_WANTS_CHECK}) AND state NOT IN ('pending', 'commits_processing') AND {MAY_REFRESH}
ORDER BY hook_due_at LIMIT :limit
"""
_DUE_CHECKS = f"""{_MOMENT} WHERE id IN (
    SELECT id FROM (
        SELECT id, ROW_NUMBER() OVER (PARTITION BY host ORDER BY hook_due_at) AS place FROM repository
        WHERE {_IS_DUE} AND {_WANTS_CHECK} AND {MAY_CHECK}
    ) AS of_host WHERE place <= :per_host
) ORDER BY hook_due_at LIMIT :limit
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Moment:
    """A repository at one moment of the database's clock, in seconds since the epoch.

    counted_at: when its latest count began; None: never.
    """

    repository: Repository
    counted_at: float | None
    now: float

    @classmethod
    def of(cls, row: Row) -> Moment:
        return cls(Repository.from_row(row), row["last_attempt"], row["now"])

    def without_plan(self) -> Moment:
        return dataclasses.replace(self, repository=dataclasses.replace(self.repository, hook_due_at=None))


def is_unidentified(repository: Repository) -> bool:
    """Whether only the host id is asked for, of a repository that was just counted for the first time.

    Its head needs no question. No hook has come since: that would have changed the time.
    """
    return (
        repository.hook_wants_check
        and repository.hook_due_at is not None
        and repository.hook_due_at == repository.commits_processed_at
        and repository.host_number is None
        and repository.gone_since is None
        and repository.name_taken_at is None
    )


def end_identifications(session: Session, host: str, *, is_scheduled: bool) -> None:
    """Leave it to the schedule to ask for the host ids of the new repositories of a host.

    is_scheduled: it asks now, and otherwise when it asks for the head.
    """
    at = "{now}" if is_scheduled else "check_at"
    session.run(
        update_some(
            f"hook_due_at = NULL, hook_wants_check = false, check_at = {at}",
            chosen=f"""SELECT id FROM repository WHERE hook_due_at <= {{now}} AND hook_due_at = commits_processed_at
                AND host = :host AND hook_wants_check AND host_number IS NULL LIMIT {_AT_A_TIME} {{skip_locked}}""",
        ),
        host=host,
    )


def find(session: Session, *, host: str, number: str | None, key: str, former: str | None) -> Moment | None:
    """Find the repository that a hook names: by its host id, else by its key or a former name.

    It may be a branch or tag, if the repository itself was never submitted.
    """
    row = session.one(_FIND, host=host, number=number or "", key=key, former=former or key)
    return None if row is None else Moment.of(row)


def lock(session: Session, repository_id: int) -> Moment | None:
    """Lock a row against other writers until the transaction ends, and return it."""
    row = session.one(f"{_MOMENT} WHERE id = :id AND {NOT_FORGOTTEN} {{for_update}}", id=repository_id)
    return None if row is None else Moment.of(row)


def is_paused(session: Session, repository_id: int) -> bool:
    """Whether an administrator keeps hooks from counting a repository."""
    return session.one(f"SELECT 1 AS one FROM repository WHERE id = :id AND {MAY_REFRESH}", id=repository_id) is None


def note_count(session: Session, repository_id: int) -> None:
    """Note that a push has started a count, with the priority of a person's."""
    session.run(
        "UPDATE repository SET pushed_at = {now}, hook_due_at = NULL, hook_wants_check = false WHERE id = :id",
        id=repository_id,
    )


def plan(session: Session, repository_id: int, at: float, *, check: bool) -> None:
    """Let the next count, or the next check, be due at a time. A check that is to be made stays one."""
    session.run(
        "UPDATE repository SET hook_due_at = :at, hook_wants_check = hook_wants_check OR :check WHERE id = :id",
        id=repository_id,
        at=at,
        check=check,
    )


def plan_count(session: Session, repository_id: int) -> None:
    """Let a count be due as soon as nothing is paused, in place of the check that has shown another head."""
    session.run("UPDATE repository SET hook_due_at = {now}, hook_wants_check = false WHERE id = :id", id=repository_id)


def forget_plan(session: Session, repository_id: int) -> None:
    session.run("UPDATE repository SET hook_due_at = NULL, hook_wants_check = false WHERE id = :id", id=repository_id)


def seconds_until_due(session: Session) -> float | None:
    """Seconds until the next of what hooks have asked for is due, if nothing keeps it back; None: there is nothing."""
    found: float | None = session.value("SELECT min(hook_due_at) - {now} FROM repository WHERE hook_due_at IS NOT NULL")
    return found


def due_counts(session: Session, *, limit: int) -> list[int]:
    """The repositories that are to be counted now because hooks have asked for it, the longest due first."""
    return [number for (number,) in session.tuples(_DUE_COUNTS, limit=limit)]


def due_checks(session: Session, *, limit: int, per_host: int) -> list[Repository]:
    """The repositories about which hosts are to be asked now, the longest due first.

    per_host: the first so many of each host.
    """
    rows = session.all(_DUE_CHECKS, limit=limit, per_host=per_host)
    return [Repository.from_row(row) for row in rows]


def claim(session: Session, repository_id: int, due_at: float) -> float | None:
    """Begin a check that was due at ``due_at``, or go on with one.

    Returns:
        What :func:`end_claim` takes, or the next call; None: another process has it, or a hook has come meanwhile.
    """
    claimed: float | None = session.value(
        f"""UPDATE repository SET hook_due_at = {{now}} + {CLAIMED} WHERE id = :id AND hook_due_at = :due_at
        RETURNING hook_due_at""",
        id=repository_id,
        due_at=due_at,
    )
    return claimed


def end_claim(
    session: Session, repository_id: int, claimed: float, *, answered: bool, counts: bool, again_in: float = AGAIN
) -> None:
    """End a check, unless a hook has come meanwhile. One that the host did not answer is tried again in some seconds.

    counts: the answer has begun a count. While one runs that began before, another one follows.
    """
    session.run(
        """UPDATE repository SET
            hook_due_at = CASE WHEN NOT :answered THEN {now} + :again
                WHEN state = 'commits_processing' THEN {now} END,
            hook_wants_check = hook_wants_check AND NOT :answered,
            pushed_at = CASE WHEN :counts THEN {now} ELSE pushed_at END
        WHERE id = :id AND hook_due_at = :claimed""",
        id=repository_id,
        claimed=claimed,
        answered=answered,
        counts=counts,
        again=again_in,
    )
