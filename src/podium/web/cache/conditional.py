"""ETag, If-None-Match (RFC 9110), Cache-Control (RFC 9111, RFC 5861)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from podium import __version__


def etag_of(*parts: object) -> str:
    """A strong ETag of everything that a response depends on, besides Podium's version."""
    return f'"{hashlib.sha256(repr((__version__, parts)).encode("utf-8", "replace")).hexdigest()[:32]}"'


def etag_matches(etag: bytes, if_none_match: bytes | None) -> bool:
    """Weak comparison, as in RFC 9110, section 8.8.3.2."""
    if if_none_match is None:
        return False
    if if_none_match == etag:
        return True
    tags = {tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b",")}
    return etag.removeprefix(b"W/") in tags or b"*" in tags


def client_has(request: Request, etag: str) -> bool:
    return etag_matches(etag.encode("latin-1"), dict(request.scope["headers"]).get(b"if-none-match"))


def cache_control(seconds: int, stale: int = 0, *, shared: bool = True) -> str:
    """A Cache-Control header.

    Args:
        seconds: the fresh lifetime.
        stale: further seconds of use during a refresh.
        shared: False if the response depends on the client.
    """
    scope = "public" if shared else "private"
    return f"{scope}, max-age={seconds}" + (f", stale-while-revalidate={stale}" if stale else "")


def conditional_response(
    request: Request, body: bytes | str, etag: str, headers: Mapping[str, str], *, media_type: str
) -> Response:
    tagged = {"ETag": etag, **headers}
    if client_has(request, etag):
        return Response(status_code=304, headers=tagged)
    return Response(body, 200, tagged, media_type)
