"""The API's routes for operators that forget and block."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import JSONResponse, Response

from podium.audit import audit_log
from podium.blocks import block_list
from podium.blocks.block_list import Block, BlockKind
from podium.errors import BadRule, NotFound
from podium.forgetting.forget_person import forget_person, remember_person, sweep
from podium.forgetting.forget_repository import forget_repository
from podium.repositories.listing import no_such_id
from podium.textutil.plural import plural
from podium.timeutil import iso_time
from podium.web.access import AdminOnly
from podium.web.api import schemas
from podium.web.api.error_responses import ADMIN, BAD_QUERY, error_responses
from podium.web.api.query_parameters import ForgetQuery, each_once
from podium.web.services import Context, ContextDep

# Transactions for which a request waits, of 1,000 rows; a worker does the rest.
STEPS = 50
# Repositories that a request compares with forgotten people; a worker compares the rest.
_REPOSITORIES = 20

router = APIRouter(dependencies=[Depends(each_once)])


@router.delete(
    "/repositories/{id}",
    tags=["administration"],
    summary="Forget a repository",
    operation_id="forgetRepository",
    status_code=204,
    response_class=Response,
    responses={**BAD_QUERY, **ADMIN, **error_responses(_404="No such repository, or it is forgotten.")},
)
def forget(
    repository_id: Annotated[int, Path(alias="id", ge=1, le=2**63 - 1)],
    query: Annotated[ForgetQuery, Query()],
    context: ContextDep,
    _: AdminOnly,
) -> Response:
    """Delete its board, the boards of its branches and tags, its clone, and pictures that no other board needs.

    A count of it that is running saves nothing. With `block=true` it is refused from now on.
    """
    services = context.services
    found = forget_repository(
        services.db,
        repository_id,
        actor=audit_log.API,
        kept=services.kept,
        is_blocked=query.block,
        steps=STEPS,
    )
    if not found:
        raise no_such_id(repository_id)
    context.drop_copies()
    queues = services.inspector.queues
    if queues is not None:
        queues.forget_dead({repository.id for repository in found})
    return Response(status_code=204)


@router.post(
    "/people/forget",
    tags=["administration"],
    summary="Forget a person",
    operation_id="forgetPerson",
    status_code=202,
    response_model=schemas.ForgottenPerson,
    responses={**BAD_QUERY, **ADMIN, **error_responses(_404="With `undo`: the person is not forgotten.")},
)
def forget_one_person(body: schemas.PersonRequest, context: ContextDep, _: AdminOnly) -> JSONResponse:
    """Take a person off all boards, and keep the person off, also when boards are counted again.

    Boards with the person's known e-mails change before the answer; a worker compares the others within minutes.
    """
    services, host = context.services, context.github_host
    if body.undo:
        boards = remember_person(services.db, body.person, github_host=host, actor=audit_log.API)
        again = plural(boards, "board is", "boards are")
        return JSONResponse({"message": f"The person may be shown again: {again} counted again.", "person": None}, 202)
    return JSONResponse(
        {"message": "The person is forgotten.", "person": forget_now(context, body.person, actor=audit_log.API)}, 202
    )


def forget_now(context: Context, person: str, *, actor: str) -> str:
    """Forget a person, on as many boards as a request has time for; return the hash by which logs name the person."""
    services, host = context.services, context.github_host
    found = forget_person(services.db, person, github_host=host, actor=actor, kept=services.kept)
    sweep(services.db, host, most=_REPOSITORIES)
    context.drop_copies()
    return found.person


@router.get(
    "/blocks",
    tags=["administration"],
    summary="List what is blocked",
    operation_id="listBlocks",
    response_model=list[schemas.BlockResponse],
    responses={**BAD_QUERY, **ADMIN},
)
def list_blocks(context: ContextDep, _: AdminOnly) -> JSONResponse:
    """Repositories, owners, addresses and people that are refused or not shown, the newest first.

    The `value` of a person is a keyed hash, which does not show who it is.
    """
    with context.services.db.read() as session:
        found = block_list.blocks(session)
    return JSONResponse([_described(block) for block in found])


@router.post(
    "/blocks",
    tags=["administration"],
    summary="Block a repository, an owner or an address",
    operation_id="addBlock",
    status_code=204,
    response_class=Response,
    responses={**BAD_QUERY, **ADMIN},
)
def add_block(body: schemas.BlockRequest, context: ContextDep, _: AdminOnly) -> Response:
    """Refuse it from now on. What was counted stays until it is forgotten."""
    kind, value = _blocked(body, context)
    with context.services.db.write() as session:
        if block_list.add(session, kind, value, reason=body.reason):
            audit_log.record(session, audit_log.API, f"block {kind}", value, body.reason)
    return Response(status_code=204)


@router.post(
    "/blocks/remove",
    tags=["administration"],
    summary="Remove a block",
    operation_id="removeBlock",
    status_code=204,
    response_class=Response,
    responses={**BAD_QUERY, **ADMIN, **error_responses(_404="It is not blocked.")},
)
def remove_block(body: schemas.BlockRequest, context: ContextDep, _: AdminOnly) -> Response:
    """Accept it again."""
    kind, value = _blocked(body, context)
    with context.services.db.write() as session:
        if not block_list.remove(session, kind, value):
            raise NotFound(f"This {kind} is not blocked: GET /blocks lists what is.")
        audit_log.record(session, audit_log.API, f"unblock {kind}", value)
    return Response(status_code=204)


def _blocked(body: schemas.BlockRequest, context: Context) -> tuple[BlockKind, str]:
    kind = BlockKind(body.kind)
    if kind is BlockKind.PERSON:
        raise BadRule("People are forgotten with POST /people/forget.")
    return kind, block_list.value_of(kind, body.value, context.services.settings.github_server_url)


def _described(block: Block) -> dict[str, object]:
    return {"kind": block.kind, "value": block.value, "reason": block.reason, "at": iso_time(block.at)}
