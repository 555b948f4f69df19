"""Ask a host for a small history, a tree or a blob with single requests of git's protocol 2 (gitprotocol-v2).

git would start five processes and ask for the host's abilities first. That takes longer than cloning a small
repository. Whatever is large or unusual is left to git, which knows what went wrong.
"""

from __future__ import annotations

import hashlib
import re
import time
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

from podium.clones.pinned_connection import pinned_connection
from podium.git.limits import Stop

if TYPE_CHECKING:
    from http.client import HTTPConnection

T = TypeVar("T")

# Generations of commits. The host says before it sends a pack whether there are more.
_DEPTH = 1000
# Bytes of an answer. A tree of a directory with 20,000 files has a MiB.
_MOST_BYTES = 4 << 20
# Seconds for a connection, and for each answer.
_PATIENCE = 5.0
_DEADLINE = 10.0
_CHUNK = 64 << 10
_OID = re.compile(rb"[0-9a-f]{40}")
_KINDS = {"tree": 2, "blob": 3}
_PACK_OF_ONE = b"PACK\0\0\0\2\0\0\0\1"
_HEADERS = {
    "Content-Type": "application/x-git-upload-pack-request",
    "Accept": "application/x-git-upload-pack-result",
    "Git-Protocol": "version=2",
    "User-Agent": "git/2 (Podium)",
}


class UploadPack:
    """``git upload-pack`` of a host, over one connection. Every method returns None where git must be asked.

    Args:
        url: of a repository; later ones have the same origin.
        pinned: of :func:`podium.clones.pinned_connection.pinned_connection`.
    """

    def __init__(self, url: str, pinned: str | None, stop: Stop | None = None) -> None:
        self.url = url
        self._pinned = pinned
        self._stop = stop
        self._deadline = 0.0
        self._connection: HTTPConnection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def head(self) -> tuple[str, str] | None:
        """The oid of HEAD (SHA-1 only), and the ref that it names or ''."""
        return self._ask(_request("ls-refs", "symrefs\n", "ref-prefix HEAD\n"), _head)

    def history(self, oid: str) -> bytes | None:
        """A pack of all commits that ``oid`` reaches."""
        arguments = ("ofs-delta\n", "no-progress\n", "filter tree:0\n", f"deepen {_DEPTH}\n")
        return self._ask(_request("fetch", *arguments, f"want {oid}\n", "done\n"), _pack)

    def object(self, kind: Literal["tree", "blob"], oid: str) -> bytes | None:
        """The content of a tree or blob."""
        # Without the filter, everything in a tree would come, too.
        request = _request("fetch", "no-progress\n", "filter tree:0\n", f"want {oid}\n", "done\n")
        return self._ask(request, lambda lines: _only_object(_pack(lines), kind, oid))

    def _ask(self, request: bytes, read: Callable[[Iterator[bytes]], T]) -> T | None:
        # It takes long to import.
        from http.client import HTTPException

        self._deadline = time.monotonic() + _DEADLINE
        try:
            connection = self._connection or pinned_connection(self.url, self._pinned, _PATIENCE, check=self._check)
            if connection is None:
                return None
            self._connection = connection
            path = urlsplit(self.url).path.rstrip("/")
            connection.request("POST", f"{path}/git-upload-pack", request, _HEADERS)
            return read(_lines(connection.getresponse()))
        except (OSError, ValueError, IndexError, StopIteration, HTTPException, zlib.error):
            self.close()
            return None

    def _check(self) -> float:
        """Return the seconds that are left."""
        left = self._deadline - time.monotonic()
        if left <= 0 or (self._stop is not None and self._stop.is_set()):
            raise TimeoutError
        return left


def _lines(response: Any) -> Iterator[bytes]:
    """The lines of an answer as they arrive; b"" between its sections and at its end."""
    if response.status != 200 or response.headers.get_content_type() != _HEADERS["Accept"]:
        raise ValueError("an unusual answer")
    body, at = bytearray(), 0
    while data := response.read1(_CHUNK):
        body += data
        if len(body) > _MOST_BYTES:
            raise ValueError("a large answer")
        while len(body) - at >= 4 and (size := int(body[at : at + 4], 16)) <= len(body) - at:
            yield bytes(body[at + 4 : at + size])
            at += max(size, 4)
    if at != len(body):
        raise ValueError("a part of an answer")


def _line(text: str) -> bytes:
    return b"%04x%b" % (len(text) + 4, text.encode())


def _request(command: str, *arguments: str) -> bytes:
    return _line(f"command={command}\n") + b"0001" + b"".join(map(_line, arguments)) + b"0000"


def _head(lines: Iterator[bytes]) -> tuple[str, str]:
    for line in lines:
        oid, name, *attributes = line.rstrip(b"\n").split(b" ")
        if name == b"HEAD" and _OID.fullmatch(oid):
            target = next((each for each in attributes if each.startswith(b"symref-target:")), b"")
            # The answer has to be read to its end before another request.
            list(lines)
            return oid.decode(), target.removeprefix(b"symref-target:").decode("utf-8", "replace")
    raise ValueError("no HEAD")


def _pack(lines: Iterator[bytes]) -> bytes:
    line = next(lines)
    if line == b"shallow-info\n":
        if next(lines):
            raise ValueError("there are more generations")
        line = next(lines)
    if line != b"packfile\n":
        raise ValueError("another section")
    pack = []
    for line in lines:
        if line[:1] == b"\3":
            raise ValueError("an error of the host")
        if line[:1] == b"\1":
            pack.append(line[1:])
    return b"".join(pack)


def _only_object(pack: bytes, kind: str, oid: str) -> bytes:
    if not pack.startswith(_PACK_OF_ONE):
        raise ValueError("another number of objects")
    at = len(_PACK_OF_ONE)
    found = pack[at] >> 4 & 7
    while pack[at] & 0x80:
        at += 1
    content = zlib.decompressobj().decompress(pack[at + 1 :], _MOST_BYTES)
    actual = hashlib.sha1(b"%b %d\0%b" % (kind.encode(), len(content), content), usedforsecurity=False).hexdigest()
    if found != _KINDS[kind] or actual != oid:
        raise ValueError("another object")
    return content


def tree_entry(tree: bytes, name: bytes) -> tuple[bytes, str] | None:
    """Mode and oid of a tree's entry; None if it has none.

    Raises:
        ValueError: the tree cannot be read.
    """
    at = 0
    while at < len(tree):
        end = tree.index(b"\0", at)
        mode, _, found = tree[at:end].partition(b" ")
        if len(tree) < end + 21:
            raise ValueError("a part of a tree")
        if found == name:
            return mode, tree[end + 1 : end + 21].hex()
        at = end + 21
    return None
