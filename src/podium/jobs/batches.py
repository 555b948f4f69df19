"""Batches of e-mails: numbering the unprocessed ones, claiming a batch, and finishing it.

All of these run inside a transaction that has locked the repository's row
(:func:`podium.repositories.store.queries.lock`): of two last batches that end at the same moment, the second sees that
nothing is left.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from podium.jobs.periodic import Periodic
from podium.jobs.queues import BATCH_SIZE
from podium.repositories.store import transitions
from podium.storage.session import Database, Row, Session

# Seconds after which a claim that is not renewed is void, so that a killed worker's batch can be taken up by another.
CLAIM_SECONDS = 15.0

# All names of one e-mail go into one batch, the e-mails with most commits first, of those with equally many the newest.
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

_RUN_OUT = """
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

# Rows of one batch that are not processed: what ix_commit_data_unprocessed finds, however large the repository.
_HELD = """
SELECT id FROM commit_data WHERE repository_id = :id AND batch = :batch AND NOT processed AND claim_token = :token
"""

# Not what a worker holds a claim on: it finds out by itself.
_GIVE_UP = """
UPDATE commit_data SET processed = TRUE, claim_token = NULL, claim_until = NULL
WHERE repository_id = :id AND NOT processed AND (claim_until IS NULL OR claim_until < {now})
"""


def assign(session: Session, repository_id: int) -> int:
    """Number the unprocessed rows into batches of at most 50 e-mails; give how many e-mails there are.

    The repository's progress starts again with that number as its total.
    """
    session.run(_ASSIGN, id=repository_id, size=BATCH_SIZE)
    left: int = session.value(
        "SELECT count(DISTINCT email) FROM commit_data WHERE repository_id = :id AND NOT processed",
        id=repository_id,
    )
    progress = {"stage": "users", "done": 0, "total": left, "waitingUntil": None}
    transitions.start_users(session, repository_id, progress=json.dumps(progress))
    return left


def unclaimed(session: Session, repository_id: int) -> list[int]:
    """The numbers of the unprocessed batches without a claim; ``[0]`` where no batch is left.

    A message for batch 0 of a repository without any batch completes it.
    """
    rows = session.all(
        """SELECT batch, MAX(CASE WHEN claim_until > {now} THEN 1 ELSE 0 END) AS claimed FROM commit_data
        WHERE repository_id = :id AND NOT processed GROUP BY batch ORDER BY batch""",
        id=repository_id,
    )
    return [row["batch"] for row in rows if not row["claimed"]] if rows else [0]


def claim(session: Session, repository_id: int, batch: int, token: str) -> tuple[list[Row], bool]:
    """Claim a batch's unprocessed rows; give them, and whether an earlier claim had expired: a worker crashed."""
    died = session.run(f"{_RUN_OUT} AND batch = :batch", id=repository_id, batch=batch)
    if died:
        # Expired claims of one repository usually belong to one dead process: clear them together, as one crash. A late
        # but live claimant keeps its batch until another worker claims it.
        session.run(_RUN_OUT, id=repository_id)
    rows = session.all(_CLAIM, id=repository_id, batch=batch, token=token, seconds=CLAIM_SECONDS)
    return rows, bool(died)


def release(session: Session, repository_id: int, batch: int, token: str) -> None:
    """Give a claim back unfinished."""
    session.run(
        """UPDATE commit_data SET claim_token = NULL, claim_until = NULL
        WHERE repository_id = :id AND batch = :batch AND claim_token = :token AND NOT processed""",
        id=repository_id,
        batch=batch,
        token=token,
    )


def release_all(session: Session, repository_id: int) -> None:
    """Void every claim on a repository's batches, so that their holders can save nothing."""
    session.run(
        "UPDATE commit_data SET claim_token = NULL, claim_until = NULL WHERE repository_id = :id AND NOT processed",
        id=repository_id,
    )


def holds(session: Session, repository_id: int, batch: int, token: str) -> bool:
    """Whether a claim still stands, on a row at least."""
    return session.one(_HELD + " LIMIT 1", id=repository_id, batch=batch, token=token) is not None


def held(session: Session, repository_id: int, batch: int, token: str) -> set[int]:
    """The numbers of the rows that a claim still holds."""
    return {row["id"] for row in session.all(_HELD, id=repository_id, batch=batch, token=token)}


def finish(session: Session, repository_id: int, batch: int, token: str) -> int:
    """Mark a claimed batch's rows processed; 0 where the claim had passed to another worker."""
    return session.run(_DONE, id=repository_id, batch=batch, token=token)


def finish_some(session: Session, repository_id: int, batch: int, token: str, emails: Iterable[str]) -> None:
    """Mark those rows of a claimed batch processed that have one of ``emails``."""
    rows = [{"id": repository_id, "batch": batch, "token": token, "email": email} for email in emails]
    session.executemany(_DONE + " AND email = :email", rows)


def give_up(session: Session, repository_id: int, reason: str) -> None:
    """Mark all that is left and not in hand processed, and keep why it stays unresolved, for people."""
    session.run(_GIVE_UP, id=repository_id)
    transitions.explain_unresolved(session, repository_id, reason)


def renewing(db: Database, repository_id: int, batch: int, token: str) -> Periodic:
    """A thread that renews a claim while it runs; once the claim has passed on, renewing does nothing.

    A database that is away for longer lets the claim expire: another worker takes the batch.
    """

    def renew() -> None:
        with db.write() as session:
            session.run(_RENEW, id=repository_id, batch=batch, token=token, seconds=CLAIM_SECONDS)

    return Periodic(f"claim-{repository_id}-{batch}", CLAIM_SECONDS / 3, renew)
