"""Who may administer, read metrics, and see e-mail addresses."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from podium.errors import Forbidden, NotAuthenticated
from podium.settings import MIN_TOKEN, Settings
from podium.web.authentication import Role, caller_of, is_administrator
from podium.web.clients import client_of
from podium.web.services import Context, Services, context_of
from podium.web.wrong_tokens import too_many_wrong


def shows_emails(request: Request, services: Services) -> bool:
    """Whether the response may contain full e-mail addresses."""
    chosen = services.settings.show_emails
    return is_administrator(request.scope) if chosen is None else chosen


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


def require_admin(scope: Scope, settings: Settings) -> None:
    """Accept only the administrator.

    Raises:
        NotAuthenticated: the request does not carry the token.
        TooManyRequests: its client has sent too many wrong ones.
        Forbidden: there is no token.
    """
    _require(scope, (Role.ADMINISTRATOR,), settings.admin_token, "the administrator's token", "PODIUM_ADMIN_TOKEN")


def require_metrics(scope: Scope, settings: Settings) -> None:
    """Accept the token for metrics, or the administrator; raises as :func:`require_admin`."""
    _require(
        scope,
        (Role.ADMINISTRATOR, Role.SCRAPER),
        settings.admin_token or settings.metrics_token,
        "the token for metrics or the administrator's",
        "PODIUM_METRICS_TOKEN or PODIUM_ADMIN_TOKEN",
    )


def _require(scope: Scope, roles: tuple[Role, ...], token: str, which: str, setting: str) -> None:
    caller = caller_of(scope)
    if caller.role in roles:
        return
    if not token:
        raise Forbidden(
            f"This is closed to everyone until the server's operator sets {setting} ({MIN_TOKEN} characters or more)."
        )
    if caller.wait:
        raise too_many_wrong(caller.wait)
    raise NotAuthenticated(f"This needs {which}: send `Authorization: Bearer TOKEN`.")


# It refuses nothing. From it FastAPI documents which operations need the token.
_Token = Annotated[object, Depends(HTTPBearer(scheme_name="token", auto_error=False))]


async def _admin(request: Request, _: _Token) -> None:
    require_admin(request.scope, context_of(request).services.settings)


async def _metrics(request: Request, _: _Token) -> None:
    require_metrics(request.scope, context_of(request).services.settings)


AdminOnly = Annotated[None, Depends(_admin)]
MetricsOnly = Annotated[None, Depends(_metrics)]
