"""Answers that a client may keep: ETag, If-None-Match, Cache-Control (RFC 9110, 9111; RFC 5861)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from podium import __version__


def etag_of(*parts: object) -> str:
    """A strong ETag of everything that an answer depends on; this Podium's version is always among it."""
    return f'"{hashlib.sha256(repr((__version__, parts)).encode("utf-8", "replace")).hexdigest()[:32]}"'


def keep(seconds: int, stale: int = 0, *, shared: bool = True) -> str:
    """A Cache-Control: kept for so many seconds, and used for ``stale`` more while a newer one is fetched.

    Args:
        shared: whether one answer is everybody's; False where it depends on who asks.
    """
    who = "public" if shared else "private"
    return f"{who}, max-age={seconds}" + (f", stale-while-revalidate={stale}" if stale else "")


def has(request: Request, etag: str) -> bool:
    """Whether the client has the answer with that ETag already."""
    asked = request.headers.get("if-none-match")
    if asked is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in asked.split(",")}
    return etag in tags or "*" in tags


def answer(
    request: Request, body: bytes | str, etag: str, headers: Mapping[str, str], *, media_type: str, status: int = 200
) -> Response:
    """``body`` with its ETag, or 304 without it where the client has it already."""
    tagged = {"ETag": etag, **headers}
    if status == 200 and has(request, etag):
        return Response(status_code=304, headers=tagged)
    return Response(body, status, tagged, media_type)
