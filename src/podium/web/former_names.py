"""Requests that name a repository by a name that it had: they are redirected to the present one."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from podium.repositories.model import Repository
from podium.web.pages.board.board_urls import page_path

# Another repository may get the old name, so the redirect is not kept for long.
_KEPT = "max-age=300"


class Renamed(Exception):
    """A request names a repository by a former name; ``row`` has the present one."""

    def __init__(self, row: Repository) -> None:
        super().__init__(row.key)
        self.row = row


async def redirect(request: Request, error: Exception) -> Response:
    """Redirect to the same page, file or answer under the present name. A POST stays a POST."""
    assert isinstance(error, Renamed)  # noqa: S101 # the handler's type
    status = 301 if request.method in ("GET", "HEAD") else 308
    return RedirectResponse(_present(request, error), status, headers={"Cache-Control": _KEPT})


def _present(request: Request, error: Renamed) -> str:
    row, query, path = error.row, request.url.query, request.url.path
    named = request.path_params.get("path")
    if named is None:
        given = parse_qsl(query, keep_blank_values=True)
        present = [(name, row.repository_url if name == "repoUrl" else value) for name, value in given]
        return f"{quote(path)}?{urlencode(present)}"
    rest = path.partition(f"/r/{named}")[2]
    found = page_path(row, request.app.state.context.github_host) + quote(rest, safe="/~[]:@")
    return f"{found}?{query}" if query else found
