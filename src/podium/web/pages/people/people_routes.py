"""The page of an account: its rows on all boards of this server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from podium.errors import BadCommitLog, BoardTooLarge, NotFound
from podium.leaderboard.board import entries
from podium.leaderboard.board_data import BoardData
from podium.leaderboard.export.faces import named
from podium.leaderboard.figures import sparklines
from podium.leaderboard.rows.person_names import group_of_contributor
from podium.leaderboard.rows.profiles import find_by_login, profile_url
from podium.leaderboard.rules import Rules
from podium.repositories.model import Repository
from podium.repositories.store.readers.contributions import Contribution, of_contributor
from podium.storage.session import Row
from podium.textutil.plural import plural
from podium.web.cache.cached_response import CachedResponse, SendCached
from podium.web.charts.shapes import silhouette
from podium.web.pages.board.board_page import CURVE_HEIGHT, PEOPLE
from podium.web.pages.board.board_urls import page_url, person_path
from podium.web.services import Context, ContextDep, SmallRead
from podium.web.share.meta import Meta, page_meta

# Boards of a page, and the e-mails that these have together: ranking takes time with them. A page has one board at
# least.
BOARDS = 20
EMAILS = 20_000

router = APIRouter(include_in_schema=False)


@router.get("/people/{path:path}", dependencies=[SmallRead])
async def people(
    request: Request, path: str, context: ContextDep, offset: Annotated[int, Query(ge=0, le=10**12)] = 0
) -> Response:
    host, _, login = path.strip("/").rpartition("/")
    host = host.lower() or context.github_host
    account, boards = await run_in_threadpool(_found, context, host, login)
    if account is None or not boards:
        return context.renderer.page("unknown_account.html", status=404, login=login[:100], text="", error=None)
    own = _path(context, host, account["username"])
    if request.url.path != own:
        query = request.url.query
        return RedirectResponse(own + (f"?{query}" if query else ""), status_code=303)
    chunks = list(_chunks(boards))
    number = next((place for place, (first, _) in enumerate(chunks) if first > offset), len(chunks)) - 1
    rows = [row for each in chunks[number][1] if (row := await _row(request, context, account["id"], each))]
    values = _values(context, account, boards, rows, is_whole=len(chunks) == 1)
    pages = _pages(own, chunks, number, len(boards))
    meta = _meta(context.origin(request), own, values)
    return SendCached(context.renderer.body("account.html", **values, meta=meta, pages=pages))


def _found(context: Context, host: str, login: str) -> tuple[Row | None, list[Contribution]]:
    with context.services.db.read() as session:
        account = find_by_login(session, host, login.removeprefix("@")) if login.isprintable() and login else None
        return account, of_contributor(session, account["id"]) if account else []


def _path(context: Context, host: str, login: str) -> str:
    segments = ["people", *([] if host == context.github_host else [host]), login]
    return "/" + "/".join(quote(segment, safe=":[]@") for segment in segments)


def _chunks(boards: list[Contribution]) -> Iterable[tuple[int, list[Contribution]]]:
    """The boards of each page, with the offset of the first."""
    chunk: list[Contribution] = []
    for place, board in enumerate(boards):
        if chunk and (len(chunk) == BOARDS or sum(each.emails for each in chunk) + board.emails > EMAILS):
            yield place - len(chunk), chunk
            chunk = []
        chunk.append(board)
    yield len(boards) - len(chunk), chunk


async def _row(request: Request, context: Context, contributor: int, board: Contribution) -> dict[str, Any] | None:
    """The account's row of one board, kept with the board; None if the board is gone or counts nothing for it."""
    repository = await context.boards.row(board.repository_id)
    if repository is None:
        return None

    def make(row: Repository, data: BoardData | None) -> CachedResponse:
        return CachedResponse.json(None if data is None else _described(context, row, data, contributor))

    try:
        answer = await context.boards.get(repository, ("account", contributor), make, reader=context.reader(request))
    except (BadCommitLog, BoardTooLarge, NotFound):
        return None
    described: dict[str, Any] | None = json.loads(answer.plain)
    return described and {**context.status.described(repository), **described}


def _described(context: Context, repository: Repository, data: BoardData, contributor: int) -> dict[str, Any] | None:
    ranked = data.under(Rules())
    group = group_of_contributor(ranked, contributor)
    if group is None:
        return None
    [row] = entries(ranked, [group], show_emails=False)
    curves = sparklines(ranked, [group])
    board = page_url(repository, context.github_host)
    path, _, query = board.partition("?")
    offset = (row["rank"] - 1) // PEOPLE * PEOPLE if row["rank"] else 0
    place = f"{'&' if query else '?'}offset={offset}" if offset else ""
    return {
        "row": row,
        "people": len(ranked.ranking.order),
        "curve": silhouette(curves["curves"][0], curves["peak"], CURVE_HEIGHT, root=True),
        "points": len(curves["curves"][0]),
        "board_url": f"{board}{place}#p{min(ranked.people.ids[person] for person in ranked.groups.members[group])}",
        "person_url": person_path(path, row["person"]) + (f"?{query}" if query else ""),
    }


def _values(
    context: Context, account: Row, boards: list[Contribution], rows: list[dict[str, Any]], *, is_whole: bool
) -> dict[str, Any]:
    """``is_whole``: whether ``rows`` are all of them, so that their sums are the account's."""
    first = [row["row"]["firstCommitAt"] for row in rows if row["row"]["firstCommitAt"]]
    last = [row["row"]["lastCommitAt"] for row in rows if row["row"]["lastCommitAt"]]
    shown = rows[0]["row"] if rows else {}
    return {
        "account": {
            "username": account["username"],
            "name": account["name"] or shown.get("name") or account["username"],
            "githubId": account["account_id"],
            "url": profile_url(account, context.services.settings.github_server_url),
            "isBot": shown.get("isBot", bool(account["is_bot"])),
        },
        "rows": rows,
        "boards": len(rows) if is_whole else len(boards),
        "commits": sum(row["row"]["commitCount"] for row in rows) if is_whole else sum(b.commits for b in boards),
        "merges": sum(row["row"]["mergeCount"] for row in rows) if is_whole else sum(b.merges for b in boards),
        "first": min(first, default=None) if is_whole else None,
        "last": max(last, default=None) if is_whole else None,
        "is_whole": is_whole,
    }


def _meta(origin: str | None, path: str, values: dict[str, Any]) -> Meta:
    name = named(values["account"]["name"])
    commits, boards = plural(values["commits"], "commit"), plural(values["boards"], "board")
    about = f"{name} made {commits} on {boards} of this server."
    return page_meta(origin, path, title=f"{name} on all boards", description=about)


def _pages(path: str, chunks: list[tuple[int, list[Contribution]]], number: int, total: int) -> dict[str, Any]:
    def link(offset: int) -> str:
        return f"{path}?offset={offset}" if offset else path

    first, boards = chunks[number]
    return {
        "total": total,
        "first": first + 1,
        "last": first + len(boards),
        "previous": link(chunks[number - 1][0]) if number else None,
        "next": link(chunks[number + 1][0]) if number + 1 < len(chunks) else None,
    }
