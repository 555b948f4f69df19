"""Sign in at ``/admin`` and out again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from podium.audit import audit_log
from podium.errors import Forbidden, PodiumError, StorageError, TooManyRequests
from podium.web.admin_sessions import COOKIE, SESSION
from podium.web.authentication import is_administrator
from podium.web.clients import client_of
from podium.web.middleware.identify_caller import NOT_STORED
from podium.web.pages.home_routes import FormDep
from podium.web.services import Context, ContextDep

_CODE_HEADERS = {"Cache-Control": NOT_STORED, "Referrer-Policy": "no-referrer"}

router = APIRouter(include_in_schema=False)


async def begin_by_code(request: Request, context: Context, code: str) -> Response:
    """Make the browser the administrator's, and drop the code from its address."""
    if request.scope.get("head"):
        # A preview must not use up the code.
        return Response(headers=_CODE_HEADERS)
    value = context.credentials.begin_session(request.scope, code)
    await run_in_threadpool(_record, context, request, "sign-in", "by the link of the terminal")
    return _with_cookie(RedirectResponse("/", status_code=303, headers=_CODE_HEADERS), request, value)


def sign_in_page(context: Context, error: PodiumError | None = None) -> Response:
    """The form; where there is no administrator, how to become one."""
    has_token = bool(context.services.settings.admin_token)
    error = error if has_token else None
    headers = {"Cache-Control": NOT_STORED}
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    return context.renderer.page(
        "admin/sign_in.html",
        status=404 if not has_token else error.status if error else 200,
        headers=headers,
        has_token=has_token,
        error=error.message if error else None,
    )


@router.post("/admin/sign-in")
async def sign_in(request: Request, context: ContextDep, form: FormDep) -> Response:
    if not context.services.settings.admin_token:
        return sign_in_page(context)
    try:
        value = context.credentials.sign_in(request.scope, form.get("token", "").strip())
    except (Forbidden, TooManyRequests) as error:
        if isinstance(error, Forbidden) and context.refused_sign_ins.may_record():
            await run_in_threadpool(_record, context, request, audit_log.SIGN_IN_REFUSED, "by a wrong token")
        return sign_in_page(context, error)
    await run_in_threadpool(_record, context, request, "sign-in", "by the token")
    return _with_cookie(RedirectResponse("/admin", status_code=303), request, value)


@router.post("/admin/sign-out")
async def sign_out(request: Request, context: ContextDep, form: FormDep) -> Response:
    response = RedirectResponse("/admin", status_code=303, headers={"Cache-Control": NOT_STORED})
    if is_administrator(request.scope) and context.credentials.is_own_form(request.scope, form.get("form", "")):
        context.credentials.sign_out(request.scope)
        await run_in_threadpool(_record, context, request, "sign-out", None)
        response.delete_cookie(COOKIE, secure=request.url.scheme == "https", httponly=True, samesite="strict")
    return response


def _record(context: Context, request: Request, act: str, detail: str | None) -> None:
    # An administrator may sign in while the database is away.
    try:
        with context.services.db.write() as session:
            audit_log.record(session, audit_log.PAGE, act, client_of(request.scope).key, detail)
    except StorageError:
        return


def _with_cookie(response: Response, request: Request, value: str) -> Response:
    response.set_cookie(
        COOKIE, value, max_age=SESSION, secure=request.url.scheme == "https", httponly=True, samesite="strict"
    )
    return response


async def _administrator(request: Request, context: ContextDep) -> Context | None:
    return context if is_administrator(request.scope) else None


# None: the page must be replaced by the form.
AdministratorDep = Annotated[Context | None, Depends(_administrator)]
