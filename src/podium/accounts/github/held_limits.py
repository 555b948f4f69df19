"""GitHub's limits in force, in the database: a budget in memory or Redis may be lost."""

from __future__ import annotations

from collections.abc import Mapping

from podium.accounts.github.parse import MAX_WAIT
from podium.storage.session import Database

# A limit of more than two days was noted by a clock that was ahead.
_REMEMBER = f"""
INSERT INTO github_limit (key, held_until) VALUES (:key, :until)
ON CONFLICT (key) DO UPDATE SET held_until = excluded.held_until
WHERE github_limit.held_until < excluded.held_until OR github_limit.held_until > {{now}} + {2 * MAX_WAIT}
"""


class HeldLimits:
    """Implements :class:`podium.accounts.github.token_pool.LimitStore`. Holds keys of tokens, never tokens."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def remember(self, key: str, until: float) -> None:
        """Keep a limit until ``until`` (epoch seconds); the later of two counts."""
        with self._db.write() as session:
            session.run(_REMEMBER, key=key, until=until)

    def recall(self) -> Mapping[str, float]:
        """Return the limits in force, by key."""
        with self._db.read() as session:
            rows = session.all("SELECT key, held_until FROM github_limit WHERE held_until > {now}")
        return {row["key"]: row["held_until"] for row in rows}
