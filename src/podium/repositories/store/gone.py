"""Boards whose repositories their host made private or deleted.

The host has one such answer for both. Two of them, :data:`podium.jobs.retry.GONE_AFTER` seconds apart, hide the boards
of the repository, its branches and its tags (:mod:`podium.repositories.store.readers.readable`). They are shown again
as soon as the repository can be read. Until then its host is asked again at growing intervals, even if nothing is
scheduled: ``check_at`` has a time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from podium.repositories.model import Repository
from podium.repositories.store.queries import FAMILY, FAMILY_IN_ORDER
from podium.storage.session import Session

# Seconds until a host is asked again about which no check was planned.
_ASKED_AGAIN = 600.0


@dataclasses.dataclass(frozen=True, slots=True)
class Denial:
    """seconds: since the first such answer. hides: whether this one hid the boards."""

    seconds: float
    hides: bool


def note(session: Session, repository: Repository, *, code: str, after: float) -> Denial:
    """Note an answer, and hide the boards if the first one was at least ``after`` seconds ago."""
    row = session.one(
        f"SELECT min(gone_since) AS since, {{now}} AS now FROM repository WHERE {FAMILY}",
        family=repository.repository_key,
    )
    assert row is not None  # noqa: S101 # an aggregate
    now: float = row["now"]
    since = now if row["since"] is None else row["since"]
    hides = now - since >= after
    hidden = session.run(
        f"""UPDATE repository SET gone_since = :since, gone_checked_at = :now, gone_code = :code,
            hidden_at = CASE WHEN :hides THEN coalesce(hidden_at, :now) ELSE hidden_at END,
            check_at = coalesce(check_at, :now + {_ASKED_AGAIN})
        WHERE {FAMILY_IN_ORDER % "true"}""",
        family=repository.repository_key,
        since=since,
        now=now,
        code=code,
        hides=hides,
    )
    return Denial(now - since, bool(hides and hidden and repository.hidden_at is None))


def is_noted(session: Session, repository: Repository) -> bool:
    return bool(
        session.value(
            f"SELECT EXISTS (SELECT 1 FROM repository WHERE {FAMILY} AND gone_since IS NOT NULL)",
            family=repository.repository_key,
        )
    )


def end(session: Session, repository: Repository) -> None:
    """Note that the repository can be read: its boards are shown."""
    session.run(
        f"""UPDATE repository SET gone_since = NULL, gone_checked_at = NULL, gone_code = NULL,
            hidden_at = CASE WHEN forgotten_at IS NULL THEN NULL ELSE hidden_at END, updated_at = {{now}}
        WHERE {FAMILY_IN_ORDER % "gone_since IS NOT NULL"}""",
        family=repository.repository_key,
    )


def hidden(session: Session) -> list[tuple[str, float, str]]:
    """The hidden repositories: key, since when their hosts deny them, and the code of the answer."""
    return session.tuples(
        """SELECT coalesce(parent_key, key), min(coalesce(gone_since, hidden_at)), max(coalesce(gone_code, 'missing'))
        FROM repository WHERE hidden_at IS NOT NULL AND forgotten_at IS NULL AND host <> ''
        GROUP BY coalesce(parent_key, key)"""
    )


def hide_again(session: Session, hidden: Collection[tuple[str, float, str]]) -> None:
    """Hide repositories again whose rows a restore replaced by older ones; their hosts are asked at once."""
    session.executemany(
        f"""UPDATE repository SET hidden_at = {{now}}, gone_since = :since, gone_checked_at = :since, gone_code = :code,
            check_at = {{now}}
        WHERE {FAMILY} AND hidden_at IS NULL""",
        [{"family": key, "since": since, "code": code} for key, since, code in sorted(hidden)],
    )
