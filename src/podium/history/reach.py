"""Which of the commits that were read a head reaches, and what is missing to say so. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict

from podium.history.commit import parent_names

# Where a commit was read again: the number of the part, of those of its reader, and the place in it.
Place = tuple[int, int]


class Reach:
    """Knows every commit that was read, by whichever reader, with the lines of its header that name its parents.

    Attributes:
        again: of each reader, where it read what had been read before.
    """

    def __init__(self, head: str) -> None:
        self.again: defaultdict[int, list[Place]] = defaultdict(list)
        self._head = head.encode()
        self._parents: dict[bytes, bytes] = {}
        self._parts: Counter[int] = Counter()

    def add(self, reader: int, names: list[bytes], lines: list[bytes]) -> None:
        """Note a part that ``reader`` read; each reader's parts in their order."""
        part = self._parts[reader]
        self._parts[reader] += 1
        before = len(self._parents)
        if self._parents.keys().isdisjoint(names):
            self._parents.update(zip(names, lines, strict=True))
            if len(self._parents) - before == len(names):
                return
            for name in set(names):
                del self._parents[name]
        for place, (name, line) in enumerate(zip(names, lines, strict=True)):
            if name in self._parents:
                self.again[reader].append((part, place))
            else:
                self._parents[name] = line

    def __contains__(self, name: bytes) -> bool:
        """Whether the commit of that name was read."""
        return name in self._parents

    def parents_of(self, name: bytes) -> list[bytes]:
        """The names of a read commit's parents."""
        return parent_names([self._parents[name]])

    def beyond(self) -> set[bytes]:
        """The commits that were read and that the head does not reach: all of whose children are such, if any."""
        children = Counter(parent_names(self._parents.values()))
        waiting = [name for name in self._parents if name not in children and name != self._head]
        found: set[bytes] = set()
        while waiting:
            name = waiting.pop()
            found.add(name)
            for parent in self.parents_of(name):
                children[parent] -= 1
                if not children[parent] and parent != self._head and parent in self._parents:
                    waiting.append(parent)
        return found

    def missing(self, beyond: set[bytes]) -> set[bytes]:
        """The parents that were not read of all commits but those ``beyond``; and the head, where it was not."""
        lines = (
            (line for name, line in self._parents.items() if name not in beyond) if beyond else self._parents.values()
        )
        return {self._head, *parent_names(lines)} - self._parents.keys()
