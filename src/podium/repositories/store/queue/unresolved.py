"""Completed repositories some of whose accounts could not be looked up, and when they can be."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Literal

from podium.storage.session import Session

# token: when GitHub accepts a token. limit: then, or when the limit without a token ends. denied: GitHub does not show
# the repository; away: GitHub had a fault; more: one look-up does not take them all; final: never, as far as we know.
UnresolvedCode = Literal["token", "limit", "denied", "away", "more", "final"]

# Seconds until the next try of one repository: doubled each time.
_AGAIN = 600.0
_LONGEST = 86_400.0
# They reach _LONGEST.
_MOST_DOUBLINGS = 8


@dataclasses.dataclass(frozen=True, slots=True)
class WhyUnresolved:
    """``delay``: seconds after which another try makes sense."""

    code: UnresolvedCode
    delay: float = 0.0


FINAL = WhyUnresolved("final")


def explain(session: Session, repository_id: int, reason: str, unresolved: WhyUnresolved) -> None:
    session.run(
        """UPDATE repository SET unresolved_reason = :reason, unresolved_code = :code,
            accounts_again_at = CASE
                WHEN accounts_again_at > {now} + :delay THEN accounts_again_at ELSE {now} + :delay END
        WHERE id = :id""",
        id=repository_id,
        reason=reason,
        code=unresolved.code,
        delay=unresolved.delay,
    )


def settle(session: Session, repository_id: int) -> None:
    """Note that no e-mail is left to look up."""
    session.run(
        "UPDATE repository SET unresolved_code = 'final' WHERE id = :id AND state = 'completed'", id=repository_id
    )


# Rows of an earlier version have no code. The words are those of the index.
_WAITS = (
    "unresolved_reason IS NOT NULL AND coalesce(unresolved_code, '') <> 'final' AND state = 'completed' AND host <> ''"
)


def _due(codes: Collection[UnresolvedCode], at_once: Collection[UnresolvedCode]) -> str:
    is_due = "accounts_again_at IS NULL OR accounts_again_at <= {now}"
    if at_once:
        is_due += f" OR unresolved_code IN ({_quoted(at_once)})"
    is_wanted = f"unresolved_code IS NULL OR unresolved_code IN ({_quoted(codes)})"
    return f"{_WAITS} AND hidden_at IS NULL AND ({is_wanted}) AND ({is_due})"


def _quoted(codes: Collection[UnresolvedCode]) -> str:
    return ", ".join(f"'{code}'" for code in sorted(codes))


def is_any_waiting(session: Session) -> bool:
    return session.one(f"SELECT 1 AS one FROM repository WHERE {_WAITS} LIMIT 1") is not None


def take(
    session: Session, codes: Collection[UnresolvedCode], *, at_once: Collection[UnresolvedCode], limit: int
) -> list[int]:
    """Return up to ``limit`` repositories whose accounts can be looked up again; each is due again much later.

    codes: of those that can be looked up now. at_once: of those whose delay no longer matters.
    """
    rows = session.all(
        f"""SELECT id, accounts_tries AS tries FROM repository WHERE {_due(codes, at_once)}
        ORDER BY accounts_again_at, id LIMIT :limit {{skip_locked}}""",
        limit=limit,
    )
    session.executemany(
        """UPDATE repository SET accounts_tries = accounts_tries + 1, accounts_again_at = {now} + :delay
        WHERE id = :id""",
        [{"id": row["id"], "delay": min(_LONGEST, _AGAIN * 2 ** min(row["tries"], _MOST_DOUBLINGS))} for row in rows],
    )
    return [row["id"] for row in rows]


def waiting(session: Session) -> int:
    """Count the boards without some of their accounts that wait for GitHub."""
    number: int = session.value(f"SELECT count(*) FROM repository WHERE {_WAITS}")
    return number


def in_look_up(session: Session, most: int) -> int:
    """Count the repositories whose accounts are being looked up, up to ``most``."""
    number: int = session.value(
        "SELECT count(*) FROM (SELECT 1 FROM repository WHERE state = 'users_processing' LIMIT :most) AS looked_up",
        most=most,
    )
    return number
