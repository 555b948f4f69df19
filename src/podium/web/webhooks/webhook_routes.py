"""The routes of webhooks. Without a secret they do not exist: the answer is that of an unknown address."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import MutableMapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from podium.errors import BadDelivery, BadSignature, StorageError, TooManyRequests
from podium.freshness.hooks.hook_deliveries import Delivered, deliver
from podium.freshness.hooks.hook_events import HookHost, read_event
from podium.telemetry import metrics
from podium.web.api import schemas
from podium.web.api.error_responses import error_responses
from podium.web.services import Context, ContextDep
from podium.web.webhooks import delivery_body, signatures

log = logging.getLogger(__name__)

# Seconds until a refusal is sent, so that a client that ignores it does not occupy the event loop.
_REFUSAL_DELAY = 0.25

_MESSAGES = {
    Delivered.ACCEPTED: "Accepted: the repository is counted, or its host is asked.",
    Delivered.IGNORED: "Accepted: nothing new to do.",
}


class _OpenRoute(APIRoute):
    """A route that is there if this server has a secret."""

    def matches(self, scope: MutableMapping[str, Any]) -> tuple[Match, MutableMapping[str, Any]]:
        if scope["type"] == "http" and not scope["app"].state.context.webhook_secrets:
            return Match.NONE, {}
        return super().matches(scope)


router = APIRouter(route_class=_OpenRoute)


async def _receive(host: HookHost, request: Request, context: Context) -> Response:
    try:
        signatures.check_is_signed(host, request.headers)
        async with context.delivery_bodies.read(request) as body:
            outcome = await run_in_threadpool(_take, host, request.headers, body, context)
    except BadSignature:
        _note(host, "refused")
        if context.refused_deliveries.may_record():
            log.warning("a delivery to /webhooks/%s is not signed with a secret of this server", host.value)
        await asyncio.sleep(_REFUSAL_DELAY)
        raise
    except BadDelivery as error:
        _note(host, "invalid")
        log.warning("a delivery of %s cannot be read: %s", host.words, error.message)
        raise
    except (HTTPException, TooManyRequests):
        _note(host, "too_large")
        raise
    except StorageError:
        _note(host, "failed")
        raise
    _note(host, "ignored" if outcome is None else outcome.value)
    if outcome is None or outcome is Delivered.UNKNOWN:
        return Response(status_code=204)
    return JSONResponse({"message": _MESSAGES[outcome]}, 202)


def _take(host: HookHost, headers: Headers, body: bytes, context: Context) -> Delivered | None:
    """Check, read and apply a delivery; None: it concerns no board."""
    settings, secrets = context.services.settings, context.webhook_secrets
    content_type = headers.get("content-type", "")
    is_form = delivery_body.is_form(content_type)

    def signed_field() -> bytes | None:
        with contextlib.suppress(BadDelivery):
            return delivery_body.form_payload(body) if is_form else None
        return None

    verifying = signatures.verifying_secrets(host, headers, body, secrets.all, payload=signed_field, now=time.time())
    if not verifying:
        raise signatures.refusal(host)
    delivery_body.check_type(content_type, headers.get("content-encoding", ""))
    event = read_event(
        host,
        next((headers[name] for name in host.event_headers if name in headers), None),
        delivery_body.decode(delivery_body.form_payload(body) if is_form else body),
        github_url=settings.github_server_url,
        instance=headers.get("x-gitlab-instance"),
    )
    if event is None:
        return None
    if event.address.host not in secrets.hosts_of(host, verifying):
        log.warning("a delivery of %s names a repository of a host that its secret does not speak for", host.words)
        return Delivered.UNKNOWN
    return deliver(context.services.db, context.services.queues, event)


def _note(host: HookHost, outcome: str) -> None:
    metrics.add(metrics.WEBHOOKS, kind=host.value, outcome=outcome)


_BODY = {"schema": {"type": "object", "description": "The payload of the host."}}
_FORM = {
    "schema": {
        "type": "object",
        "properties": {"payload": {"type": "string", "description": "The same, as JSON."}},
        "required": ["payload"],
    }
}
_SIGNATURES = {
    HookHost.GITHUB: "`X-Hub-Signature-256`",
    HookHost.GITLAB: "`X-Gitlab-Token`, or `webhook-signature` of a signing token,",
    HookHost.GITEA: "`X-Gitea-Signature`",
    HookHost.FORGEJO: "`X-Forgejo-Signature`",
}


def _add(host: HookHost) -> None:
    async def receive(request: Request, context: ContextDep) -> Response:
        return await _receive(host, request, context)

    router.add_api_route(
        f"/webhooks/{host.value}",
        receive,
        methods=["POST"],
        tags=["webhooks"],
        summary=f"Receive a delivery of {host.words}",
        description=f"A reason to count a repository, or to ask its host. {_SIGNATURES[host]} must be of a secret of "
        "`PODIUM_WEBHOOK_SECRETS`.",
        operation_id=f"receive{host.words}",
        status_code=202,
        response_model=schemas.DeliveryResponse,
        responses={
            204: {"description": "The delivery concerns no repository that is here."},
            **error_responses(
                _400="The delivery cannot be read, or takes too long to arrive.",
                _401="It is not signed with a secret of this server.",
                _404="The server has no secret.",
                _413="It is larger than 25 MB.",
                _429="Too many large deliveries at once.",
                _503="The database does not answer.",
            ),
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": _BODY, "application/x-www-form-urlencoded": _FORM},
            }
        },
    )


for _host in HookHost:
    _add(_host)
