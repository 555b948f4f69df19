"""Batches of e-mails: number, claim and finish them.

The caller's transaction has locked the repository's row. If two last batches end at the same moment, the second one
sees that nothing is left.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from podium.jobs.messages.queues import BATCH_SIZE
from podium.jobs.periodic import Periodic
from podium.repositories.overall_percent import NAME, counted_percent, saved_percent
from podium.repositories.store import queries, transitions
from podium.repositories.store.queries import OF_VALID_COUNT
from podium.storage.session import Database, Row, Session
from podium.storage.transactions.steps import EMAILS_PER_QUERY, STEP_ROWS, chunked

# Another worker can take a killed worker's batch after this many seconds.
CLAIM_SECONDS = 15.0

_UNNUMBERED = """
SELECT id, email, commit_count + merge_count AS commits, sample_at, sample_sha FROM commit_data
WHERE repository_id = :id AND count_id = :count AND NOT processed AND batch IS NULL
"""

_NUMBERED = """
SELECT email, batch FROM commit_data
WHERE repository_id = :id AND count_id = :count AND NOT processed AND batch IS NOT NULL
    AND email IN ({emails})
"""

_CLAIM = f"""
UPDATE commit_data SET claim_token = :token, claim_until = {{now}} + :seconds
WHERE {OF_VALID_COUNT} AND batch = :batch AND NOT processed AND claim_until IS NULL
RETURNING id, email, name, sample_sha, sample_co_authors, sample_at, other_sha, commit_count + merge_count AS authored
"""

_EXPIRE = f"""
UPDATE commit_data SET claim_until = NULL WHERE {OF_VALID_COUNT} AND NOT processed AND claim_until < {{now}}
"""

_RENEW = f"""
UPDATE commit_data SET claim_until = {{now}} + :seconds
WHERE {OF_VALID_COUNT} AND batch = :batch AND claim_token = :token AND NOT processed
"""

_DONE = f"""
UPDATE commit_data SET processed = TRUE, claim_token = NULL, claim_until = NULL
WHERE {OF_VALID_COUNT} AND batch = :batch AND claim_token = :token AND NOT processed
"""

_HELD = f"""
SELECT id FROM commit_data WHERE {OF_VALID_COUNT} AND batch = :batch AND NOT processed AND claim_token = :token
"""

_LEFT = f"SELECT 1 AS one FROM commit_data WHERE {OF_VALID_COUNT} AND NOT processed LIMIT 1"

_GIVE_UP = f"""
UPDATE commit_data SET processed = TRUE, claim_token = NULL, claim_until = NULL
WHERE id IN (
    SELECT id FROM commit_data
    WHERE {OF_VALID_COUNT} AND NOT processed AND (claim_until IS NULL OR claim_until < {{now}}) LIMIT :most
)
"""


def number(session: Session, repository_id: int, count_id: int) -> list[tuple[int, int]]:
    """Return a batch for each unprocessed row without one, as (batch, id).

    All names of an e-mail are in one batch. E-mails with the most commits come first, then the newest. Those that a
    commit of an earlier e-mail names, too, come last: they are known by then, and their batches need no request.
    """
    rows = session.tuples(_UNNUMBERED, id=repository_id, count=count_id)
    by_email: dict[str, list[tuple[int, int]]] = {}
    samples: dict[str, set[str]] = {}
    for _, email, commits, sample_at, sample in rows:
        by_email.setdefault(email, []).append((commits, sample_at or 0))
        samples.setdefault(email, set()).add(sample)
    last = session.value(
        "SELECT MAX(batch) FROM commit_data WHERE repository_id = :id AND count_id = :count AND NOT processed",
        id=repository_id,
        count=count_id,
    )
    batches = {} if last is None else _numbered(session, repository_id, count_id, by_email)
    order = sorted(
        by_email.keys() - batches.keys(),
        key=lambda email: (-sum(n for n, _ in by_email[email]), -max(at for _, at in by_email[email]), email),
    )
    first = 0 if last is None else last + 1
    batches.update((email, first + place // BATCH_SIZE) for place, email in enumerate(_named_last(order, samples)))
    return [(batches[email], row_id) for row_id, email, *_ in rows]


def _named_last(order: Iterable[str], samples: Mapping[str, set[str]]) -> list[str]:
    """``order``, with those last that share a sample commit with an earlier one: an answer names all authors of it."""
    asked: set[str] = set()
    need: list[str] = []
    named: list[str] = []
    for email in order:
        if samples[email] & asked:
            named.append(email)
            continue
        need.append(email)
        # If an e-mail has several names, only one sample is sure to be asked for.
        if len(samples[email]) == 1:
            asked |= samples[email] - {""}
    return need + named


def _numbered(session: Session, repository_id: int, count_id: int, emails: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in chunked(emails, EMAILS_PER_QUERY):
        names = {f"email{place}": email for place, email in enumerate(some)}
        sql = _NUMBERED.format(emails=", ".join(f":{name}" for name in names))
        found.update(session.tuples(sql, id=repository_id, count=count_id, **names))
    return found


def save_numbers(session: Session, numbered: Sequence[tuple[int, int]]) -> None:
    """Save what :func:`number` returned, or a part of it."""
    session.executemany(
        "UPDATE commit_data SET batch = ?, claim_token = NULL, claim_until = NULL WHERE id = ?", numbered
    )


def skip(session: Session, rows: Iterable[int]) -> None:
    """Mark rows (``commit_data.id``) as processed."""
    session.executemany("UPDATE commit_data SET processed = TRUE WHERE id = ?", [(row,) for row in rows])


def reopen(session: Session, rows: Iterable[int]) -> None:
    """Mark rows as unprocessed, without a batch."""
    session.executemany(
        "UPDATE commit_data SET processed = FALSE, batch = NULL WHERE id = ? AND processed", [(row,) for row in rows]
    )


def emails_left(session: Session, repository_id: int, count_id: int) -> int:
    left: int = session.value(
        """SELECT count(DISTINCT email) FROM commit_data
        WHERE repository_id = :id AND count_id = :count AND NOT processed""",
        id=repository_id,
        count=count_id,
    )
    return left


def is_any_left(session: Session, repository_id: int) -> bool:
    return session.one(_LEFT, id=repository_id) is not None


def start(session: Session, repository_id: int, emails: int, *, is_counted: bool) -> None:
    """Start the user stage with that many e-mails.

    is_counted: commits were counted before; otherwise, looking up accounts is all of the work.
    """
    repository = queries.by_id(session, repository_id)
    before = None if repository is None else repository.progress
    percent = counted_percent(before) if is_counted else saved_percent(before)
    progress = {"stage": "users", "done": 0, "total": emails, "waitingUntil": None, NAME: percent}
    transitions.start_users(session, repository_id, progress=json.dumps(progress))


def assign(session: Session, repository_id: int, count_id: int, *, is_counted: bool = False) -> int:
    """Number the rows of a count into batches and start the user stage; return the number of e-mails.

    is_counted: as of :func:`start`.
    """
    save_numbers(session, number(session, repository_id, count_id))
    left = emails_left(session, repository_id, count_id)
    start(session, repository_id, left, is_counted=is_counted)
    return left


def unclaimed(session: Session, repository_id: int) -> list[int]:
    """Return the unclaimed batches; ``[0]`` if none is left: a message for batch 0 completes the repository."""
    rows = session.all(
        f"""SELECT batch, MAX(CASE WHEN claim_until > {{now}} THEN 1 ELSE 0 END) AS claimed FROM commit_data
        WHERE {OF_VALID_COUNT} AND NOT processed GROUP BY batch ORDER BY batch""",
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
        f"""UPDATE commit_data SET claim_token = NULL, claim_until = NULL
        WHERE {OF_VALID_COUNT} AND batch = :batch AND claim_token = :token AND NOT processed""",
        id=repository_id,
        batch=batch,
        token=token,
    )


def release_all(session: Session, repository_id: int) -> None:
    """Void every claim, so that no holder can save."""
    session.run(
        f"""UPDATE commit_data SET claim_token = NULL, claim_until = NULL
        WHERE {OF_VALID_COUNT} AND NOT processed AND claim_token IS NOT NULL""",
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


def give_up_some(session: Session, repository_id: int) -> bool:
    """Mark some unclaimed rows as processed; return whether more may be left."""
    return session.run(_GIVE_UP, id=repository_id, most=STEP_ROWS) == STEP_ROWS


def renewing(db: Database, repository_id: int, batch: int, token: str) -> Periodic:
    def renew() -> None:
        with db.write() as session:
            session.run(_RENEW, id=repository_id, batch=batch, token=token, seconds=CLAIM_SECONDS)

    return Periodic(f"claim-{repository_id}-{batch}", CLAIM_SECONDS / 3, renew)
