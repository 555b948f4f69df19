"""The sums of each contributor of a repository (table ``repository_contributor``).

They are written in bounded steps before the repository is completed. The host can move an e-mail to another account at
any time: then the sums of both accounts are written again, on every board with that e-mail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from podium.accounts.links import Move
from podium.repositories.store import queries
from podium.repositories.store.queries import OF_VALID_COUNT
from podium.storage.session import Session
from podium.storage.transactions.steps import EMAILS_PER_QUERY, Step, chunked

_COLUMNS = "repository_id, contributor_id, commit_count, merge_count"

_SUMS = f"""
SELECT d.repository_id, k.contributor_id, SUM(d.commit_count), SUM(d.merge_count)
FROM {{emails}}
WHERE {OF_VALID_COUNT} AND {{joined}}
GROUP BY d.repository_id, k.contributor_id
"""
_ALL = _SUMS.format(
    emails="commit_data d JOIN known_email k ON k.host = :host AND k.email = d.email",
    joined="k.contributor_id IS NOT NULL",
)
# SQLite keeps the order of a CROSS JOIN: otherwise it reads all rows of the repository. A contributor has one host.
_OF_SOME = _SUMS.format(
    emails="known_email k CROSS JOIN commit_data d", joined="d.email = k.email AND k.contributor_id IN ({some})"
)

_SAVED = f"SELECT {_COLUMNS} FROM repository_contributor WHERE repository_id = :id"

_CHANGED = f"""
WITH now AS ({_ALL}), saved AS ({_SAVED})
SELECT contributor_id FROM (SELECT * FROM now EXCEPT SELECT * FROM saved) AS added
UNION SELECT contributor_id FROM (SELECT * FROM saved EXCEPT SELECT * FROM now) AS removed
"""


def changed_sums(session: Session, repository_id: int, github_host: str) -> list[int]:
    """Return the contributors whose saved sums are not those of the valid count."""
    return [number for (number,) in session.tuples(_CHANGED, id=repository_id, host=github_host)]


def sum_steps(repository_id: int, contributors: Iterable[int]) -> Iterator[Step]:
    """Write the sums of some contributors of a repository, in bounded steps that may run again."""
    for some in chunked(contributors, EMAILS_PER_QUERY):
        # Run before the next one is made.
        yield lambda session: _save(session, repository_id, some)  # noqa: B023


def moved_sum_steps(session: Session, moves: Sequence[Move]) -> list[Step]:
    """Write the sums of the accounts of moved e-mails, on every board with one of them."""
    contributors = {number for move in moves for number in (move.before, move.after) if number is not None}
    boards = sorted({board for move in moves for board in queries.linked_with_email(session, move.email)})
    return [step for board in boards for step in sum_steps(board, sorted(contributors))]


def _save(session: Session, repository_id: int, contributors: Sequence[int]) -> None:
    if queries.lock(session, repository_id) is None:
        return
    names = {f"c{place}": number for place, number in enumerate(contributors)}
    some = ", ".join(f":{name}" for name in names)
    session.run(
        f"DELETE FROM repository_contributor WHERE repository_id = :id AND contributor_id IN ({some})",
        id=repository_id,
        **names,
    )
    session.run(
        f"INSERT INTO repository_contributor ({_COLUMNS}) {_OF_SOME.format(some=some)}", id=repository_id, **names
    )
