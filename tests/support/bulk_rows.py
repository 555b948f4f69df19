"""Many repositories of other people, written straight into the tables: what must not slow anybody's own down."""

from __future__ import annotations

import random
from collections.abc import Iterator

from podium.repositories.model import COUNTING_VERSION
from podium.storage.commit_log.codec import COLUMNS, encode
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.storage.session import Database
from podium.storage.transactions.time_limits import LONG
from tests.support.commit_logs import Commit, segment_of

# 2023-01-01, a Sunday.
START = 1_672_531_200
WEEK = 7 * 86_400
_HOST = "github.com"
_SHA = "0123456789abcdef0123456789abcdef01234567"
# People and bots that are met in every repository.
EVERYWHERE = 10


def fill(db: Database, *, repositories: int, people: int, unfinished: int = 4, seed: int = 1) -> None:
    """Fill an empty database.

    Args:
        repositories: how many, of which ``unfinished`` wait to be counted (they were rung just now), one in thirty has
            failed, and all others are completed.
        people: e-mails in each of those that are counted, which are at home in three of them on average.
    """
    dice = random.Random(seed)
    known = max(EVERYWHERE, (repositories - unfinished) * people // 3)
    with db.write(LONG) as session:
        session.copy("repository", _REPOSITORY, _repositories(repositories, unfinished, people))
        session.copy("contributor", _CONTRIBUTOR, (_contributor(n) for n in range(known)))
        session.copy("known_email", _KNOWN_EMAIL, (_known_email(n) for n in range(known)))
        counted = [n for n in range(1, repositories + 1) if _state(n, unfinished) == "completed"]
        session.copy("commit_data", _COMMIT_DATA, _commit_data(counted, people, known, dice))
        session.copy("commit_log", _COMMIT_LOG, _commit_log(counted, people))
        session.run(
            f"""INSERT INTO repository_contributor (repository_id, contributor_id, commit_count)
            SELECT c.repository_id, k.contributor_id, SUM(c.commit_count) FROM commit_data c
            JOIN known_email k ON k.host = '{_HOST}' AND k.email = c.email GROUP BY 1, 2"""
        )
    settle(db)


def settle(db: Database) -> None:
    """Have PostgreSQL do at once what autovacuum does within minutes; SQLite has nothing of the kind."""
    if isinstance(db, PostgresDatabase):
        with db._pool.lend() as connection:
            connection.execute("VACUUM ANALYZE")


_REPOSITORY = (
    *("key", "url", "host", "owner", "name", "state", "error", "error_code", "total_commits", "merge_commits"),
    *(
        "unique_contributors",
        "people",
        "head",
        "branch",
        "counting_version",
        "generation",
        "enqueued_at",
        "last_processed_at",
    ),
    *("commits_processed_at", "users_processed_at", "created_at", "updated_at"),
)


def _state(number: int, unfinished: int) -> str:
    if number <= unfinished:
        return "pending"
    return "failed" if number % 30 == 0 else "completed"


def _repositories(repositories: int, unfinished: int, people: int) -> Iterator[tuple[object, ...]]:
    for number in range(1, repositories + 1):
        name, state, at = f"someone/project{number}", _state(number, unfinished), START + number
        key, error = f"{_HOST}/{name}", ("It does not exist.", "gone") if state == "failed" else (None, None)
        head = (
            (people * 2, people, people, people, _SHA, "main", COUNTING_VERSION, 1)
            if state == "completed"
            else (None,) * 5 + (None, 1, 0)
        )
        # Rung long from now: nothing of these is due.
        rung = 4e9 if state == "pending" else at
        done = (4e9, at, at) if state == "completed" else (None, None, None)
        yield (key, f"https://{key}", _HOST, *name.split("/"), state, *error, *head, rung, *done, at, at)


_CONTRIBUTOR = ("host", "account_id", "username", "name", "avatar_url", "enriched_at", "created_at", "updated_at")


def _contributor(number: int) -> tuple[object, ...]:
    account = 1_000_000 + number
    avatar = f"https://avatars.githubusercontent.com/u/{account}"
    return (_HOST, account, f"someone{number}", f"Some One {number}", avatar, 4e9, START, START)


_KNOWN_EMAIL = ("host", "email", "contributor_id", "source", "known_at")


def _known_email(number: int) -> tuple[object, ...]:
    return (_HOST, _email(number), number + 1, "host", 4e9)


def _email(number: int) -> str:
    return f"someone{number}@example.org"


_COMMIT_DATA = (
    *("repository_id", "email", "name", "mailmap_email", "mailmap_name", "mailmap_identity", "commit_count"),
    *("merge_count", "sample_at", "sample_sha", "processed", "batch", "ordinal"),
)


def _commit_data(counted: list[int], people: int, known: int, dice: random.Random) -> Iterator[tuple[object, ...]]:
    for repository in counted:
        others = dice.sample(range(EVERYWHERE, known), people - EVERYWHERE)
        for place, number in enumerate([*range(EVERYWHERE), *others]):
            email, name, last = _email(number), f"Some One {number}", START + dice.randrange(50) * WEEK
            yield (
                *(repository, email, name, email, name, email, 1, 1),
                *(last, _SHA, True, place // 50, place),
            )


_COMMIT_LOG = ("repository_id", "count_id", "segment", "base_oid", "head_oid", "commits", "is_coarse", *COLUMNS)


def _commit_log(counted: list[int], people: int) -> Iterator[tuple[object, ...]]:
    segment = segment_of(Commit(person, START, is_merge) for person in range(people) for is_merge in (False, True))
    columns = encode(segment)
    for repository in counted:
        yield (repository, 0, 1, "", _SHA, segment.commits, False, *(columns[name] for name in COLUMNS))
