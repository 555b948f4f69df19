"""What is kept of a commit that is too large to be read whole, in either way of counting."""

from __future__ import annotations

import re

# Bytes. The largest of 236,000 commits of git, rails and ansible has 104 kB.
LARGEST_COMMIT = 256 << 10

# Bytes; more than the lines of MOST_PARENTS parents (podium.history.commit).
_FIRST_LINES = 128 << 10
_AUTHOR_OR_END = re.compile(rb"[\n\0](?:author |[\n\0])")
_END = re.compile(rb"[\n\0]{2}")
_OVERLAP = len(b"\nauthor ") - 1


class LargeCommit:
    """Keeps at most ``largest`` bytes of a commit that arrives in pieces of any size.

    These are its first bytes, without a line of the message that is cut. If too many lines of the header come before
    the author, the first of them are kept, then the author and what follows.
    """

    def __init__(self, largest: int = LARGEST_COMMIT) -> None:
        self._largest = largest
        self._first_lines = min(_FIRST_LINES, largest)
        self._kept = bytearray()
        self._is_cut = False
        # The last bytes of the lines that are left out; None: no lines are left out now.
        self._skipped: bytes | None = None
        self._knows_author = False

    def feed(self, piece: bytes) -> None:
        if self._skipped is not None:
            self._find_author(self._skipped + piece)
        elif self._knows_author:
            self._keep(piece, self._largest)
        else:
            room = self._first_lines - len(self._kept)
            self._keep(piece[:room], self._first_lines)
            if len(piece) >= room:
                self._after_first_lines()
                self.feed(piece[room:])

    def kept(self) -> bytes:
        end = len(self._kept)
        if self._is_cut and _END.search(self._kept):
            end = self._kept.rfind(b"\n") + 1
        return bytes(self._kept[:end])

    def _keep(self, piece: bytes, most: int) -> None:
        room = most - len(self._kept)
        self._is_cut = self._is_cut or len(piece) > room
        self._kept += piece[:room]

    def _after_first_lines(self) -> None:
        if _AUTHOR_OR_END.search(self._kept):
            self._knows_author = True
        else:
            self._skipped = bytes(self._kept[-_OVERLAP:])
            del self._kept[self._kept.rfind(b"\n") + 1 :]

    def _find_author(self, window: bytes) -> None:
        found = _AUTHOR_OR_END.search(window)
        if found is None:
            self._skipped = window[-_OVERLAP:]
            return
        # Without an author, what follows is not needed, but harmless.
        self._skipped = None
        self._knows_author = True
        self.feed(window[found.start() + 1 :])


def beginning_of(commit: bytes, largest: int = LARGEST_COMMIT) -> bytes:
    """Return what :class:`LargeCommit` keeps."""
    large = LargeCommit(largest)
    large.feed(commit)
    return large.kept()
