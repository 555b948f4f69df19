"""The OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from podium.web.api.error_responses import MEDIA_TYPE

_DESCRIPTION = """
Podium answers one question about a git repository: *who made this?*

Submit a repository with `POST /leaderboard`, and read its board with `GET /leaderboard`: the status is 202 while the
commits are counted for the first time, then 200. Errors are `application/problem+json` (RFC 9457).
"""
_TAGS = [
    {"name": "leaderboard", "description": "Submit a repository, read its board."},
    {"name": "sharing", "description": "Badges, cards, files and avatars for other pages and programs."},
    {"name": "repositories", "description": "The repositories and their states."},
    {
        "name": "administration",
        "description": "Needs the administrator's token.",
    },
    {"name": "webhooks", "description": "What git hosts send: see `docs/fresh.md`. Without a secret they answer 404."},
    {"name": "server", "description": "The server itself."},
]

# Refusals of any request, before its route.
_EVERYWHERE = {
    "400": "A parameter is not valid, is given twice, or is unknown; or the request has no valid `Host` header.",
    "413": "The request has a body of more than 64 kB.",
    "421": "The `Host` header is not a name of this server.",
}
_FOREIGN = "The request comes from a page of another site."
_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def described(title: str, version: str, routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The document of these routes; it takes a third of a second."""
    document = get_openapi(title=title, version=version, description=_DESCRIPTION, tags=_TAGS, routes=routes)
    for operations in document["paths"].values():
        for method, operation in operations.items():
            responses = operation["responses"]
            # FastAPI documents 422 for validation errors; ours are 400.
            responses.pop("422", None)
            for status, description in _EVERYWHERE.items():
                responses.setdefault(status, {"description": description, "content": _PROBLEM})
            if method != "get":
                responses.setdefault("403", {"description": _FOREIGN, "content": _PROBLEM})
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _without_null(parameter["schema"])
            for status, response in responses.items():
                if status >= "400" and "content" in response and "application/json" in response["content"]:
                    response["content"] = {MEDIA_TYPE: response["content"]["application/json"]}
    components = document["components"]
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    return document


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema without ``null``, which a URL cannot contain: an optional parameter is left out."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    return {name: value for name, value in schema.items() if name != "anyOf"} | (
        choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {}
    )
