"""Errors of PostgreSQL and psycopg as one line. Details quote rows and may contain secrets, so they are left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from podium.errors import DatabaseAway, DatabaseFault, StorageError, WrongRevision

if TYPE_CHECKING:
    import psycopg


class Reason(NamedTuple):
    """The code of an error, and what happened and what to do, after the name of the database."""

    code: str
    words: str
    kind: type[StorageError] = StorageError


_AWAY = "database-away"
_SILENT = Reason(_AWAY, "does not answer ({message}): check that its server runs and is not overloaded", DatabaseAway)
_UNREACHABLE = Reason(
    _AWAY, "cannot be reached ({message}): check DATABASE_URL, and that the server runs", DatabaseAway
)
_RESTARTS = Reason(_AWAY, "is starting up or shutting down ({message}): try again in a moment", DatabaseAway)
_REFUSED = Reason("database-refused", "refuses the user ({message}): check user, password and database of DATABASE_URL")
_CONFLICT = Reason("database-conflict", "was busy with others that want the same rows ({message}): try again")
_READ_ONLY = Reason(
    "database-read-only",
    "is read-only ({message}): name the primary server in DATABASE_URL (with several hosts, add "
    "`?target_session_attrs=read-write`), or end the server's read-only mode",
)

# By SQLSTATE (PostgreSQL documentation, appendix A) or its class. The longer one decides.
REASONS: dict[str, Reason] = {
    "57014": Reason(
        "database-timeout",
        "did not finish a statement in time ({message}): it may be overloaded, or its disk slow; try again",
    ),
    "25P04": Reason("database-timeout", "did not finish a transaction in time ({message}): try again"),
    "25P03": Reason("database-timeout", "ended an idle transaction ({message}): try again"),
    "55P03": Reason("database-locked", "was busy for too long ({message}): another process holds the lock; try again"),
    "40001": _CONFLICT,
    "40P01": _CONFLICT,
    "40": _CONFLICT,
    "25006": _READ_ONLY,
    "53100": Reason("database-full", "has no space left ({message}): free some space on its disk, then try again"),
    "53200": Reason("database-memory", "has no memory left ({message}): try again, or give it more"),
    "53300": Reason(
        "database-connections",
        "accepts no more connections ({message}): raise its max_connections, or lower PODIUM_DATABASE_CONNECTIONS",
        DatabaseAway,
    ),
    "53": Reason("database-resources", "is short of resources ({message}): try again"),
    "58": Reason("database-disk", "cannot use its files ({message}): check its disk and its log"),
    "XX001": Reason("database-damaged", "is damaged ({message}): check its disk, then restore a backup"),
    "XX002": Reason("database-damaged", "has a damaged index ({message}): run REINDEX, and check its disk"),
    "57P01": Reason(_AWAY, "ended the connection ({message}): try again", DatabaseAway),
    "57P02": _RESTARTS,
    "57P03": _RESTARTS,
    "57P05": Reason(_AWAY, "ended an idle connection ({message}): try again", DatabaseAway),
    "57": Reason(_AWAY, "ended the connection ({message}): try again", DatabaseAway),
    "28": _REFUSED,
    "3D000": _REFUSED,
    "42501": Reason("database-forbidden", "does not allow that to the user in DATABASE_URL ({message}): grant it"),
    "08": _UNREACHABLE,
}
_LACKS_TABLES = ("42P01", "42703", "3F000")


def explained(where: str, error: psycopg.Error) -> StorageError:
    """``where`` names the server and the database, for people."""
    sqlstate, message = error.sqlstate, error.diag.message_primary or _reason(str(error))
    if sqlstate in _LACKS_TABLES:
        return WrongRevision(f"The database {where} lacks Podium's tables ({message}): run `podium migrate`.")
    reason = _without_state(error) if sqlstate is None else REASONS.get(sqlstate) or REASONS.get(sqlstate[:2])
    if reason is None:
        return DatabaseFault(f"The database {where} answered: {message}.")
    return reason.kind(f"The database {where} {reason.words.format(message=message)}.", reason.code)


# Before there is a session, or after it was lost, psycopg gives only the text of the server; the first match decides.
_REFUSALS = ("password", "authentication", "does not exist", "no pg_hba.conf entry")
_BY_WORDS = (
    (_REFUSALS, _REFUSED),
    (("too many clients", "remaining connection slots", "no more connections allowed"), REASONS["53300"]),
    (("starting up", "shutting down", "not yet accepting connections"), _RESTARTS),
    (("session is read-only",), _READ_ONLY),
    (("",), _UNREACHABLE),
)


def is_silent(error: psycopg.Error) -> bool:
    """Whether there was no answer at all."""
    return type(error).__name__ in ("ServerSilent", "ConnectionTimeout")


def _without_state(error: psycopg.Error) -> Reason | None:
    name, text = type(error).__name__, str(error)
    if is_silent(error):
        return _SILENT
    if name != "OperationalError":
        return None
    return next(reason for words, reason in _BY_WORDS if any(word in text for word in words))


def is_away(error: psycopg.Error) -> bool:
    """Whether it may answer soon."""
    if error.sqlstate is None:
        return not any(words in str(error) for words in _REFUSALS)
    return error.sqlstate.startswith("57P") or error.sqlstate == "53300"


def _reason(text: str) -> str:
    """libpq's message without its prefix."""
    line = text.strip().partition("\n")[0]
    return re.sub(r"^(?:connection (?:failed|is bad): )?(?:.* failed: )?(?:FATAL: +)?", "", line).rstrip(".")
