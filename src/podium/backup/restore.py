"""Fill a database from a backup or from another database, in one transaction: it has all rows, or is as it was.

What was forgotten or blocked in the target stays so: its blocks are kept beside those of the backup, with the key that
made the hashes of people. What was hidden there stays hidden until its host is asked.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from podium.audit import audit_log
from podium.backup.carried_tables import CarriedTable, carried_tables
from podium.backup.snapshot import batch_size, batches
from podium.blocks import forgotten_people
from podium.errors import Conflict
from podium.repositories.store import gone
from podium.storage.session import Database, Session
from podium.storage.transactions.steps import chunked
from podium.workers import heartbeat

Rows = Iterable[tuple[CarriedTable, list[Any]]]

# Their rows stay in the target, and those of the backup are added.
_MERGED = frozenset({"instance_secret", "block"})
# The log of the target stays if it has one.
_LOG = "audit_log"


def restore(db: Database, rows: Rows, *, force: bool, postgres: bool, actor: str, act: str, subject: str) -> int:
    """Save ``rows``, which are in the order of :func:`carried_tables`; return how many were saved.

    Args:
        force: replace what the database has.
        postgres: whether it numbers rows by sequences.
        actor, act, subject: of the entry in the audit log.

    Raises:
        Conflict: the database is in use, or is not empty and ``force`` is not set.
        BadBackup: the rows are not those of a whole backup.
        StorageError: the database cannot be written, or refuses a row.
    """
    with db.write() as session:
        _check_idle(session)
        hidden = gone.hidden(session)
        _make_empty(session, force=force)
        has_log = bool(audit_log.latest(session, 1))
        saved = 0
        for table, group in itertools.groupby(rows, key=lambda entry: entry[0]):
            for chunk in chunked((row for _, row in group), batch_size(table)):
                if table.name in _MERGED:
                    saved += _merge(session, table, chunk)
                elif table.name != _LOG or not has_log:
                    session.copy(table.name, table.names, chunk)
                    saved += len(chunk)
        # What the backup has of people who were forgotten since.
        forgotten_people.sweep_again(session)
        gone.hide_again(session, hidden)
        if postgres:
            _set_sequences(session)
        audit_log.record(session, actor, act, subject, f"{saved} rows")
    return saved


def rows_of(session: Session) -> Iterator[tuple[CarriedTable, list[Any]]]:
    """All rows that ``session`` sees, for :func:`restore`."""
    for table in carried_tables():
        for rows in batches(session, table):
            for row in rows:
                yield table, table.copied(row)


def _check_idle(session: Session) -> None:
    if heartbeat.is_any_alive(session):
        raise Conflict(
            f"A server or worker uses this database: stop all of them first. One that was killed counts as running for "
            f"{heartbeat.DEAD_AFTER:.0f} seconds."
        )


def _make_empty(session: Session, *, force: bool) -> None:
    replaced = [table for table in carried_tables() if table.name not in _MERGED and table.name != _LOG]
    if not force and any(session.one(f"SELECT 1 AS n FROM {table.name} LIMIT 1") for table in replaced):
        raise Conflict("The database is not empty: use an empty one, or replace everything in it with --force.")
    for table in reversed(replaced):
        session.run(f"DELETE FROM {table.name}")


def _merge(session: Session, table: CarriedTable, rows: list[list[Any]]) -> int:
    if table.name == "instance_secret":
        _check_keys(session, rows)
    statement = f"""INSERT INTO {table.name} ({", ".join(table.names)}) VALUES ({", ".join("?" * len(table.names))})
        ON CONFLICT ({", ".join(table.key)}) DO NOTHING"""
    session.executemany(statement, rows)
    return len(rows)


def _check_keys(session: Session, rows: list[list[Any]]) -> None:
    """Refuse keys that differ while hashes of people depend on both.

    Hashes of another key would never match.
    """
    own = {row["name"]: bytes(row["value"]) for row in session.all("SELECT name, value FROM instance_secret")}
    if all(own.get(name, value) == value for name, value in rows):
        return
    if session.one("SELECT 1 AS n FROM block WHERE kind = 'person' LIMIT 1"):
        raise Conflict(
            "The database has forgotten people under another key than the backup, so they could not stay forgotten: "
            "restore into an empty database."
        )
    session.run("DELETE FROM instance_secret")


def _set_sequences(session: Session) -> None:
    for table in carried_tables():
        if table.has_sequence:
            # COPY takes the ids of the backup, and the sequence would give them again.
            session.value(
                f"""SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), highest)
                FROM (SELECT max(id) AS highest FROM {table.name}) AS rows WHERE highest IS NOT NULL"""
            )
