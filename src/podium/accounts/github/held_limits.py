"""GitHub's limits in force, kept in the database: a budget in memory or in Redis may be lost."""

from __future__ import annotations

from collections.abc import Mapping

from podium.storage.session import Database

_REMEMBER = """
INSERT INTO github_limit (key, held_until) VALUES (:key, :until)
ON CONFLICT (key) DO UPDATE SET held_until = excluded.held_until WHERE github_limit.held_until < excluded.held_until
"""


class HeldLimits:
    """Implements :class:`podium.accounts.github.token_pool.LimitStore`. Holds keys of tokens, never tokens."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def remember(self, key: str, until: float) -> None:
        """Keep that ``key`` must not be used before ``until`` (epoch seconds); the later of two counts.

        Raises:
            StorageError: the database cannot be written.
        """
        with self._db.write() as session:
            session.run(_REMEMBER, key=key, until=until)

    def recall(self) -> Mapping[str, float]:
        """Every limit that may still be in force, by key.

        Raises:
            StorageError: the database cannot be read.
        """
        with self._db.read() as session:
            rows = session.all("SELECT key, held_until FROM github_limit WHERE held_until > {now}")
        return {row["key"]: row["held_until"] for row in rows}
