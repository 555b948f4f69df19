from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from podium.audit import audit_log
from podium.repositories.listing import describe, get, listing, selection
from podium.storage.transactions.time_limits import QUICK
from podium.submissions.refresh_interval import set_interval
from podium.web.access import AdminOnly
from podium.web.api import schemas
from podium.web.api.error_responses import ADMIN, BAD_QUERY, error_responses
from podium.web.api.query_parameters import ListingQuery, each_once
from podium.web.cache.cached_response import CachedResponse, SendCached
from podium.web.services import ContextDep, SmallRead, spend_list

router = APIRouter(dependencies=[Depends(each_once)])

_JOINED: dict[str, Any] = {
    "description": "It turned out to be the same repository as another one, to which `Location` leads."
}


@router.get(
    "/repositories",
    tags=["repositories"],
    summary="List repositories",
    operation_id="listRepositories",
    response_model=list[schemas.RepositoryResponse],
    responses={
        200: {
            "headers": {
                "X-Total-Count": {
                    "description": "Repositories on all pages.",
                    "schema": {"type": "integer"},
                }
            }
        },
        **BAD_QUERY,
        **error_responses(_429="Too many reads."),
    },
)
async def list_repositories(request: Request, query: Annotated[ListingQuery, Query()], context: ContextDep) -> Response:
    """All repositories, newest first; of a search the best matches first."""
    await spend_list(request, query.limit)
    chosen = selection(
        state=query.state,
        text=query.search,
        owner=query.owner,
        github_url=context.services.settings.github_server_url,
    )

    def page() -> CachedResponse:
        with context.services.db.read(QUICK) as session:
            rows, total = listing(session, context.totals, chosen, limit=query.limit, offset=query.offset)
        described = [describe(row, context.queue.of(row)) for row in rows]
        return CachedResponse.json(described, {"X-Total-Count": str(total)})

    return SendCached(await context.listings.get((chosen, query.limit, query.offset), page))


@router.get(
    "/repositories/{id}",
    dependencies=[SmallRead],
    tags=["repositories"],
    summary="Read one repository",
    operation_id="getRepository",
    response_model=schemas.RepositoryResponse,
    responses={301: _JOINED, **BAD_QUERY, **error_responses(_404="No such repository.", _429="Too many reads.")},
)
def get_repository(
    repository_id: Annotated[int, Path(alias="id", ge=1, le=2**63 - 1)], context: ContextDep
) -> Response:
    """One repository and its state. The id of a row that was joined to another one redirects there."""
    with context.services.db.read(QUICK) as session:
        row = get(session, repository_id)
    if row.id != repository_id:
        # It was joined to another row of the same repository.
        return RedirectResponse(str(row.id), 301)
    return JSONResponse(describe(row, context.queue.of(row)))


@router.patch(
    "/repositories/{id}",
    tags=["administration"],
    summary="Set how often a repository is checked",
    operation_id="changeRepository",
    response_model=schemas.RepositoryResponse,
    responses={
        308: _JOINED,
        **BAD_QUERY,
        **ADMIN,
        **error_responses(_404="No such repository.", _409="It is a branch or tag."),
    },
)
def change_repository(
    repository_id: Annotated[int, Path(alias="id", ge=1, le=2**63 - 1)],
    body: schemas.RepositoryChange,
    context: ContextDep,
    _: AdminOnly,
) -> Response:
    """The schedule asks its host for new commits so often, also where the schedule is off."""
    services = context.services
    with services.db.read(QUICK) as session:
        found = get(session, repository_id)
    if found.id != repository_id:
        return RedirectResponse(str(found.id), 308)
    row = set_interval(
        services.db,
        repository_id,
        body.refresh_every,
        every=services.settings.refresh_interval(),
        actor=audit_log.API,
    )
    return JSONResponse(describe(row, context.queue.of(row)))
