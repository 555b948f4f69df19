"""``/r/…/board.csv``, ``.json`` and ``.md``: the whole board as a file.

A temporary file holds it, so that a slow client holds no transaction. The ETag is the file's hash.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import re
import tempfile
from collections.abc import Iterator
from functools import partial
from typing import IO, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from podium.errors import BadRule, Conflict
from podium.leaderboard.board import Document, read_board
from podium.leaderboard.board_data import BoardData, Ranked
from podium.leaderboard.counts.row_roles import add_roles
from podium.leaderboard.export.formats import stream
from podium.leaderboard.rows.row_order import shown
from podium.leaderboard.view import View
from podium.repositories.model import Repository, State
from podium.web.access import shows_emails
from podium.web.api.error_responses import Problem
from podium.web.api.query_parameters import RevisionQuery, RowsQuery, each_once
from podium.web.cache.cached_response import takes_gzip
from podium.web.cache.conditional import client_has
from podium.web.services import ContextDep
from podium.web.share.board_lookup import NOT_FOUND, BoardPath, how_long, submitted_at

Format = Literal["csv", "json", "md"]


class DownloadQuery(RowsQuery, RevisionQuery):
    bom: Literal["0", "1"] = Field(
        "0", description="`1` begins a CSV file with a byte-order mark, as Excel needs it for names beyond ASCII."
    )


_FORMATS = {"csv": "csv", "json": "json", "md": "markdown"}
_TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "json": "application/json",
    "md": "text/markdown; charset=utf-8; variant=GFM",
}
# Rows per write; bytes in memory before the file goes to disk; bytes per send.
_ROWS, _IN_MEMORY, _BLOCK = 1000, 2 * 2**20, 2**16
# The level of gzip: higher ones take longer for a few percent.
_LEVEL = 5

router = APIRouter(dependencies=[Depends(each_once)])


@router.get(
    "/r/{path:board}/board.{format:format}",
    tags=["sharing"],
    summary="Download a board",
    operation_id="downloadBoard",
    response_class=Response,
    responses={
        200: {
            "description": "All rows, as CSV, JSON (like `GET /leaderboard`) or Markdown.",
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "application/json": {"schema": {"$ref": "#/components/schemas/Board"}},
                "text/markdown": {"schema": {"type": "string"}},
            },
        },
        304: {"description": "Unchanged since the response named by If-None-Match."},
        400: {"model": Problem, "description": "A rule is not valid."},
        404: {"description": "Never submitted.", "content": NOT_FOUND},
        409: {"model": Problem, "description": "There is no board yet."},
        422: {"model": Problem, "description": "The board is too large."},
        429: {"model": Problem, "description": "Too many reads."},
    },
)
async def download(
    request: Request, path: BoardPath, format: Format, query: Annotated[DownloadQuery, Query()], context: ContextDep
) -> Response:
    """All rows of the board under the given rules, with e-mail addresses only if the server shows them."""
    rules, view, bom = query.rules(), query.view(), query.bom == "1"
    if bom and format != "csv":
        raise BadRule("bom=1 is for board.csv only: JSON and Markdown have no byte-order mark.")
    row = await submitted_at(context, path, query.rev)
    show = shows_emails(request, context.services)
    is_gzip = takes_gzip(dict(request.scope["headers"]))

    def make(row: Repository, data: BoardData | None) -> tuple[IO[bytes], str, int]:
        if data is None:
            raise Conflict(_no_board(row))
        written = partial(_written, format=format, show_emails=show, roles=query.roles == "include", bom=bom)
        return written(data.under(rules), view, is_gzip=is_gzip)

    file, etag, length = await context.boards.read(row, make, reader=context.reader(request))
    headers = {
        "ETag": etag,
        "Cache-Control": how_long(row, shared=False),
        "Content-Disposition": f'attachment; filename="{file_name(row, format)}"',
        "Vary": "Accept-Encoding",
    }
    if client_has(request, etag):
        file.close()
        return Response(status_code=304, headers=headers)
    headers |= {"Content-Length": str(length)} | ({"Content-Encoding": "gzip"} if is_gzip else {})
    return StreamingResponse(_blocks(file), headers=headers, media_type=_TYPES[format])


def file_name(row: Repository, format: str) -> str:
    """A name that is valid everywhere and cannot mislead, such as by a hidden extension."""
    named = "-".join(part for part in (*row.owner.split("/"), row.name, row.revision) if part)
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", named).strip("-.")[:100]
    return f"{safe or 'board'}-contributors.{format}"


def _no_board(row: Repository) -> str:
    if row.state == State.FAILED:
        return f"There is no board: {row.error or 'the commits could not be counted.'}"
    return "There is no board yet: the commits are being counted. Ask again in a moment."


def _written(
    ranked: Ranked, view: View, format: Format, *, show_emails: bool, roles: bool, bom: bool, is_gzip: bool
) -> tuple[IO[bytes], str, int]:
    """The rewound file, its ETag, which is the same with and without gzip, and its length."""
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - the response closes it
    digest = hashlib.sha256()
    try:
        pages = _pages(ranked, view, show_emails=show_emails, roles=roles)
        with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) if is_gzip else contextlib.nullcontext(file) as target:
            for piece in stream(pages, _FORMATS[format], roles=roles, bom=bom):
                data = piece.encode()
                digest.update(data)
                target.write(data)
        length = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file, f'W/"{digest.hexdigest()[:32]}"', length


def _pages(ranked: Ranked, view: View, *, show_emails: bool, roles: bool) -> Iterator[Document]:
    offset, total = 0, 1
    while offset < total:
        ranked.data.check()
        page = read_board(ranked, limit=_ROWS, offset=offset, show_emails=show_emails, view=view)
        if roles:
            add_roles(ranked, page, shown(ranked, view, show_emails=show_emails).groups)
        offset, total = offset + _ROWS, page["total"]
        yield page | {"limit": None, "offset": 0}


def _blocks(file: IO[Any]) -> Iterator[bytes]:
    with file:
        while block := file.read(_BLOCK):
            yield block
