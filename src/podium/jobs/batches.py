"""Batches of e-mails: number, claim and finish them.

The caller's transaction has locked the repository's row. If two last batches end at the same moment, the second one
sees that nothing is left.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from podium.jobs.periodic import Periodic
from podium.jobs.queues import BATCH_SIZE
from podium.repositories.store import transitions
from podium.storage.session import Database, Row, Session

# Another worker can take a killed worker's batch after this many seconds.
CLAIM_SECONDS = 15.0

# All names of an e-mail are in one batch. E-mails with the most commits come first, then the newest.
_ASSIGN = """
UPDATE commit_data SET batch = numbered.batch, claim_token = NULL, claim_until = NULL
FROM (
    SELECT email, (
        ROW_NUMBER() OVER (
            ORDER BY SUM(commit_count + merge_count + co_authored_count) DESC,
                COALESCE(MAX(last_commit_at), MAX(last_merge_at), MAX(last_co_authored_at)) DESC, email
        ) - 1
    ) / :size AS batch
    FROM commit_data WHERE repository_id = :id AND NOT processed GROUP BY email
) AS numbered
WHERE commit_data.repository_id = :id AND NOT commit_data.processed AND commit_data.email = numbered.email
"""

_CLAIM = """
UPDATE commit_data SET claim_token = :token, claim_until = {now} + :seconds
WHERE repository_id = :id AND batch = :batch AND NOT processed AND claim_until IS NULL
RETURNING id, email, name, sample_sha, sample_co_authors, other_sha, commit_count + merge_count AS authored,
    COALESCE(last_commit_at, last_merge_at, last_co_authored_at) AS last_at
"""

_EXPIRE = """
UPDATE commit_data SET claim_until = NULL WHERE repository_id = :id AND NOT processed AND claim_until < {now}
"""

_RENEW = """
UPDATE commit_data SET claim_until = {now} + :seconds
WHERE repository_id = :id AND batch = :batch AND claim_token = :token AND NOT processed
"""

_DONE = """
UPDATE commit_data SET processed = TRUE, claim_token = NULL, claim_until = NULL
WHERE repository_id = :id AND batch = :batch AND claim_token = :token AND NOT processed
"""

_HELD = """
SELECT id FROM commit_data WHERE repository_id = :id AND batch = :batch AND NOT processed AND claim_token = :token
"""

_GIVE_UP = """
UPDATE commit_data SET processed = TRUE, claim_token = NULL, claim_until = NULL
WHERE repository_id = :id AND NOT processed AND (claim_until IS NULL OR claim_until < {now})
"""


def assign(session: Session, repository_id: int) -> int:
    """Number the unprocessed rows into batches; return the number of e-mails."""
    session.run(_ASSIGN, id=repository_id, size=BATCH_SIZE)
    left: int = session.value(
        "SELECT count(DISTINCT email) FROM commit_data WHERE repository_id = :id AND NOT processed",
        id=repository_id,
    )
    progress = {"stage": "users", "done": 0, "total": left, "waitingUntil": None}
    transitions.start_users(session, repository_id, progress=json.dumps(progress))
    return left


def unclaimed(session: Session, repository_id: int) -> list[int]:
    """Return the unclaimed batches; ``[0]`` if none is left: a message for batch 0 completes the repository."""
    rows = session.all(
        """SELECT batch, MAX(CASE WHEN claim_until > {now} THEN 1 ELSE 0 END) AS claimed FROM commit_data
        WHERE repository_id = :id AND NOT processed GROUP BY batch ORDER BY batch""",
        id=repository_id,
    )
    return [row["batch"] for row in rows if not row["claimed"]] if rows else [0]


def claim(session: Session, repository_id: int, batch: int, token: str) -> tuple[list[Row], bool]:
    """Claim a batch's unprocessed rows; return them, and whether an earlier claim had expired."""
    expired = session.run(f"{_EXPIRE} AND batch = :batch", id=repository_id, batch=batch)
    if expired:
        # Expired claims of one repository usually belong to one dead process, so they count as one crash. A late but
        # live worker keeps its batch until another worker claims it.
        session.run(_EXPIRE, id=repository_id)
    rows = session.all(_CLAIM, id=repository_id, batch=batch, token=token, seconds=CLAIM_SECONDS)
    return rows, bool(expired)


def release(session: Session, repository_id: int, batch: int, token: str) -> None:
    session.run(
        """UPDATE commit_data SET claim_token = NULL, claim_until = NULL
        WHERE repository_id = :id AND batch = :batch AND claim_token = :token AND NOT processed""",
        id=repository_id,
        batch=batch,
        token=token,
    )


def release_all(session: Session, repository_id: int) -> None:
    """Void every claim, so that no holder can save."""
    session.run(
        "UPDATE commit_data SET claim_token = NULL, claim_until = NULL WHERE repository_id = :id AND NOT processed",
        id=repository_id,
    )


def holds(session: Session, repository_id: int, batch: int, token: str) -> bool:
    return session.one(_HELD + " LIMIT 1", id=repository_id, batch=batch, token=token) is not None


def held(session: Session, repository_id: int, batch: int, token: str) -> set[int]:
    return {row["id"] for row in session.all(_HELD, id=repository_id, batch=batch, token=token)}


def finish(session: Session, repository_id: int, batch: int, token: str) -> int:
    """Mark a claimed batch's rows as processed; return 0 if the claim was lost."""
    return session.run(_DONE, id=repository_id, batch=batch, token=token)


def finish_some(session: Session, repository_id: int, batch: int, token: str, emails: Iterable[str]) -> None:
    rows = [{"id": repository_id, "batch": batch, "token": token, "email": email} for email in emails]
    session.executemany(_DONE + " AND email = :email", rows)


def give_up(session: Session, repository_id: int, reason: str) -> None:
    """Mark all unclaimed rows as processed; users read ``reason``."""
    session.run(_GIVE_UP, id=repository_id)
    transitions.explain_unresolved(session, repository_id, reason)


def renewing(db: Database, repository_id: int, batch: int, token: str) -> Periodic:
    def renew() -> None:
        with db.write() as session:
            session.run(_RENEW, id=repository_id, batch=batch, token=token, seconds=CLAIM_SECONDS)

    return Periodic(f"claim-{repository_id}-{batch}", CLAIM_SECONDS / 3, renew)
