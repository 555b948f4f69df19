"""Check that the commits of a pack are exactly the history of its head.

No commit is its own ancestor. If every commit was read once, every parent was read, and every commit but one is a
parent, then that one reaches all others: an unreached commit would have a descendant that is not a parent.
"""

from __future__ import annotations

from podium.history.commit import parent_oids
from podium.textutil.plural import plural


class ClosedHistoryCheck:
    def __init__(self) -> None:
        self._read: set[bytes] = set()
        self._read_twice = False
        self._missing_parents: set[bytes] = set()
        self._childless: set[bytes] = set()

    def add(self, oids: list[bytes], parent_lines: list[bytes]) -> None:
        """Note commits and the header lines of their parents."""
        read, parents = set(oids), set(parent_oids(parent_lines))
        before = len(self._read)
        self._read |= read
        self._read_twice |= len(self._read) - before < len(oids)
        self._childless |= read - parents - self._missing_parents
        self._childless -= parents
        self._missing_parents -= read
        self._missing_parents |= parents - read - self._read

    def fault(self, head: str) -> str | None:
        """Why the commits are not exactly those that ``head`` reaches; None if they are."""
        if self._read_twice:
            return "it contains a commit twice"
        if self._missing_parents:
            return f"it lacks {plural(len(self._missing_parents), 'parent')}"
        if self._childless != {head.encode()}:
            return f"{plural(len(self._childless), 'commit')} in it without a child"
        return None
