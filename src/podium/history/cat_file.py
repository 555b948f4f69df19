"""Split the output of ``git cat-file --batch`` into records: ``NONCE OID SIZE``, a line break, the object, a line
break.

The nonce is random, so a commit cannot forge the beginning of a record.
"""

from __future__ import annotations

import os

from podium.errors import HistoryError

_LONGEST_ANNOUNCEMENT = 128


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
        largest: bytes of an object that are kept; the record then states this size.
    """

    def __init__(self, nonce: bytes, largest: int) -> None:
        self._nonce = nonce
        self._next_record = b"\n" + nonce + b" "
        self._largest = largest
        self._rest = b""
        self._skip = 0

    def feed(self, data: bytes) -> bytes:
        """Return the complete records, possibly none.

        Raises:
            HistoryError: 'corrupt', a record is longer than it states.
        """
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        data = self._rest + data
        # Only the beginning of the next record proves that the last one is complete.
        end = data.rfind(self._next_record) + 1
        batch, self._rest = data[:end], data[end:]
        if len(self._rest) > self._largest + _LONGEST_ANNOUNCEMENT:
            batch += self._cut()
        return batch

    def close(self) -> bytes:
        """Return the last record.

        Raises:
            HistoryError: 'corrupt', the output ended within an object.
        """
        if self._skip:
            raise corrupt()
        rest, self._rest = self._rest, b""
        return rest

    def _cut(self) -> bytes:
        announced, _, content = self._rest.partition(b"\n")
        _, oid, size = announced.split(b" ") if announced.count(b" ") == 2 else (b"", b"", b"")
        # The line break that ends the record counts.
        length = int(size) + 1 if size.isdigit() else 0
        if length <= self._largest + 1:
            raise corrupt()
        self._skip = max(0, length - len(content))
        self._rest = content[length:]
        return record(self._nonce, oid, content[: self._largest])
