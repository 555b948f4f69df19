"""The rows of one transaction, in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from podium.backup.carried_tables import CarriedTable
from podium.storage.session import Session
from podium.storage.transactions.steps import STEP_ROWS

# A row of the commit log may have megabytes.
_ROWS_WITH_BYTES = 4


def batches(session: Session, table: CarriedTable) -> Iterator[list[tuple[Any, ...]]]:
    """All rows of a table in the order of its key. Memory is that of one batch."""
    size = batch_size(table)
    keys = ", ".join(table.key)
    after = ", ".join(f":after_{name}" for name in table.key)
    select = f"SELECT {', '.join(table.names)} FROM {table.name}"
    positions = [table.names.index(name) for name in table.key]
    last: dict[str, Any] = {}
    while True:
        where = f"WHERE ({keys}) > ({after})" if last else ""
        rows = session.tuples(f"{select} {where} ORDER BY {keys} LIMIT :size", size=size, **last)
        if rows:
            yield rows
        if len(rows) < size:
            return
        last = {f"after_{name}": rows[-1][place] for name, place in zip(table.key, positions, strict=True)}


def batch_size(table: CarriedTable) -> int:
    """Rows of a table that are in memory at once."""
    return _ROWS_WITH_BYTES if table.has_bytes else STEP_ROWS
