"""What PostgreSQL and psycopg report, as the one line that a user reads. Pure.

Only the primary message is repeated: the details name rows, and the text of a connection may name secrets.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from podium.errors import StorageError, WrongRevision

if TYPE_CHECKING:
    import psycopg

# By SQLSTATE (PostgreSQL documentation, appendix A), the longest match first: five characters, or a class of two.
_REASONS = {
    "53100": "has no room left: free some space on its disk, then try again",
    "53300": "accepts no more connections: raise its max_connections, or lower PODIUM_DATABASE_CONNECTIONS",
    "55P03": "was busy for too long: try again",
    "40": "was busy with others that want the same rows: try again",
    "25P03": "ended a transaction that stood still: try again",
    "57P03": "is starting up or shutting down: try again",
    "57": "ended the connection: try again",
    "25006": "is read-only: name the primary server in DATABASE_URL",
    "42501": "does not allow that to the user in DATABASE_URL ({message}): grant it",
    "53": "is short of resources ({message}): try again",
    "08": "cannot be reached ({message}): check DATABASE_URL, and that the server runs",
}
_LACKS_TABLES = ("42P01", "42703", "3F000")


def explained(where: str, error: psycopg.Error) -> StorageError:
    """The error to raise for ``error``; ``where`` is the server and the database, for people."""
    sqlstate, message = error.sqlstate, error.diag.message_primary or _reason(str(error))
    if sqlstate in _LACKS_TABLES:
        return WrongRevision(f"The database {where} lacks Podium's tables ({message}): run `podium migrate`.")
    if sqlstate is None:
        # Not an answer of the server's: either there was none, or psycopg refused to ask.
        sqlstate = "08006" if type(error).__name__ == "OperationalError" else "?????"
    reason = _REASONS.get(sqlstate) or _REASONS.get(sqlstate[:2]) or "answered: {message}"
    return StorageError(f"The database {where} {reason.format(message=message)}.")


def is_away(error: psycopg.Error) -> bool:
    """Whether the server cannot be reached, or is starting up or shutting down: it may be back in a moment."""
    text = str(error)
    refused = "password" in text or "does not exist" in text or "no pg_hba.conf entry" in text
    return not refused if error.sqlstate is None else error.sqlstate.startswith("57P")


def _reason(text: str) -> str:
    """The first line of what libpq says, without what it says before the reason."""
    line = text.strip().partition("\n")[0]
    return re.sub(r"^(?:connection (?:failed|is bad): )?(?:.* failed: )?(?:FATAL: +)?", "", line).rstrip(".")
