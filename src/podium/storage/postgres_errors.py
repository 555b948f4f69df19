"""Errors of PostgreSQL and psycopg as one line. Details quote rows and may contain secrets, so they are left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from podium.errors import DatabaseFault, StorageError, WrongRevision

if TYPE_CHECKING:
    import psycopg

# By SQLSTATE (PostgreSQL documentation, appendix A) or its class.
_REASONS = {
    "53100": "has no space left: free some space on its disk, then try again",
    "53300": "accepts no more connections: raise its max_connections, or lower PODIUM_DATABASE_CONNECTIONS",
    "55P03": "was busy for too long: try again",
    "40": "was busy with others that want the same rows: try again",
    "25P03": "ended an idle transaction: try again",
    "57P03": "is starting up or shutting down: try again",
    "57": "ended the connection: try again",
    "25006": "is read-only: name the primary server in DATABASE_URL",
    "42501": "does not allow that to the user in DATABASE_URL ({message}): grant it",
    "53": "is short of resources ({message}): try again",
    "08": "cannot be reached ({message}): check DATABASE_URL, and that the server runs",
}
_LACKS_TABLES = ("42P01", "42703", "3F000")


def explained(where: str, error: psycopg.Error) -> StorageError:
    """``where`` names the server and the database, for people."""
    sqlstate, message = error.sqlstate, error.diag.message_primary or _reason(str(error))
    if sqlstate in _LACKS_TABLES:
        return WrongRevision(f"The database {where} lacks Podium's tables ({message}): run `podium migrate`.")
    if sqlstate is None:
        # No answer of the server.
        sqlstate = "08006" if type(error).__name__ == "OperationalError" else "?????"
    reason = _REASONS.get(sqlstate) or _REASONS.get(sqlstate[:2])
    if reason is None:
        return DatabaseFault(f"The database {where} answered: {message}.")
    return StorageError(f"The database {where} {reason.format(message=message)}.")


def is_away(error: psycopg.Error) -> bool:
    text = str(error)
    refused = "password" in text or "does not exist" in text or "no pg_hba.conf entry" in text
    return not refused if error.sqlstate is None else error.sqlstate.startswith("57P")


def _reason(text: str) -> str:
    """libpq's message without its prefix."""
    line = text.strip().partition("\n")[0]
    return re.sub(r"^(?:connection (?:failed|is bad): )?(?:.* failed: )?(?:FATAL: +)?", "", line).rstrip(".")
