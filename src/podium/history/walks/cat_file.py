"""Split the output of ``git cat-file --batch`` into records: ``NONCE OID SIZE``, a line break, the object, a line
break.

The nonce is random, so a commit cannot forge the beginning of a record.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from podium.errors import HistoryError

if TYPE_CHECKING:
    from podium.history.large_commit import LargeCommit

_LONGEST_ANNOUNCEMENT = 128

# An oid, and what is kept of the object.
LargeObject = tuple[bytes, bytes]


def new_nonce() -> bytes:
    return os.urandom(16).hex().encode()


def record(nonce: bytes, oid: bytes, content: bytes) -> bytes:
    return b"%s %s %d\n%s\n" % (nonce, oid, len(content), content)


def corrupt() -> HistoryError:
    return HistoryError("corrupt", "The repository is damaged: git cannot read all of its commits.")


class BatchSplitter:
    """Splits output that arrives in pieces of any size.

    Args:
        nonce: as in ``--batch=NONCE %(objectname) %(objectsize)``.
        largest: bytes of an object that are kept in memory, as :class:`LargeCommit` does.
    """

    def __init__(self, nonce: bytes, largest: int) -> None:
        self._next_record = b"\n" + nonce + b" "
        self._largest = largest
        self._rest = b""
        self._oid = b""
        self._large: LargeCommit | None = None
        # Missing bytes of the large object, with the line break that ends the record.
        self._missing = 0

    def feed(self, data: bytes) -> tuple[bytes, list[LargeObject]]:
        """Return the complete records, and those of large objects apart; possibly none.

        Raises:
            HistoryError: 'corrupt', a record is longer than it states.
        """
        complete: list[LargeObject] = []
        data = self._rest + self._after_large(data, complete)
        # Only the beginning of the next record proves that the last one is complete.
        end = data.rfind(self._next_record) + 1
        batch, self._rest = data[:end], data[end:]
        if len(self._rest) > self._largest + _LONGEST_ANNOUNCEMENT:
            self._rest = self._after_large(self._begin_large(), complete)
        return batch, complete

    def close(self) -> bytes:
        """Return the last record.

        Raises:
            HistoryError: 'corrupt', the output ended within an object.
        """
        if self._large:
            raise corrupt()
        rest, self._rest = self._rest, b""
        return rest

    def _begin_large(self) -> bytes:
        announced, _, content = self._rest.partition(b"\n")
        _, self._oid, size = announced.split(b" ") if announced.count(b" ") == 2 else (b"", b"", b"")
        self._missing = int(size) + 1 if size.isdigit() else 0
        if self._missing <= self._largest + 1:
            raise corrupt()
        # Most histories need none.
        from podium.history.large_commit import LargeCommit

        self._large = LargeCommit(self._largest)
        return content

    def _after_large(self, data: bytes, complete: list[LargeObject]) -> bytes:
        if self._large is None:
            return data
        self._large.feed(data[: max(self._missing - 1, 0)])
        following = data[self._missing :]
        self._missing -= min(self._missing, len(data))
        if not self._missing:
            complete.append((self._oid, self._large.kept()))
            self._large = None
        return following
