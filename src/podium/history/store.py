"""Single commits by name, from packs and from files of their own; only ever read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from podium.history.inflate import InflateError, inflater
from podium.history.packfile.reader import LARGEST, BadPack
from podium.history.packfiles import PackFile

# "commit ", a size and a NUL.
_LONGEST_HEAD = 32


class Store:
    """The objects of a repository: its folder of them, and its packs, open."""

    def __init__(self, objects: Path, packs: Sequence[PackFile]) -> None:
        self._objects = objects
        self._packs = packs

    def commit(self, name: bytes) -> bytes:
        """The commit of that name, in hexadecimal digits; whether it is that commit is for the caller to see.

        Raises:
            BadPack: it is not there, is something else, or cannot be read.
        """
        try:
            digest = bytes.fromhex(name.decode("ascii"))
        except ValueError:
            raise BadPack("a parent has no name that is one") from None
        for pack in self._packs:
            commit = pack.commit_of(digest)
            if commit is not None:
                return commit
        return self._loose(name.decode())

    def _loose(self, name: str) -> bytes:
        inflating = inflater()
        try:
            content = (self._objects / name[:2] / name[2:]).read_bytes()
            raw = inflating.decompress(content, LARGEST + _LONGEST_HEAD)
        except OSError:
            raise BadPack("a parent is not there") from None
        except InflateError as error:
            raise BadPack(str(error)) from error
        head, _, commit = raw.partition(b"\0")
        if not inflating.eof or head != b"commit %d" % len(commit):
            raise BadPack("a parent is no commit, is damaged or too large")
        return commit
