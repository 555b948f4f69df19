"""Check every request before its route, and add security headers to every response.

- The ``Host`` must be a name of this server. Otherwise a foreign page could point its own name at this machine (DNS
  rebinding, https://en.wikipedia.org/wiki/DNS_rebinding) and read what a Podium on loopback serves.
- A request that changes state must come from this server's pages, from no page, or from an allowed origin
  (https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html).
- Bodies are bounded.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from podium.net import is_ip, is_loopback
from podium.settings import Settings
from podium.web.api.error_responses import problem
from podium.web.middleware.security_headers import add_security_headers
from podium.web.webhooks.delivery_body import MAX_DELIVERY

# The largest body is a form with one URL, besides deliveries of webhooks.
MAX_BODY = 64 * 1024
_WEBHOOKS = "/webhooks/"

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def split_host(value: str) -> tuple[str, str | None] | None:
    """A ``Host`` header as (name in lower case, port or None); None if it is not valid."""
    match = _HOST.fullmatch(value.strip())
    return (match[1].lower(), match[2]) if match else None


class SecurityMiddleware:
    def __init__(self, app: ASGIApp, *, settings: Settings, loopback: bool) -> None:
        self._app = app
        self._loopback = loopback
        self._names = frozenset(name.lower() for name in settings.allowed_hosts)
        self._origins = frozenset(origin.lower() for origin in settings.cors_origins)
        self._largest_delivery = MAX_DELIVERY if settings.webhook_secrets else MAX_BODY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        sender = _with_headers(send, bool(scope["query_string"]))
        most = self._largest_delivery if scope["path"].startswith(_WEBHOOKS) else MAX_BODY
        refusal = (
            self._foreign_host(headers)
            or self._foreign_origin(scope["method"], headers)
            or _too_long(headers.get("content-length"), most)
        )
        if refusal:
            status, code, detail = refusal
            await problem(status, detail, code)(scope, receive, sender)
            return
        await self._app(scope, _bounded(receive, most), sender)

    def _foreign_host(self, headers: Headers) -> tuple[int, str, str] | None:
        values = headers.getlist("host")
        host = split_host(values[0]) if len(values) == 1 else None
        if host is None:
            return 400, "bad-host", "The request needs exactly one valid Host header."
        name, port = host
        if is_loopback(name) or name in self._names or f"{name}:{port}" in self._names:
            return None
        # DNS cannot rebind an IP address, but no other address reaches a server on loopback.
        if is_ip(name) and not self._loopback:
            return None
        return (
            421,
            "unknown-host",
            f"{name} is not a name of this server: its operator can add it to PODIUM_ALLOWED_HOSTS.",
        )

    def _foreign_origin(self, method: str, headers: Headers) -> tuple[int, str, str] | None:
        if method in _SAFE_METHODS:
            return None
        origins = [origin.lower() for origin in headers.getlist("origin")]
        if origins and all(origin in self._origins for origin in origins):
            return None
        own = headers["host"].strip().lower()
        sites = headers.getlist("sec-fetch-site")
        if all(_netloc(origin) == own for origin in origins) and all(s in ("same-origin", "none") for s in sites):
            return None
        return (
            403,
            "foreign-origin",
            "Pages of other sites may not do this: the operator can add their origin to PODIUM_CORS_ORIGINS.",
        )


def _netloc(origin: str) -> str | None:
    # Without the scheme, which is unknown behind a TLS proxy.
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc if parts.scheme in ("http", "https") else None


def _too_long(content_length: str | None, most: int) -> tuple[int, str, str] | None:
    if content_length is None or (content_length.isdecimal() and int(content_length) <= most):
        return None
    return 413, "too-large", f"The request's body is larger than {most} bytes."


def _bounded(receive: Receive, most: int) -> Receive:
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise HTTPException(413, f"The request's body is larger than {most} bytes.")
        return message

    return bounded


def _with_headers(send: Send, has_query: bool) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            add_security_headers(headers)
            if has_query and headers.get("content-type", "").startswith("text/html"):
                # One of countless variants; the page links to its canonical URL.
                headers["X-Robots-Tag"] = "noindex"
        await send(message)

    return with_headers
