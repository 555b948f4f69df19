"""That what was read is a history, whole and nothing else. Pure.

Names are hashes of what they name, so no commit can be an ancestor of its own. Where each commit was read once, every
parent was read, and every commit but one is a parent, that one reaches all of them and there is nothing else: a commit
that it does not reach would have, among its descendants, one that is nobody's parent.
"""

from __future__ import annotations

from podium.history.commit import parent_names


class Proof:
    """What is known of the commits read so far, in whatever order; tell it of each block of them with :meth:`add`."""

    def __init__(self) -> None:
        self._read: set[bytes] = set()
        self._read_twice = False
        # Parents that were not read yet, and commits that are nobody's parent yet.
        self._missing: set[bytes] = set()
        self._childless: set[bytes] = set()

    def add(self, _reader: int, names: list[bytes], lines: list[bytes]) -> None:
        """Note commits that were read: their names, and the lines of their headers that name their parents."""
        read, named = set(names), set(parent_names(lines))
        before = len(self._read)
        self._read |= read
        self._read_twice |= len(self._read) - before < len(names)
        self._childless |= read - named - self._missing
        self._childless -= named
        self._missing -= read
        self._missing |= named - read - self._read

    def fault(self, head: str) -> str | None:
        """Why the commits are not exactly those that ``head`` reaches; None where they are."""
        if self._read_twice:
            return "a commit was there twice"
        if self._missing:
            return f"{len(self._missing)} parents were not there"
        if self._childless != {head.encode()}:
            return f"{len(self._childless)} commits were nobody's parent"
        return None
