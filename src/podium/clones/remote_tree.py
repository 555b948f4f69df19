"""Ask a host for one tree, with a single request of git's protocol 2 and no process (gitprotocol-v2, gitformat-pack).

git would start three processes and ask for the host's abilities first. That takes as long as cloning a small
repository. Whatever is unusual is left to git, which knows what went wrong.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from urllib.parse import urlsplit

from podium.clones.pinned_connection import pinned_connection
from podium.git.limits import Stop

# A tree of a directory with 20,000 files.
_MOST_BYTES = 1 << 20
# Seconds for the connection, for each read, and for everything.
_PATIENCE = 5.0
_DEADLINE = 10.0
_CHUNK = 64 << 10
_TREE = 2
_PACK_OF_ONE = b"PACK\0\0\0\2\0\0\0\1"


def ask_for_tree(url: str, oid: str, pinned: str | None, stop: Stop | None = None) -> bytes | None:
    """The content of a tree (its SHA-1 oid); None if the host does not answer at once and as expected.

    Args:
        url: of a repository, with http or https.
        pinned: of :func:`podium.clones.pinned_connection.pinned_connection`.
    """
    # It takes long to import.
    import http.client

    connection = pinned_connection(url, pinned, _PATIENCE)
    if connection is None:
        return None
    path = urlsplit(url).path.rstrip("/")
    try:
        connection.request("POST", f"{path}/git-upload-pack", _request(oid), _HEADERS)
        return _tree(_received(connection.getresponse(), stop), oid)
    except (OSError, ValueError, IndexError, http.client.HTTPException, zlib.error):
        return None
    finally:
        connection.close()


_HEADERS = {
    "Content-Type": "application/x-git-upload-pack-request",
    "Accept": "application/x-git-upload-pack-result",
    "Git-Protocol": "version=2",
    "User-Agent": "git/2 (Podium)",
}


def _line(text: str) -> bytes:
    return b"%04x%b" % (len(text) + 4, text.encode())


def _request(oid: str) -> bytes:
    # Without the filter, everything in the tree would come, too.
    arguments = ("no-progress", "filter tree:0", f"want {oid}\n", "done\n")
    return _line("command=fetch") + b"0001" + b"".join(map(_line, arguments)) + b"0000"


def _received(response: object, stop: Stop | None) -> bytes:
    from http.client import HTTPResponse

    assert isinstance(response, HTTPResponse)  # noqa: S101 # imported late
    if response.status != 200 or response.headers.get_content_type() != "application/x-git-upload-pack-result":
        raise ValueError("an unusual answer")
    body, deadline = bytearray(), time.monotonic() + _DEADLINE
    while data := response.read1(_CHUNK):
        body += data
        if len(body) > _MOST_BYTES or time.monotonic() > deadline or (stop is not None and stop.is_set()):
            raise ValueError("too much, too slow, or not wanted any more")
    return bytes(body)


def _tree(answer: bytes, oid: str) -> bytes:
    lines = iter(_lines(answer))
    if next(lines, b"") != b"packfile\n":
        raise ValueError("another section")
    pack = b"".join(line[1:] for line in lines if line[:1] == b"\1")
    if not pack.startswith(_PACK_OF_ONE):
        raise ValueError("another number of objects")
    at = len(_PACK_OF_ONE)
    kind = pack[at] >> 4 & 7
    while pack[at] & 0x80:
        at += 1
    content = zlib.decompressobj().decompress(pack[at + 1 :], _MOST_BYTES)
    found = hashlib.sha1(b"tree %d\0%b" % (len(content), content), usedforsecurity=False)
    if kind != _TREE or found.hexdigest() != oid:
        raise ValueError("another object")
    return content


def _lines(answer: bytes) -> list[bytes]:
    lines, at = [], 0
    while at < len(answer):
        size = int(answer[at : at + 4], 16)
        if size >= 4:
            lines.append(answer[at + 4 : at + size])
        at += max(size, 4)
    return lines


def may_have(tree: bytes, name: bytes) -> bool:
    """Whether a tree has an entry of any kind with that name, or cannot be read."""
    at = 0
    while at < len(tree):
        end = tree.find(b"\0", at)
        if end < 0 or tree[at:end].partition(b" ")[2] == name:
            return True
        at = end + 21
    return at != len(tree)
