"""Serve what is known while the database does not answer, and say so: ``Podium-Stale: database``, ``Age``, a note.

Boards, badges and files come from their cache, under the last row that was read (:mod:`podium.web.cache.row_batcher`).
Of the home page, lists, comparisons and pages of people, which are made for each request, the last answer is kept here.
"""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from cachetools import LRUCache
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from podium.telemetry import metrics
from podium.textutil.plural import plural
from podium.web.authentication import is_administrator
from podium.web.cache import staleness
from podium.web.cache.cached_response import takes_gzip

# Answers, and as many pages of people and comparisons, which a crawler asks for one after another; and bytes of one.
MAX_COPIES = 64
MAX_COPY = 512 * 1024
# Seconds for which caches may use a stale answer.
FRESH = 5

# The home page, an owner's, a person's, a comparison, the API's lists and states. An owner's page elsewhere than at
# GitHub has the address of a board, so it says itself what it is.
_COPIED = re.compile(r"/(?:r/[^/]+|people/.+|compare|repositories(?:/[0-9]+)?)?")
# In the scope of a request: the answer is a list that is made for it.
IS_LIST = "podium.is_list"
_NOTE_BEFORE = re.compile(rb'<main id="main">\s*')

Key = tuple[str, bytes, str, bool, bool]
# Path, query, origin, gzip, HTML.
Origin = Callable[[Scope, Mapping[bytes, bytes]], str | None]


class _Copy(NamedTuple):
    start: Message
    body: bytes
    at: float


class StaleAnswers:
    """Copies of answers, for when they cannot be made. The administrator's are neither kept nor replaced."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.drop()

    def keep(self, key: Key, start: Message, body: bytes) -> None:
        self._of(key)[key] = _Copy(start, body, self._clock())

    def find(self, key: Key) -> tuple[_Copy, float] | None:
        """The copy, and its age in seconds."""
        copy = self._of(key).get(key)
        if copy is None:
            return None
        age = self._clock() - copy.at
        return (copy, age) if age <= staleness.MAX_STALE else None

    def drop(self) -> None:
        """Something was removed: no copy may show it again. From any thread."""
        self._copies: LRUCache[Key, _Copy] = LRUCache(MAX_COPIES)
        self._many: LRUCache[Key, _Copy] = LRUCache(MAX_COPIES)

    def _of(self, key: Key) -> LRUCache[Key, _Copy]:
        return self._many if key[0].startswith(("/people/", "/compare")) else self._copies


class StaleAnswersMiddleware:
    def __init__(self, app: ASGIApp, *, answers: StaleAnswers, origin: Origin) -> None:
        self._app = app
        self._answers = answers
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        with staleness.noted() as stale:
            answer = _Answer(send, self._answers, self._key, scope, stale)
            await self._app(scope, receive, answer.send)

    def _key(self, scope: Scope) -> Key | None:
        """Of an answer that begins: what is to be kept, or replaced."""
        is_copied = scope.get(IS_LIST) or scope.get("podium.storage_error") or _COPIED.fullmatch(scope["path"])
        if is_administrator(scope) or not is_copied:
            return None
        headers = dict(scope["headers"])
        origin = self._origin(scope, headers)
        html = b"text/html" in headers.get(b"accept", b"")
        return None if origin is None else (scope["path"], scope["query_string"], origin, takes_gzip(headers), html)


class _Answer:
    """One answer on its way to the client. It is held back while it may be replaced, kept or marked."""

    def __init__(
        self,
        send: Send,
        answers: StaleAnswers,
        key_of: Callable[[Scope], Key | None],
        scope: Scope,
        stale: staleness.Staleness,
    ) -> None:
        self._send = send
        self._answers = answers
        self._key_of = key_of
        self._key: Key | None = None
        self._scope = scope
        self._stale = stale
        self._start: Message = {}
        self._body = b""
        self._passes = False

    async def send(self, message: Message) -> None:
        if self._passes:
            await self._send(message)
        elif message["type"] == "http.response.start":
            self._start, self._key = message, self._key_of(self._scope)
            if (self._stale.seconds is None and self._key is None) or _is_stream(message):
                await self._pass()
        else:
            self._body += message.get("body", b"")
            more = message.get("more_body", False)
            if not more:
                await self._end()
            elif self._stale.seconds is None and len(self._body) > MAX_COPY:
                await self._pass()
                await self._send({"type": "http.response.body", "body": self._body, "more_body": True})

    async def _pass(self) -> None:
        self._passes = True
        await self._send(self._start)

    async def _end(self) -> None:
        start, body, age = self._start, self._body, self._stale.seconds
        if self._key is not None:
            if start["status"] == 503 and self._scope.get("podium.storage_error"):
                found = self._answers.find(self._key)
                if found is not None:
                    (start, body, _), age = found
            elif start["status"] == 200 and age is None and len(body) <= MAX_COPY:
                self._answers.keep(self._key, start, body)
        if age is not None:
            metrics.add(metrics.STALE_ANSWERS)
            start, body = _marked(start, body, age)
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _is_stream(start: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in start["headers"])


def _marked(start: Message, body: bytes, age: float) -> tuple[Message, bytes]:
    marked = {**start, "headers": list(start["headers"])}
    headers = MutableHeaders(raw=marked["headers"])
    headers["Podium-Stale"] = "database"
    headers["Age"] = str(int(age))
    kept = headers.get("cache-control", "")
    if "max-age" in kept:
        headers["Cache-Control"] = f"{kept.partition(',')[0]}, max-age={int(age) + FRESH}"
    if start["status"] == 200 and headers.get("content-type", "").startswith("text/html"):
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
            del headers["content-encoding"]
        # The browser must not take the page with the note for the current one.
        if "etag" in headers:
            del headers["etag"]
        body = _NOTE_BEFORE.sub(lambda main: main[0] + _note(age), body, count=1)
        headers["Content-Length"] = str(len(body))
    return marked, body


def _note(age: float) -> bytes:
    minutes = int(age // 60)
    ago = f"{plural(minutes, 'minute')} ago" if minutes else "a moment ago"
    return (
        f'<p class="stale" role="status">The database does not answer. This page shows what was known {ago}.</p>\n'
    ).encode()
