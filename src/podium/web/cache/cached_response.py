"""Ready-made answers: bytes with their ETag, packed once, sent to whoever asks.

https://www.rfc-editor.org/rfc/rfc9110#name-conditional-requests
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import re
from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

# Smaller ones are sent as they are: packing them saves no packet.
_WORTH_PACKING = 1024
_GZIP = re.compile(rb"(?:^|[,\s])gzip(?!\s*;\s*q=0(?:\.0*)?(?:[,\s]|$))")

RawHeaders = list[tuple[bytes, bytes]]


@dataclasses.dataclass(frozen=True, slots=True)
class Body:
    """An answer with status 200. The ETag is weak: packed and plain are the same to whoever keeps them."""

    plain: bytes
    packed: bytes | None
    etag: bytes
    headers: RawHeaders

    @classmethod
    def of(cls, content: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> Body:
        """Make one; ``headers`` are those of its own besides type, length and ETag."""
        packed = gzip.compress(content, 6, mtime=0) if len(content) >= _WORTH_PACKING else None
        kept = {name.lower().encode("latin-1"): value.encode("latin-1") for name, value in (headers or {}).items()}
        own = hashlib.sha256(content + repr(sorted(kept.items())).encode()).hexdigest()[:32]
        etag = f'W/"{own}"'.encode()
        raw = [*kept.items(), (b"etag", etag), (b"vary", b"Accept-Encoding")]
        return cls(content, packed, etag, [*raw, (b"content-type", media_type.encode("latin-1"))])

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return len(self.plain) + len(self.packed or b"") + 1000

    def matches(self, if_none_match: bytes | None) -> bool:
        """Whether whoever asks has it already."""
        if if_none_match is None:
            return False
        if if_none_match == self.etag:
            return True
        tags = {tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b",")}
        return self.etag.removeprefix(b"W/") in tags or b"*" in tags

    async def send(self, headers: Mapping[bytes, bytes], send: Send) -> None:
        """Answer a request with those headers (names in lower case)."""
        if self.matches(headers.get(b"if-none-match")):
            kept = [header for header in self.headers if header[0] != b"content-type"]
            await send({"type": "http.response.start", "status": 304, "headers": kept})
            await send({"type": "http.response.body", "body": b""})
            return
        content, more = self.plain, []
        if self.packed is not None and _GZIP.search(headers.get(b"accept-encoding", b"")):
            content, more = self.packed, [(b"content-encoding", b"gzip")]
        length = (b"content-length", b"%d" % len(content))
        await send({"type": "http.response.start", "status": 200, "headers": [*self.headers, *more, length]})
        await send({"type": "http.response.body", "body": content})


class BodyResponse(Response):
    """A body as the answer of a route."""

    def __init__(self, body: Body) -> None:
        super().__init__(body.plain)
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's form
        await self._body.send(dict(scope["headers"]), send)
