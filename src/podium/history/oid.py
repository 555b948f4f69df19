"""Compute oids: the hash of an object's type, size and content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

_COMMON_SIZE = 4096


class CommitHasher:
    """``digits`` of an oid: 40, or 64 with SHA-256."""

    def __init__(self, digits: int) -> None:
        self._hash = hashlib.sha256 if digits == 64 else hashlib.sha1
        self._begun: dict[int, hashlib._Hash] = {}

    def oids(self, commits: Iterable[bytes]) -> list[bytes]:
        found = []
        for commit in commits:
            size = len(commit)
            begun = self._begun.get(size)
            if begun is None:
                begun = self._hash(b"commit %d\0" % size)
                if size < _COMMON_SIZE:
                    self._begun[size] = begun
            # A copy takes three quarters of the time of a new hash.
            hashing = begun.copy()
            hashing.update(commit)
            found.append(hashing.hexdigest().encode())
        return found
