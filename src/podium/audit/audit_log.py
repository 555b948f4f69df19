"""The audit log: table ``audit_log``.

An act is recorded in the transaction that does it, so that neither is there without the other.
"""

from __future__ import annotations

import dataclasses
import getpass
import os
import socket

from podium.storage.session import Session
from podium.textutil.sanitize import clean

# Entries that are kept; older ones are deleted. Refused sign-ins, which strangers cause, have a part of their own.
KEPT = 10_000
KEPT_REFUSALS = 1_000
SIGN_IN_REFUSED = "sign-in refused"

# The first revision of the database that has the table.
SINCE = "db231556a330"

PAGE = "admin page"
API = "api"

# Characters.
_LONGEST_ACTOR = 100
_LONGEST_SUBJECT = 500
_LONGEST_DETAIL = 1_000


@dataclasses.dataclass(frozen=True, slots=True)
class AuditEntry:
    """``at``: seconds since the epoch. ``subject``: what the act was done to."""

    id: int
    at: float
    actor: str
    act: str
    subject: str
    detail: str | None


def record(session: Session, actor: str, act: str, subject: str, detail: str | None = None) -> None:
    """Add an entry, and delete those beyond the limit.

    Args:
        actor: :data:`PAGE`, :data:`API`, or :func:`command_line`.
        act: a verb in lower case, such as ``retry``.
        subject: an address, a number of repositories, or the keyed hash of a forgotten person: never the person.
    """
    session.run(
        """INSERT INTO audit_log (at, actor, act, subject, detail)
        VALUES ({now}, :actor, :act, :subject, :detail)""",
        actor=clean(actor)[:_LONGEST_ACTOR],
        act=act,
        subject=clean(subject)[:_LONGEST_SUBJECT],
        detail=clean(detail)[:_LONGEST_DETAIL] if detail else None,
    )
    is_refusal = act == SIGN_IN_REFUSED
    part = f"act {'=' if is_refusal else '<>'} :refused"
    session.run(
        f"""DELETE FROM audit_log WHERE {part} AND id <= (
            SELECT id FROM audit_log WHERE {part} ORDER BY id DESC LIMIT 1 OFFSET :kept
        )""",
        refused=SIGN_IN_REFUSED,
        kept=KEPT_REFUSALS if is_refusal else KEPT,
    )


def latest(session: Session, limit: int, *, before: int | None = None) -> list[AuditEntry]:
    """Return the newest entries first; ``before``: only entries with a smaller id."""
    rows = session.all(
        f"""SELECT id, at, actor, act, subject, detail FROM audit_log
        {"WHERE id < :before" if before is not None else ""} ORDER BY id DESC LIMIT :limit""",
        limit=limit,
        **({} if before is None else {"before": before}),
    )
    return [AuditEntry(**row) for row in rows]


def command_line() -> str:
    """Return the actor of a command: the user of this machine and its name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container's user may have no entry in the list of users.
        user = f"uid {os.getuid()}"
    return f"command line {user}@{socket.gethostname()}"
