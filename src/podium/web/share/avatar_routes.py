"""``/avatars/{id}``: an account's avatar, so that a browser contacts no other host.

Initials replace a missing avatar: a 404 would be an error in every browser's console.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from podium.errors import NotFound
from podium.leaderboard.export.faces import colour_of, letters_of
from podium.leaderboard.rows.profiles import AccountProfile, find_profile
from podium.storage.transactions.time_limits import QUICK
from podium.textutil.mask import without_emails
from podium.web.api.error_responses import Problem
from podium.web.cache.conditional import cache_control, conditional_response, etag_of
from podium.web.services import Context, ContextDep, SmallRead

# Seconds that a response waits for the fetch of an avatar.
TIMEOUT = 5.0

_IMAGES: dict[str, Any] = {
    kind: {"schema": {"type": "string", "format": "binary"}}
    for kind in ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
}

router = APIRouter()


@router.get(
    "/avatars/{id}",
    dependencies=[SmallRead],
    tags=["sharing"],
    summary="Read the avatar of an account",
    operation_id="getAvatar",
    response_class=Response,
    responses={
        200: {"description": "The avatar, or drawn initials if there is none.", "content": _IMAGES},
        304: {"description": "Unchanged since the response named by If-None-Match."},
        404: {"model": Problem, "description": "No counted history contains this account."},
        429: {"model": Problem, "description": "Too many reads."},
    },
)
async def avatar(
    request: Request, account_id: Annotated[int, Path(alias="id", ge=1, le=2**63 - 1)], context: ContextDep
) -> Response:
    """The account's avatar in PNG, JPEG, GIF or WebP; `id` is the `githubId` of a board's row."""
    account = await run_in_threadpool(_account, context, account_id)
    if account is None:
        raise NotFound(f"No history that was counted here contains an account with the id {account_id}.")
    url = account.picture or ""
    image = (await context.services.avatars.load([url], TIMEOUT)).get(url)
    if image is not None:
        headers = {"Cache-Control": cache_control(86_400, 7 * 86_400)}
        return conditional_response(request, image.data, f'"{image.digest}"', headers, media_type=image.media_type)
    return _initials(request, context, account)


def _account(context: Context, account_id: int) -> AccountProfile | None:
    services = context.services
    with services.db.read(QUICK) as session:
        return find_profile(session, context.github_host, account_id, services.settings.github_server_url)


def _initials(request: Request, context: Context, account: AccountProfile) -> Response:
    name = without_emails(account.name or "")
    letters = letters_of(name or account.username or "")
    colour = colour_of(account.username or name)
    svg = context.renderer.text("initials.svg", letters=letters, colour=colour)
    # Briefly: the avatar may only be late.
    return conditional_response(
        request, svg, etag_of(letters, colour), {"Cache-Control": cache_control(300)}, media_type="image/svg+xml"
    )
