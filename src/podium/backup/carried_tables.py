"""The tables and columns that a backup carries, from the tables that the code declares."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

# The state of one installation at one moment: processes that run, hosts that were away, faults of a worker. And what
# migrations write.
NOT_CARRIED = frozenset({"worker", "worker_fault", "git_host", "compatible_revision"})
# Keys come before the hashes that they made, and both before what they apply to.
_FIRST = ("instance_secret", "block")
# A worker that held a row before does not hold the copy.
_CLEARED = {
    "repository": frozenset({"lease_holder", "lease_until"}),
    "commit_data": frozenset({"claim_token", "claim_until"}),
}
_MOST = 2**63


@dataclasses.dataclass(frozen=True, slots=True)
class CarriedColumn:
    """``kind``: the type of its values. ``is_cleared``: NULL in every copy."""

    name: str
    kind: type
    nullable: bool
    is_cleared: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class CarriedTable:
    """``has_sequence``: PostgreSQL numbers its new rows."""

    name: str
    columns: tuple[CarriedColumn, ...]
    key: tuple[str, ...]
    has_sequence: bool

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def has_bytes(self) -> bool:
        return any(column.kind is bytes for column in self.columns)

    def copied(self, row: Sequence[Any]) -> list[Any]:
        """A row as either database takes it: SQLite has no booleans."""
        return [
            None if value is None or column.is_cleared else column.kind(value)
            for column, value in zip(self.columns, row, strict=True)
        ]

    def to_json(self, row: Sequence[Any]) -> list[Any]:
        return [base64.b64encode(value).decode() if isinstance(value, bytes) else value for value in self.copied(row)]

    def from_json(self, values: object) -> list[Any]:
        """The row of a JSON array.

        Raises:
            ValueError: it is none of this table's.
        """
        if not isinstance(values, list) or len(values) != len(self.columns):
            raise ValueError(f"does not have the {len(self.columns)} values of table {self.name}")
        return [_checked(self, column, value) for column, value in zip(self.columns, values, strict=True)]


@functools.cache
def carried_tables() -> tuple[CarriedTable, ...]:
    """All of them, each after those that it refers to."""
    from podium.storage.tables import metadata

    carried = [table for table in metadata.sorted_tables if table.name not in NOT_CARRIED]
    carried.sort(key=lambda table: _FIRST.index(table.name) if table.name in _FIRST else len(_FIRST))
    return tuple(
        CarriedTable(
            name=table.name,
            columns=tuple(
                CarriedColumn(
                    column.name,
                    column.type.python_type,
                    bool(column.nullable),
                    column.name in _CLEARED.get(table.name, ()),
                )
                for column in table.columns
            ),
            key=tuple(column.name for column in table.primary_key),
            has_sequence=[column.name for column in table.primary_key] == ["id"]
            and table.columns["id"].type.python_type is int,
        )
        for table in carried
    )


def _checked(table: CarriedTable, column: CarriedColumn, value: object) -> Any:
    if value is None and column.nullable:
        return None
    where = f"{table.name}.{column.name}"
    if column.kind is bytes and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            raise ValueError(f"has damaged bytes in {where}") from None
    if column.kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not column.kind:
        raise ValueError(f"has no {column.kind.__name__} in {where}")
    if isinstance(value, int) and not -_MOST <= value < _MOST:
        raise ValueError(f"has a number that is too large in {where}")
    if isinstance(value, str) and ("\0" in value or not _is_unicode(value)):
        raise ValueError(f"has broken text in {where}")
    return None if column.is_cleared else value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
