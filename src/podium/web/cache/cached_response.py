"""Cached responses: the bytes, compressed once, with their ETag."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from podium.web.cache import staleness
from podium.web.cache.conditional import etag_matches

# Compressing less saves no packet.
_MIN_GZIP_BYTES = 1024
_COMPRESSED = {"image/png"}
_GZIP = re.compile(rb"(?:^|[,\s])gzip(?!\s*;\s*q=0(?:\.0*)?(?:[,\s]|$))")


def takes_gzip(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the client that sends those headers (names in lower case) reads gzip."""
    return _GZIP.search(headers.get(b"accept-encoding", b"")) is not None


RawHeaders = list[tuple[bytes, bytes]]


@dataclasses.dataclass(frozen=True, slots=True)
class CachedResponse:
    """A response with status 200, or a redirect. Its ETag is weak, because it is the same with and without gzip."""

    plain: bytes
    gzipped: bytes | None
    etag: bytes
    headers: RawHeaders
    status: int = 200

    @classmethod
    def of(cls, content: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> CachedResponse:
        worthwhile = len(content) >= _MIN_GZIP_BYTES and media_type not in _COMPRESSED
        gzipped = gzip.compress(content, 6, mtime=0) if worthwhile else None
        own = {name.lower().encode("latin-1"): value.encode("latin-1") for name, value in (headers or {}).items()}
        digest = hashlib.sha256(content + repr(sorted(own.items())).encode()).hexdigest()[:32]
        etag = f'W/"{digest}"'.encode()
        raw = [*own.items(), (b"etag", etag), (b"vary", b"Accept-Encoding")]
        return cls(content, gzipped, etag, [*raw, (b"content-type", media_type.encode("latin-1"))])

    @classmethod
    def json(cls, document: Any, headers: Mapping[str, str] | None = None) -> CachedResponse:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return cls.of(text.encode("utf-8"), "application/json", headers)

    @classmethod
    def see_other(cls, url: str) -> CachedResponse:
        """A redirect that clients do not remember."""
        return cls(b"", None, b"", [(b"location", url.encode("ascii"))], 303)

    @property
    def size(self) -> int:
        return len(self.plain) + len(self.gzipped or b"") + 1000

    def _is_known(self, headers: Mapping[bytes, bytes]) -> bool:
        """Whether the client has it, and needs no page with a note that it is not current."""
        if not etag_matches(self.etag, headers.get(b"if-none-match")):
            return False
        return not (staleness.is_noted() and dict(self.headers)[b"content-type"].startswith(b"text/html"))

    async def send(self, headers: Mapping[bytes, bytes], send: Send) -> None:
        """Answer a request with those headers (names in lower case)."""
        if self.status == 200 and self._is_known(headers):
            kept = [header for header in self.headers if header[0] != b"content-type"]
            await send({"type": "http.response.start", "status": 304, "headers": kept})
            await send({"type": "http.response.body", "body": b""})
            return
        content, more = self.plain, []
        if self.gzipped is not None and takes_gzip(headers):
            content, more = self.gzipped, [(b"content-encoding", b"gzip")]
        length = (b"content-length", b"%d" % len(content))
        await send({"type": "http.response.start", "status": self.status, "headers": [*self.headers, *more, length]})
        await send({"type": "http.response.body", "body": content})


class SendCached(Response):
    def __init__(self, cached: CachedResponse) -> None:
        super().__init__(cached.plain)
        self._cached = cached

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        await self._cached.send(dict(scope["headers"]), send)
