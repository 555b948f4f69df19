"""The API's routes for operators: read the queues, retry, drop and move repositories, pause and limit hosts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import JSONResponse

from podium.audit import audit_log
from podium.monitoring.overview import Overview, as_json
from podium.submissions import admin, control
from podium.web.access import AdminOnly
from podium.web.api import schemas
from podium.web.api.error_responses import ADMIN, BAD_QUERY, error_responses
from podium.web.api.query_parameters import HostLimitQuery, MoveQuery, PauseQuery, RetryQuery, each_once
from podium.web.services import Context, ContextDep

router = APIRouter(dependencies=[Depends(each_once)])


@router.get(
    "/queues",
    tags=["administration"],
    summary="Read the queues",
    operation_id="getQueues",
    response_model=Overview,
    responses={**ADMIN, **error_responses(_503="The database or the queue does not answer.")},
)
def get_queues(context: ContextDep, _: AdminOnly) -> JSONResponse:
    """Messages by queue, repositories by state, leases, failures, workers, and GitHub's rate limit budget."""
    return JSONResponse(as_json(context.services.inspector.overview()))


@router.post(
    "/queues/retry",
    tags=["administration"],
    summary="Retry repositories",
    operation_id="retryQueues",
    status_code=202,
    response_model=schemas.RetriedRepositories,
    responses={**BAD_QUERY, **ADMIN, **error_responses(_404="No such repository.", _409="One of them is completed.")},
)
def retry_queues(query: Annotated[RetryQuery, Query()], context: ContextDep, _: AdminOnly) -> JSONResponse:
    """Failed repositories start from the beginning; those that wait for their next attempt start at once."""
    ids = admin.retry(context.services.db, query.numbers(), actor=audit_log.API)
    forget_dead(context, set(query.numbers()) or None)
    return JSONResponse({"message": admin.retry_message(ids), "ids": ids}, 202)


@router.delete(
    "/queues/{id}",
    tags=["administration"],
    summary="Take a repository out of the queue",
    operation_id="dropFromQueue",
    response_model=schemas.DroppedRepository,
    responses={**BAD_QUERY, **ADMIN, **error_responses(_404="No such repository.", _409="It is not in a queue.")},
)
def drop_from_queue(
    repository_id: Annotated[int, Path(alias="id", ge=1, le=2**63 - 1)], context: ContextDep, _: AdminOnly
) -> JSONResponse:
    """The repository fails with this as its reason; a worker that is processing it can no longer save."""
    row = admin.drop(context.services.db, repository_id, actor=audit_log.API)
    forget_dead(context, {repository_id})
    return JSONResponse({"message": admin.drop_message(row), "id": repository_id})


@router.post(
    "/queues/pause",
    tags=["administration"],
    summary="Pause the schedule, a host or a repository",
    operation_id="pause",
    response_model=schemas.ChangedQueue,
    responses={**BAD_QUERY, **ADMIN, **error_responses(_404="No such host or repository.")},
)
def pause(query: Annotated[PauseQuery, Query()], context: ContextDep, _: AdminOnly) -> JSONResponse:
    """A paused schedule or repository is refreshed only for people who ask for it. Of a paused host nothing is counted
    or checked, and what is submitted waits. What is being counted is finished. It may be paused already."""
    services = context.services
    github_url = services.settings.github_server_url
    return _changed(control.pause(services.db, query.kind, query.name, actor=audit_log.API, github_url=github_url))


@router.post(
    "/queues/resume",
    tags=["administration"],
    summary="End a pause",
    operation_id="resume",
    response_model=schemas.ChangedQueue,
    responses={**BAD_QUERY, **ADMIN, **error_responses(_404="No such host or repository.")},
)
def resume(query: Annotated[PauseQuery, Query()], context: ContextDep, _: AdminOnly) -> JSONResponse:
    """What waited for a host follows, one after another. It is not an error if nothing was paused."""
    services = context.services
    github_url = services.settings.github_server_url
    return _changed(control.resume(services.db, query.kind, query.name, actor=audit_log.API, github_url=github_url))


@router.post(
    "/queues/limit",
    tags=["administration"],
    summary="Limit a host",
    operation_id="limitHost",
    response_model=schemas.ChangedQueue,
    responses={**BAD_QUERY, **ADMIN, **error_responses(_404="No such host.")},
)
def limit_host(query: Annotated[HostLimitQuery, Query()], context: ContextDep, _: AdminOnly) -> JSONResponse:
    """Set how many repositories of a host are counted at once, over all workers."""
    return _changed(control.limit_host(context.services.db, query.host, query.at_once, actor=audit_log.API))


@router.post(
    "/queues/move",
    tags=["administration"],
    summary="Move a repository in the queue",
    operation_id="moveInQueue",
    response_model=schemas.ChangedQueue,
    responses={**BAD_QUERY, **ADMIN, **error_responses(_404="No such repository.", _409="It does not wait.")},
)
def move_in_queue(query: Annotated[MoveQuery, Query()], context: ContextDep, _: AdminOnly) -> JSONResponse:
    """Let a repository that waits to be counted be the next one, or wait behind all others."""
    return _changed(control.move(context.services.db, query.id, to_front=query.to == "first", actor=audit_log.API))


def _changed(done: control.QueueChange) -> JSONResponse:
    return JSONResponse({"message": done.message, "isChange": done.is_change})


def forget_dead(context: Context, repository_ids: set[int] | None) -> None:
    """Drop dead messages of repositories; None: all."""
    queues = context.services.inspector.queues
    if queues is not None:
        queues.forget_dead(repository_ids)
