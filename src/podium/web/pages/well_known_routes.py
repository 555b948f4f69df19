"""What programs look for at fixed URLs: the icon, the rules for crawlers, and whom to tell about a vulnerability."""

from __future__ import annotations

import datetime

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from podium.web.api.error_responses import API_PATHS
from podium.web.cache.cached_response import SendCached
from podium.web.cache.conditional import cache_control
from podium.web.services import ContextDep

# Parts of pages, which JavaScript fetches, and whole boards as files.
_FILES = ("/r/*/board.csv$", "/r/*/board.json$", "/r/*/board.md$")
# Comparisons are as many as there are sets of boards.
_PARTS = ("/status/", "/events/", "/follow/", "/chart/", "/row/", "/find/", *_FILES, "/compare?")
# Not the page of an account whose login begins so.
_API = tuple(f"{path}$" if path.startswith("/people/") else path for path in API_PATHS)
_HEADERS = {"Cache-Control": cache_control(3_600, 86_400)}
# RFC 9116 recommends less than a year.
_VALID_DAYS = 90

router = APIRouter(include_in_schema=False)


@router.get("/favicon.ico")
async def favicon(context: ContextDep) -> Response:
    """For programs that do not read the page's link to its icon."""
    icon = context.renderer.assets.find("favicon.ico")
    if icon is None:
        raise HTTPException(404)
    return SendCached(icon)


@router.get("/robots.txt")
async def robots(context: ContextDep) -> Response:
    """https://www.rfc-editor.org/rfc/rfc9309"""
    forbidden = (*_API, *_PARTS) if context.services.settings.robots else ("/",)
    rules = "".join(f"Disallow: {path}\n" for path in forbidden)
    return PlainTextResponse(f"User-agent: *\n{rules}", headers=_HEADERS)


@router.get("/.well-known/security.txt")
async def security_contact(context: ContextDep) -> Response:
    """https://www.rfc-editor.org/rfc/rfc9116"""
    contacts = context.services.settings.security_contact
    if not contacts:
        raise HTTPException(404)
    today = datetime.datetime.now(tz=datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    expires = (today + datetime.timedelta(days=_VALID_DAYS)).isoformat().replace("+00:00", "Z")
    lines = "".join(f"Contact: {contact}\n" for contact in contacts)
    return PlainTextResponse(f"{lines}Expires: {expires}\nPreferred-Languages: en\n", headers=_HEADERS)
