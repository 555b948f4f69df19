"""When the host of a repository is asked next (``check_at``): where it is, and what its head is.

A repository has its own slot in each interval, by its id, so that no two moments have many. A row without a time is
given one by :func:`enrol` if it is a board that may be scheduled (:data:`podium.storage.due_times.MAY_BE_SCHEDULED`)
and was read in the last 30 days. So whatever leaves ``check_at`` empty, such as a count or another name, leaves the
next check to the schedule.

One row is checked for its family: that of the repository, or else the oldest of its branches and tags. The others have
times, too, so that another one takes its place when it goes; :func:`pass_over` leaves them out.

A process that takes due rows claims them: they are due again after some minutes, in case that it dies. What it writes
then is written only to rows that are still claimed by it, so that a hook which makes one due meanwhile is not lost.
Rows are written in the order of their ids, so that two processes do not wait for each other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping

from podium.repositories.model import COLUMNS, Repository
from podium.repositories.store.queries import NOT_FORGOTTEN, update_some
from podium.repositories.store.queue.pauses import IS_PAUSED
from podium.storage import due_times
from podium.storage.session import Session

# Seconds for which a board that was read is scheduled.
READ_WITHIN = 30 * 86_400.0
# Seconds until a claimed row is due again.
CLAIMED = 300.0
# Seconds after which a row that nothing has checked is late: the schedule did not run.
_LATE = 600.0
# A check may come so much of an interval before its slot, so that many are asked for together. What is late is spread
# over as much.
EARLY = 8
# Seconds until it is seen again whether the host of a board that it denied may be asked.
_GONE_AGAIN = 3600.0
# Rows of one transaction.
_AT_A_TIME = 2000
_ENROLLED = 500

# Whole seconds: both databases divide and round them alike.
_EVERY = "CAST(coalesce(refresh_every, :every) AS bigint)"
# Multiples of the golden ratio: any run of ids is spread evenly.
_SHARE = "(id * 618033989 % 1000000000)"
_PLACE = f"({_SHARE} * {_EVERY} / 1000000000)"
# A count asks the host, too.
_KNOWN_AT = """CASE WHEN coalesce(checked_at, 0) > coalesce(commits_processed_at, 0) THEN coalesce(checked_at, 0)
    ELSE coalesce(commits_processed_at, 0) END"""
WAS_READ = f"{due_times.WANTED_AT} > {{now}} - {READ_WITHIN}"
_HAS_INTERVAL = "coalesce(refresh_every, :every) > 0"


def _slot_after(moment: str) -> str:
    """The repository's first slot after a moment, which must not be before 1971."""
    whole = f"CAST({moment} AS bigint)"
    return f"({whole} + {_EVERY} - ({whole} - {_PLACE}) % {_EVERY})"


_NEXT_SLOT = _slot_after(f"{{now}} + {_EVERY} / {EARLY}")
_FIRST_SLOT = f"""CASE WHEN {_KNOWN_AT} + {_EVERY} / {EARLY} > {{now}}
    THEN {_slot_after(f"({_KNOWN_AT}) + {_EVERY} / {EARLY}")} ELSE {_slot_after("{now}")} END"""


@dataclasses.dataclass(frozen=True, slots=True)
class Pending:
    """Whether a check is due, whether a board has no time for its next one, and whether the schedule is paused."""

    is_due: bool
    is_unscheduled: bool
    is_paused: bool


def pending(session: Session, *, every: float) -> Pending:
    """A look at each of the indexes. ``every``: seconds, of repositories without an interval of their own; 0: never."""
    [(is_due, is_unscheduled, is_paused)] = session.tuples(
        f"""SELECT EXISTS (SELECT 1 FROM repository WHERE check_at <= {{now}}),
            EXISTS (SELECT 1 FROM repository WHERE {_IS_OF_ITS_OWN})
                OR :every > 0 AND EXISTS (SELECT 1 FROM repository WHERE {_IS_OF_THE_SETTING}),
            EXISTS (SELECT 1 FROM pause WHERE kind = 'schedule')""",
        every=every,
    )
    return Pending(bool(is_due), bool(is_unscheduled), bool(is_paused))


_IS_OF_ITS_OWN = f"{due_times.UNSCHEDULED} AND {WAS_READ} AND refresh_every > 0"
_IS_OF_THE_SETTING = f"{due_times.UNSCHEDULED} AND {WAS_READ} AND refresh_every IS NULL"


def enrol(session: Session, *, every: float) -> int:
    """Give boards without a time their first slot; return how many there were."""
    chosen = [_IS_OF_ITS_OWN, *([_IS_OF_THE_SETTING] if every > 0 else [])]
    parts = [
        f"SELECT id FROM (SELECT id FROM repository WHERE {which} LIMIT :limit {{skip_locked}}) AS chosen"
        for which in chosen
    ]
    return session.run(
        update_some(f"check_at = {_FIRST_SLOT}", chosen=" UNION ALL ".join(parts)),
        every=every,
        limit=_ENROLLED,
    )


def settle_late(session: Session, *, every: float) -> int:
    """Spread what is late because no schedule ran, and leave what the interval would not give to :func:`enrol`.

    What the host denied is asked for at once, and so is what was not found under its name.

    Returns:
        How many rows changed; as many as fit into one transaction at most.
    """
    return session.run(
        update_some(
            f"""check_at = CASE
                WHEN check_at <= {{now}} AND {_HAS_INTERVAL} THEN {{now}} + 1 + {_PLACE} / {EARLY} END""",
            chosen=f"""SELECT id FROM repository
                WHERE (check_at < {{now}} - {_LATE}
                    OR check_at > {{now}} + {_LATE} + :every * (1 + 1.0 / {EARLY}) AND refresh_every IS NULL)
                    AND gone_since IS NULL AND name_taken_at IS NULL
                LIMIT {_AT_A_TIME} {{skip_locked}}""",
        ),
        every=every,
    )


# A branch or tag whose repository, or an older branch or tag of it, is checked or never to be checked.
_IS_REPRESENTED = """parent_key IS NOT NULL AND EXISTS (
    SELECT 1 FROM repository AS other
    WHERE other.key = repository.parent_key AND (other.check_at IS NOT NULL OR other.refresh_every = 0)
        OR other.parent_key = repository.parent_key AND other.id < repository.id AND other.check_at IS NOT NULL
)"""
_SKIPPED = f"""check_at = CASE WHEN {_HAS_INTERVAL} AND {WAS_READ} THEN {_NEXT_SLOT}
    WHEN gone_since IS NOT NULL THEN {{now}} + {_GONE_AGAIN} END"""


def pass_over(session: Session, *, every: float) -> int:
    """Give branches and tags that are due, and for which another row is checked, their next slot."""
    return session.run(
        update_some(
            _SKIPPED,
            chosen=f"""SELECT id FROM repository WHERE check_at <= {{now}} AND {_IS_REPRESENTED}
                LIMIT {_AT_A_TIME} {{skip_locked}}""",
        ),
        every=every,
    )


def _claim(condition: str) -> str:
    claim = update_some(
        f"check_at = {{now}} + {CLAIMED}",
        chosen=f"""SELECT id FROM repository
            WHERE check_at <= {{now}} + :ahead AND {NOT_FORGOTTEN} AND NOT {IS_PAUSED} AND {condition}
            ORDER BY check_at LIMIT :limit {{skip_locked}}""",
    )
    return f"{claim} RETURNING {', '.join(COLUMNS)}"


_CLAIM_ANY = _claim("host <> ''")


def take_due(session: Session, *, limit: int) -> list[Repository]:
    """Claim the repositories whose checks are due, the longest first."""
    rows = session.all(_CLAIM_ANY, ahead=0.0, limit=limit)
    return sorted(map(Repository.from_row, rows), key=lambda row: row.id)


def take_early(session: Session, host: str, *, every: float, limit: int, without: Collection[int]) -> list[Repository]:
    """Claim further repositories of a host, whose checks are due in an eighth of the interval."""
    others = f"id NOT IN ({', '.join(str(int(number)) for number in without)})" if without else "id > 0"
    claim = _claim(f"host = :host AND {others} AND NOT ({_IS_REPRESENTED})")
    rows = session.all(claim, host=host, ahead=every / EARLY, limit=limit)
    return sorted(map(Repository.from_row, rows), key=lambda row: row.id)


def settle_unchanged(session: Session, unchanged: Mapping[int, tuple[str | None, float]], *, every: float) -> int:
    """Note that hosts answered what was known, and give their repositories the next slot.

    unchanged: by id, the host id (None: not said), and ``check_at`` as it was claimed.
    """
    if not unchanged:
        return 0
    values: dict[str, object] = {}
    places = []
    for place, (number, (host_number, claimed)) in enumerate(sorted(unchanged.items())):
        values |= {f"n{place}": host_number, f"c{place}": claimed}
        places.append(f"({int(number)}, CAST(:n{place} AS text), CAST(:c{place} AS double precision))")
    return session.run(
        f"""UPDATE repository SET checked_at = {{now}}, host_number = coalesce(host_number, column2),
            check_at = CASE WHEN {due_times.MAY_BE_SCHEDULED} AND {_HAS_INTERVAL} AND {WAS_READ} THEN {_NEXT_SLOT} END
        FROM (VALUES {", ".join(places)}) AS answered WHERE id = column1 AND check_at = column3""",
        every=every,
        **values,
    )


def skip(session: Session, claimed: Mapping[int, float], *, every: float) -> int:
    """Give repositories that may not be checked now their next slot. ``claimed``: by id, ``check_at`` as claimed."""
    if not claimed:
        return 0
    return session.run(
        f"""UPDATE repository SET {_SKIPPED}
        FROM (VALUES {_values(claimed)}) AS skipped WHERE id = column1 AND check_at = column2""",
        every=every,
        **_moments(claimed),
    )


def postpone(session: Session, claimed: Mapping[int, float], delays: Mapping[int, float]) -> int:
    """Check repositories after ``delays`` seconds. Both by id; ``claimed``: as in :func:`skip`."""
    if not claimed:
        return 0
    waits = ", ".join(
        f"({int(number)}, CAST(:m{place} AS double precision), {float(delays[number])!r})"
        for place, number in enumerate(sorted(claimed))
    )
    return session.run(
        f"""UPDATE repository SET check_at = {{now}} + column3
        FROM (VALUES {waits}) AS postponed WHERE id = column1 AND check_at = column2""",
        **_moments(claimed),
    )


def _values(claimed: Mapping[int, float]) -> str:
    return ", ".join(
        f"({int(number)}, CAST(:m{place} AS double precision))" for place, number in enumerate(sorted(claimed))
    )


def _moments(claimed: Mapping[int, float]) -> dict[str, float]:
    return {f"m{place}": claimed[number] for place, number in enumerate(sorted(claimed))}


def numbers_of_others(session: Session, host: str, numbers: Collection[str]) -> dict[str, set[int]]:
    """The ids of repositories that have one of these host ids."""
    names = {f"n{place}": number for place, number in enumerate(numbers)}
    rows = session.tuples(
        f"""SELECT host_number, id FROM repository
        WHERE host = :host AND host_number IN ({", ".join(f":{name}" for name in names)}) AND parent_key IS NULL""",
        host=host,
        **names,
    )
    found: dict[str, set[int]] = {}
    for number, repository_id in rows:
        found.setdefault(number, set()).add(repository_id)
    return found


def with_number(repository: Repository, number: str | None) -> Repository:
    """The repository as it is after :func:`settle_unchanged`."""
    return dataclasses.replace(repository, host_number=repository.host_number or number)


def set_interval(session: Session, repository_id: int, seconds: float | None, *, every: float) -> None:
    """Set the seconds between two checks of a repository; 0: never, None: every ``every`` seconds.

    What its host denied, or has under another name, is asked for as before.
    """
    session.run("UPDATE repository SET refresh_every = :seconds WHERE id = :id", id=repository_id, seconds=seconds)
    session.run(
        f"""UPDATE repository SET check_at = CASE
            WHEN gone_since IS NOT NULL OR taken_number IS NOT NULL THEN check_at
            WHEN {due_times.MAY_BE_SCHEDULED} AND {_HAS_INTERVAL} AND {WAS_READ} THEN {_FIRST_SLOT} END
        WHERE id = :id""",
        id=repository_id,
        every=every,
    )
