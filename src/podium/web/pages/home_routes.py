"""The home page, the lists of boards, and the forms that submit a repository."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from podium.errors import BadAddress, BadRule, Blocked, Conflict, NotFound, PodiumError, TooManyRequests
from podium.repositories.listing import listing, selection
from podium.repositories.model import Repository, State
from podium.repositories.revision import MAX_BYTES
from podium.repositories.store.readers import selection as selections
from podium.storage.transactions.time_limits import QUICK
from podium.textutil.mask import without_user_info
from podium.web.api.submission_routes import address_of, retry_address, submit_address
from podium.web.middleware.stale_answers import IS_LIST
from podium.web.pages.board.board_page import pages
from podium.web.pages.board.board_urls import owner_key, owner_path, page_url
from podium.web.pages.board_cards import CARDS
from podium.web.services import Context, ContextDep, spend_list
from podium.web.share.meta import page_meta

REPOSITORIES = 50
# Owners that the menu offers.
OWNERS = 12
ABOUT = "Give Podium the address of a git repository, and it ranks the people who made its commits."

# Failed repositories are in a list of their own, and found by a search: those of others interest few readers.
FILTERS: dict[str, tuple[str, frozenset[State]]] = {
    "": ("All", frozenset()),
    "done": ("Done", frozenset({State.COMPLETED})),
    "working": ("In work", frozenset({State.PENDING, State.COMMITS_PROCESSING, State.USERS_PROCESSING})),
    "failed": ("Failed", frozenset({State.FAILED})),
}
_NOT_FAILED = frozenset(State) - {State.FAILED}

router = APIRouter(include_in_schema=False)

Offset = Annotated[int, Query(ge=0, le=10**12)]


@dataclasses.dataclass(frozen=True, slots=True)
class ListQuery:
    """The query of a list of boards. ``path`` is without a query; ``prefix`` is of the keys."""

    path: str
    state: str = ""
    search: str = ""
    offset: int = 0
    prefix: str = ""

    def link(self, **changes: object) -> str:
        query = {"search": self.search, "state": self.state} | changes
        chosen = urlencode({name: str(value) for name, value in query.items() if value})
        return self.path + (f"?{chosen}" if chosen else "")

    @property
    def is_filtered(self) -> bool:
        return bool(self.search or self.state or self.offset)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, also empty ones.

    Raises:
        HTTPException: it has too many.
    """
    text = (await request.body()).decode(errors="replace")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=10))
    except ValueError as error:
        raise HTTPException(400, "The form is not valid.") from error


FormDep = Annotated[dict[str, str], Depends(read_form)]


@router.get("/")
async def home(
    request: Request, context: ContextDep, offset: Offset = 0, search: str = "", state: str = ""
) -> Response:
    await spend_list(request, REPOSITORIES)
    return await _home(request, context, _query("/", search, state, offset))


def _query(path: str, text: str, state: str, offset: int, prefix: str = "") -> ListQuery:
    """Raises BadRule: there is no such filter."""
    if state not in FILTERS:
        raise BadRule(f"There is no filter {state[:40]!r}: choose {', '.join(name for name in FILTERS if name)}.")
    return ListQuery(path, state, text.strip()[:200], offset, prefix)


async def _home(
    request: Request,
    context: Context,
    query: ListQuery,
    *,
    text: str = "",
    rev: str = "",
    error: PodiumError | None = None,
    board: str | None = None,
) -> Response:
    listed, shown = await run_in_threadpool(_read, context, query, with_shown=not query.is_filtered)
    context.cards.count_people(context.boards, listed["rows"])
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyRequests) else {}
    return context.renderer.page(
        "home.html",
        status=error.status if error else 200,
        headers=headers,
        text=text[:2000],
        rev=rev[:MAX_BYTES],
        error=error.message if error else None,
        board_of_error=board,
        owner=None,
        cards=await context.cards.cards(context.boards, shown),
        meta=page_meta(context.origin(request), "/", title="Podium: who made this?", description=ABOUT),
        **listed,
    )


def _read(context: Context, query: ListQuery, *, with_shown: bool = False) -> tuple[dict[str, Any], list[Repository]]:
    """Read a list, and the boards that the home page shows as cards."""
    chosen = selection(text=query.search, github_url=context.services.settings.github_server_url)
    states = FILTERS[query.state][1] or (frozenset() if chosen.words else _NOT_FAILED)
    chosen = dataclasses.replace(chosen, states=states, prefix=query.prefix)
    failed = dataclasses.replace(chosen, states=FILTERS["failed"][1])
    with context.services.db.read(QUICK) as session:
        rows, total = listing(session, context.totals, chosen, limit=REPOSITORIES, offset=query.offset)
        failures = context.totals.of(session, failed)
        shown = selections.finished(session, limit=CARDS) if with_shown else []
        owners = selections.owners(session, limit=OWNERS)
    values = {
        "query": query,
        "rows": rows,
        "repositories": [_entry(context, row) for row in rows],
        "pages": pages(total, query.offset, REPOSITORIES, lambda offset: query.link(offset=offset)),
        "filters": [(name, words, query.link(state=name, offset=0)) for name, (words, _) in FILTERS.items()],
        "owners": [_owner_in_menu(context, row, query) for row in owners],
        "any_owner": dataclasses.replace(query, path="/", offset=0).link(),
        "failures": failures,
        "in_work": any(row.state.is_unfinished for row in rows),
    }
    return values, shown


def _entry(context: Context, row: Repository) -> dict[str, Any]:
    values = context.status.values(row, context.queue.of(row))
    path = owner_path(row, context.github_host)
    return values | {"owner": _owner_name(path), "name": row.name, "owner_path": path}


def _owner_name(path: str) -> str:
    return unquote(path.removeprefix("/r/"))


def _owner_in_menu(context: Context, row: Repository, query: ListQuery) -> dict[str, Any]:
    path = owner_path(row, context.github_host)
    href = dataclasses.replace(query, path=path, offset=0).link()
    return {"name": _owner_name(path), "href": href, "is_chosen": path.lower() == query.path.lower()}


@router.post("/submit")
async def submit_form(request: Request, context: ContextDep, form: FormDep) -> Response:
    text, rev = form.get("repoUrl", ""), form.get("rev", "")
    try:
        found = await run_in_threadpool(submit_address, request, context, text, rev)
    except (BadAddress, BadRule, Blocked, Conflict, NotFound, TooManyRequests) as error:
        board = await board_of(context, text, rev) if isinstance(error, TooManyRequests | Conflict) else None
        # A page is cached, saved and shared: it repeats no password.
        return await _home(
            request, context, ListQuery("/"), text=without_user_info(text), rev=rev, error=error, board=board
        )
    if found.repository.hidden_at is not None:
        hidden = NotFound("Its host says that this repository is private or does not exist. Podium asks again now.")
        return await _home(request, context, ListQuery("/"), text=without_user_info(text), rev=rev, error=hidden)
    return RedirectResponse(page_url(found.repository, context.github_host), status_code=303)


@router.post("/retry")
async def retry_form(request: Request, context: ContextDep, form: FormDep) -> Response:
    text, rev = form.get("repoUrl", ""), form.get("rev", "")
    try:
        row = await run_in_threadpool(retry_address, request, context, text, rev)
    except (Conflict, TooManyRequests) as error:
        board = await board_of(context, text, rev)
        if board is None or "text/html" not in request.headers.get("accept", ""):
            raise
        if isinstance(error, Conflict):
            # Another reader was first, or the schedule: the board says how it is.
            return RedirectResponse(board, status_code=303)
        return context.renderer.page(
            "error.html",
            status=error.status,
            headers={"Retry-After": str(error.retry_after)},
            title=HTTPStatus(error.status).phrase,
            code=error.status,
            detail=error.message,
            board=board,
        )
    return RedirectResponse(page_url(row, context.github_host), status_code=303)


@router.get("/submit")
@router.get("/retry")
async def back_to_form() -> Response:
    """For a reader who asks for the address of a form that was refused."""
    return RedirectResponse("/", status_code=303)


async def board_of(context: Context, text: str, rev: str) -> str | None:
    """The page of a repository that readers may see; None: there is none."""
    try:
        row = await context.boards.present_row(address_of(context, text, rev).key)
    except PodiumError:
        return None
    return None if row is None else page_url(row, context.github_host)


@router.get("/r/{owner}")
async def boards_of_owner(request: Request, owner: str, context: ContextDep, *, offset: Offset = 0) -> Response:
    page = await owner_page(request, context, owner, offset)
    return page or _unknown_owner(context, owner)


async def owner_page(request: Request, context: Context, path: str, offset: int) -> Response | None:
    """The boards below a path after ``/r/`` that names an owner or a host; None if there are none.

    Raises:
        BadRule: there is no such filter.
        TooManyRequests: the client's budget is used up.
    """
    prefix = owner_key(path, context.github_host)
    if prefix is None:
        return None
    await spend_list(request, REPOSITORIES)
    request.scope[IS_LIST] = True
    given = request.query_params
    own = "/r/" + quote(path.strip("/"), safe="/:[]@")
    query = _query(own, given.get("search", ""), given.get("state", ""), offset, prefix)
    listed, _ = await run_in_threadpool(_read, context, query)
    if not listed["rows"] and not await _has_boards(context, query, listed):
        return None
    context.cards.count_people(context.boards, listed["rows"])
    owner = _owner_title(listed["rows"], prefix, context)
    meta = page_meta(
        context.origin(request),
        query.path,
        title=f"Boards of {owner}",
        description=f"Who made the repositories of {owner}? Podium ranks the people by their commits.",
    )
    return context.renderer.page("owner.html", owner=owner, meta=meta, **listed)


async def _has_boards(context: Context, query: ListQuery, listed: dict[str, Any]) -> bool:
    """Whether the owner of an empty list has boards that its filters leave out, or failures."""
    if not query.is_filtered:
        return bool(listed["failures"])
    whole, _ = await run_in_threadpool(_read, context, ListQuery(query.path, prefix=query.prefix))
    return bool(whole["rows"] or whole["failures"])


def _owner_title(rows: list[Repository], prefix: str, context: Context) -> str:
    """The owner as the host spells it; the key of a repository at GitHub is in lower case."""
    key = prefix.rstrip("/").removeprefix(f"{context.github_host}/")
    return rows[0].owner if rows and rows[0].owner.lower() == key else key


def _unknown_owner(context: Context, owner: str) -> Response:
    return context.renderer.page("unknown.html", status=404, name=owner, address=f"{owner}/", rev="")
