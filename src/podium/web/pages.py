"""The page: plain HTML that works without JavaScript, and one fragment for the module that keeps states up to date."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from podium.errors import BadAddress, Forbidden, PodiumError, TooManyRequests
from podium.leaderboard.rules import Rules
from podium.storage.session import Row
from podium.submissions import submit
from podium.submissions.address import parse_address
from podium.submissions.repositories import describe, get, listing
from podium.web.access import may_administer, shows_emails
from podium.web.api import submit_address
from podium.web.boards import Board, read_board
from podium.web.paths import key_of, page_path
from podium.web.services import Context, ContextDep
from podium.web.share.snippets import take_along

REPOSITORIES = 50
PEOPLE = 100

# The switches by their names in the address, as for the API, and their defaults.
_SWITCHES = {"merges": "exclude", "bots": "exclude", "coAuthors": "exclude", "mailmap": "use", "since": "", "until": ""}

router = APIRouter(include_in_schema=False)

Offset = Annotated[int, Query(ge=0, le=10**12)]


async def _form(request: Request) -> dict[str, str]:
    try:
        return dict(parse_qsl((await request.body()).decode(errors="replace"), max_num_fields=10))
    except ValueError as error:
        raise HTTPException(400, "The form cannot be read.") from error


FormDep = Annotated[dict[str, str], Depends(_form)]


@router.get("/")
def home(context: ContextDep, offset: Offset = 0) -> Response:
    """The form, and the repositories."""
    return _home(context, offset=offset)


def _home(context: Context, *, offset: int = 0, text: str = "", error: PodiumError | None = None) -> Response:
    with context.services.db.read() as session:
        rows, total = listing(session, state=None, limit=REPOSITORIES, offset=offset)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyRequests) else {}
    return context.renderer.page(
        "home.html",
        status=error.status if error else 200,
        headers=headers,
        text=text[:2000],
        error=error.message if error else None,
        repositories=[_described(row, context) for row in rows],
        pages=_pages(total, offset, REPOSITORIES, "/", {}),
        in_work=any(_in_work(row) for row in rows),
    )


def _described(row: Row, context: Context) -> dict[str, Any]:
    name = f"{row['owner']}/{row['name']}" if row["owner"] else row["name"]
    elsewhere = row["host"] != context.github_host
    return {
        **describe(row),
        "title": f"{row['host']}/{name}" if elsewhere else name,
        "path": page_path(row, context.github_host),
    }


def _in_work(row: Row) -> bool:
    return row["state"] not in ("completed", "failed")


def _pages(total: int, offset: int, size: int, path: str, query: dict[str, str]) -> dict[str, Any]:
    def link(start: int) -> str:
        parameters = query | ({"offset": str(start)} if start else {})
        return path + ("?" + urlencode(parameters) if parameters else "")

    return {
        "total": total,
        "first": min(offset + 1, total),
        "last": min(offset + size, total),
        "previous": link(max(0, offset - size)) if offset else None,
        "next": link(offset + size) if offset + size < total else None,
    }


@router.post("/submit")
def submit_form(request: Request, context: ContextDep, form: FormDep) -> Response:
    """Submit what the form holds, and go to its board."""
    text = form.get("repoUrl", "")
    try:
        found = submit_address(request, context, text)
    except (BadAddress, TooManyRequests) as error:
        return _home(context, text=text, error=error)
    return RedirectResponse(page_path(found.repository, context.github_host), status_code=303)


@router.post("/retry")
def retry_form(request: Request, context: ContextDep, form: FormDep) -> Response:
    """Retry a failed repository, and go back to its board."""
    services = context.services
    if not may_administer(request, services):
        raise Forbidden("Only the administrator may retry: POST /repositories/retry with the token.")
    key = parse_address(form.get("repoUrl", ""), services.settings.github_server_url).key
    row = submit.retry(services.db, services.ring, key)
    return RedirectResponse(page_path(row, context.github_host), status_code=303)


@router.get("/r/{path:path}")
def board(request: Request, path: str, context: ContextDep, offset: Offset = 0) -> Response:
    """A repository's board."""
    github_url = context.services.settings.github_server_url
    switches = {name: request.query_params.get(name) or default for name, default in _SWITCHES.items()}
    rules = _rules(switches)
    try:
        key = key_of(path, github_url)
    except BadAddress as error:
        raise HTTPException(404) from error
    found = read_board(
        context,
        key,
        rules,
        limit=PEOPLE,
        offset=offset,
        show_emails=shows_emails(request, context.services),
    )
    if found is None:
        return context.renderer.page("unknown.html", status=404, name=path, address=_address_of(path, github_url))
    return _board(request, context, found, switches, offset)


def _rules(switches: dict[str, str]) -> Rules:
    return Rules.parse(
        merges=switches["merges"],
        bots=switches["bots"],
        co_authors=switches["coAuthors"],
        mailmap=switches["mailmap"],
        since=switches["since"] or None,
        until=switches["until"] or None,
    )


def _address_of(path: str, github_url: str) -> str:
    path = path.strip("/")
    return f"{github_url}/{path}" if path.count("/") == 1 else "https://" + path.replace("/-/", "/", 1)


def _board(request: Request, context: Context, found: Board, switches: dict[str, str], offset: int) -> Response:
    chosen = {name: value for name, value in switches.items() if value != _SWITCHES[name]}
    document = found.document
    path = page_path(found.repository, context.github_host)
    return context.renderer.page(
        "board.html",
        **_status(request, context, found.repository),
        board=document,
        switches=switches,
        changed=bool(chosen),
        path=path,
        share=take_along(str(request.base_url).rstrip("/"), path, chosen),
        pages=_pages(document["total"], offset, PEOPLE, path, chosen) if document else None,
    )


def _status(request: Request, context: Context, row: Row) -> dict[str, Any]:
    return {
        "repository": _described(row, context),
        "in_work": _in_work(row),
        # Changes when the page shows something else than before: a board where there was none, or a newer one.
        "edition": f"{row['head']} {row['commits_processed_at']} {row['state'] if not _in_work(row) else ''}",
        "may_retry": row["state"] == "failed" and may_administer(request, context.services),
    }


@router.get("/status/{repository_id}")
def status(request: Request, repository_id: Annotated[int, Path(ge=1, le=2**63 - 1)], context: ContextDep) -> Response:
    """The part of a board's page that says where the repository stands."""
    with context.services.db.read() as session:
        row = get(session, repository_id)
    return context.renderer.page("_status.html", **_status(request, context, row))


@router.get("/docs")
async def docs(context: ContextDep) -> Response:
    """The API, described by Swagger UI; everything it loads is served from here."""
    return context.renderer.page("docs.html", headers={"Content-Security-Policy": _DOCS_POLICY})


# Swagger UI draws its icons as data: images.
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
