"""Who may administer, read metrics, and see e-mail addresses."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Protocol

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from podium.errors import Forbidden, NotAuthenticated
from podium.settings import Settings
from podium.web.clients import client_of
from podium.web.middleware.security_middleware import is_local
from podium.web.services import Context, Services, context_of


class Guarded(Protocol):
    @property
    def settings(self) -> Settings: ...

    @property
    def loopback(self) -> bool: ...


def _is_local(request: Request, services: Guarded) -> bool:
    return is_local(dict(request.scope["headers"]), settings=services.settings, loopback=services.loopback)


def shows_emails(request: Request, services: Services) -> bool:
    """Whether the response may contain full e-mail addresses."""
    chosen = services.settings.show_emails
    return _is_local(request, services) if chosen is None else chosen


async def count_email_lookup(request: Request, context: Context, *, by_email: bool) -> bool:
    """Whether a client that may not see e-mails looks up a person by e-mail; this counts against a limit.

    The limit counts before the repository is known and before anything cached is used: a refusal reveals nothing.

    Raises:
        TooManyRequests: the client has reached the limit.
    """
    if not by_email or shows_emails(request, context.services):
        return False
    await run_in_threadpool(context.email_lookups.take, client_of(request.scope))
    return True


def may_administer(request: Request, services: Services) -> bool:
    """Whether the page offers a retry: only without a token, which a form cannot send."""
    return not services.settings.admin_token and _is_local(request, services)


def require_admin(request: Request, services: Guarded) -> None:
    """Accept only the administrator.

    Raises:
        NotAuthenticated: a token is set, and the request does not carry it.
        Forbidden: none is set, and the request is not from this machine.
    """
    token = services.settings.admin_token
    if token:
        if not _carries(request, token):
            raise NotAuthenticated("This needs the administrator's token: send `Authorization: Bearer TOKEN`.")
    elif not _is_local(request, services):
        raise Forbidden(
            "This is allowed only on the server's own machine: its operator can set PODIUM_ADMIN_TOKEN to allow it "
            "from elsewhere."
        )


def require_metrics(request: Request, services: Guarded) -> None:
    """Accept the token for metrics, or the administrator."""
    token = services.settings.metrics_token
    if not (token and _carries(request, token)):
        require_admin(request, services)


def _carries(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    # Digests have equal lengths, so that timing reveals nothing. Headers are Latin-1.
    same = hmac.compare_digest(_digest(given.strip().encode("latin-1")), _digest(token.encode()))
    return scheme.lower() == "bearer" and same


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


async def _admin(request: Request) -> None:
    require_admin(request, context_of(request).services)


async def _metrics(request: Request) -> None:
    require_metrics(request, context_of(request).services)


AdminOnly = Annotated[None, Depends(_admin)]
MetricsOnly = Annotated[None, Depends(_metrics)]
