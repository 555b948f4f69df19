"""The output of ``git cat-file --batch`` cut into objects. Pure.

Each object is announced by a line with a random word, which no commit message can foretell; the sizes are checked, so
an object that is missing, or an announcement that was forged after all, is never counted.
"""

from __future__ import annotations

from collections.abc import Iterator

from podium.errors import HistoryError
from podium.history.commit import LARGEST_COMMIT

# An announcement is an object name of up to 64 digits and a size of up to 20.
_LONGEST_ANNOUNCEMENT = 100


class BatchReader:
    """Give it the output in any pieces, get (object name, object) back.

    ``nonce`` is the random word with which each announcement begins: ``--batch=NONCE %(objectname) %(objectsize)``.
    """

    def __init__(self, nonce: str, largest: int = LARGEST_COMMIT) -> None:
        self._separator = b"\n" + nonce.encode() + b" "
        self._largest = largest
        # As if an object had ended just before the first.
        self._tail = b"\n"
        self._done = True
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The objects that are whole now.

        Raises:
            HistoryError: 'corrupt', the output is not what was asked for.
        """
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        pieces = (self._tail + data).split(self._separator)
        self._tail = pieces.pop()
        if pieces and self._done:
            self._done = False
            if pieces.pop(0):
                raise _damaged()
        for piece in pieces:
            head, _, content = piece.partition(b"\n")
            name, _, size = head.partition(b" ")
            if size != b"%d" % len(content):
                raise _damaged()
            yield name, content if len(content) <= self._largest else content[: self._largest]
        if not self._done and len(self._tail) > self._largest + _LONGEST_ANNOUNCEMENT:
            yield self._cut()

    def close(self) -> Iterator[tuple[bytes, bytes]]:
        """The last object.

        Raises:
            HistoryError: 'corrupt', the output ended in the middle.
        """
        # An object ends where the next is announced.
        yield from self.feed(self._separator[1:])
        if self._done or self._tail:
            raise _damaged()

    def _cut(self) -> tuple[bytes, bytes]:
        """The beginning of the object in the tail; what is still to come of it will be skipped."""
        head, _, content = self._tail.partition(b"\n")
        name, _, digits = head.partition(b" ")
        size = int(digits) if digits.isdigit() else 0
        if size <= self._largest:
            raise _damaged()
        self._skip = max(0, size - len(content))
        self._tail = content[size:]
        self._done = True
        return name, content[: self._largest]


def _damaged() -> HistoryError:
    return HistoryError("corrupt", "The repository is damaged: git cannot read all of its commits.")
