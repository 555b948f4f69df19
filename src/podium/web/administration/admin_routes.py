"""The administrator's pages, and what their forms do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from podium.audit import audit_log
from podium.blocks import block_list
from podium.blocks.block_list import BlockKind
from podium.errors import BadAddress, BadRule, Conflict, Forbidden, NotFound, PodiumError
from podium.forgetting.forget_person import checked_person
from podium.forgetting.forget_repository import forget_repository
from podium.freshness import name_decisions
from podium.repositories.listing import no_such_id
from podium.repositories.queue_places import first_places
from podium.repositories.store.queue.pauses import PauseKind
from podium.repositories.store.readers import statistics
from podium.submissions import admin, control
from podium.textutil.sanitize import clean
from podium.textutil.whole_number import whole_number
from podium.web.administration.admin_page import ENTRIES, ROWS, overview_values, queue_values
from podium.web.administration.sign_in_routes import AdministratorDep, begin_by_code, sign_in_page
from podium.web.api.forget_routes import STEPS, forget_now
from podium.web.api.queue_routes import forget_dead
from podium.web.authentication import is_administrator
from podium.web.middleware.identify_caller import NOT_STORED
from podium.web.pages.board.board_page import pages
from podium.web.pages.home_routes import FormDep, Offset, read_form
from podium.web.services import Context, ContextDep, context_of


class _AdminRoute(APIRoute):
    """A route whose errors are shown on the page that its form is of."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_or_show(request: Request) -> Response:
            try:
                return await handle(request)
            except (BadAddress, BadRule, Conflict, NotFound) as error:
                if not is_administrator(request.scope):
                    raise
                page = _PAGES.get((await read_form(request)).get("back", ""), _overview)
                return await run_in_threadpool(page, request, context_of(request), error=error)

        return handle_or_show


router = APIRouter(include_in_schema=False, route_class=_AdminRoute)

_MOST = 2**63 - 1
RepositoryId = Annotated[int, Query(alias="id", ge=1, le=_MOST)]
# What a page says after a form was sent.
_DONE = {
    "retried": "It is tried again.",
    "dropped": "It was taken out of the queue.",
    "forgotten": "It is forgotten.",
    "person-forgotten": "The person is forgotten. A worker compares the boards that are left within minutes.",
    "blocked": "It is blocked.",
    "unblocked": "It is not blocked any more.",
    "kept": "The old board is kept as it is.",
    "started-over": "The old board is forgotten, and the repository that has its name now is counted.",
    "paused": "It is paused.",
    "resumed": "It is resumed.",
    "limited": "The limit of the host is set.",
    "moved": "It was moved in the queue.",
}


@router.get("/admin")
async def overview(request: Request, context: ContextDep, code: str | None = None, done: str = "") -> Response:
    if code is not None:
        return await begin_by_code(request, context, code)
    if not is_administrator(request.scope):
        return sign_in_page(context)
    return await run_in_threadpool(_overview, request, context, done=_DONE.get(done))


def _overview(
    request: Request, context: Context, *, done: str | None = None, error: PodiumError | None = None
) -> Response:
    return _page(request, context, "overview.html", done=done, error=error, **overview_values(context))


@router.get("/admin/failures")
def failures(
    request: Request, context: AdministratorDep, *, kind: str | None = None, offset: Offset = 0, done: str = ""
) -> Response:
    if context is None:
        return _to_form()
    return _failures(request, context, kind=kind, offset=offset, done=_DONE.get(done))


def _failures(
    request: Request,
    context: Context,
    *,
    kind: str | None = None,
    offset: int = 0,
    done: str | None = None,
    error: PodiumError | None = None,
) -> Response:
    with context.services.db.read() as session:
        kinds = statistics.failures_by_code(session)
        # The most frequent kind comes first.
        kind = kinds[0].code if kind is None and kinds else clean(kind or "")
        rows = statistics.failures_of_code(session, kind, limit=ROWS, offset=offset)
    total = next((each.count for each in kinds if each.code == kind), 0)
    paging = pages(total, offset, ROWS, lambda offset: f"/admin/failures?{urlencode({'kind': kind, 'offset': offset})}")
    return _page(
        request, context, "failures.html", kind=kind, kinds=kinds, rows=rows, pages=paging, done=done, error=error
    )


@router.get("/admin/work")
def work(request: Request, context: AdministratorDep, *, offset: Offset = 0, done: str = "") -> Response:
    if context is None:
        return _to_form()
    return _work(request, context, offset=offset, done=_DONE.get(done))


def _work(
    request: Request,
    context: Context,
    *,
    offset: int = 0,
    done: str | None = None,
    error: PodiumError | None = None,
) -> Response:
    with context.services.db.read() as session:
        rows = statistics.unfinished_repositories(session, limit=ROWS, offset=offset)
        places = first_places(session)
        total = sum(count for state, count in statistics.counts_by_state(session).items() if state.is_unfinished)
    paging = pages(total, offset, ROWS, lambda offset: f"/admin/work?offset={offset}")
    problem = context.services.inspector.counting_problem() if total else None
    return _page(
        request,
        context,
        "work.html",
        rows=rows,
        places=places,
        pages=paging,
        counting_problem=problem,
        done=done,
        error=error,
    )


# The pages that have forms, beside those that show errors in their forms.
_PAGES = {"/admin": _overview, "/admin/work": _work, "/admin/failures": _failures}


@router.get("/admin/queue")
def queue(request: Request, context: AdministratorDep, *, done: str = "") -> Response:
    if context is None:
        return _to_form()
    return _queue(request, context, done=_DONE.get(done))


def _queue(
    request: Request, context: Context, *, done: str | None = None, errors: Mapping[str, PodiumError] | None = None
) -> Response:
    """``errors``: by the form that has one."""
    wrong = next(iter((errors or {}).values()), None)
    return _page(
        request,
        context,
        "queue.html",
        status=wrong.status if wrong else 200,
        done=done,
        errors={"pause": None, "limit": None} | {form: error.message for form, error in (errors or {}).items()},
        most=control.MOST_AT_ONCE,
        **queue_values(context),
    )


@router.get("/admin/audit")
def audit(
    request: Request, context: AdministratorDep, before: Annotated[int | None, Query(ge=1, le=_MOST)] = None
) -> Response:
    if context is None:
        return _to_form()
    with context.services.db.read() as session:
        entries = audit_log.latest(session, ENTRIES + 1, before=before)
    has_more = len(entries) > ENTRIES
    return _page(request, context, "audit.html", entries=entries[:ENTRIES], has_more=has_more, before=before)


async def _own_form(request: Request, context: AdministratorDep, form: FormDep) -> Context | None:
    """The context of a form that a page of this session sent; None without a session.

    Raises:
        Forbidden: the form is of another session.
    """
    if context is not None and not context.credentials.is_own_form(request.scope, form.get("form", "")):
        raise Forbidden("This form is of another session: open /admin again, and repeat what you did there.")
    return context


OwnFormDep = Annotated[Context | None, Depends(_own_form)]


@router.post("/admin/retry")
def retry(context: OwnFormDep, form: FormDep) -> Response:
    """Retry one repository, all of a kind of failure, which may be empty, or all."""
    if context is None:
        return _to_form()
    db = context.services.db
    if "id" in form:
        ids = admin.retry(db, [_number(form)], actor=audit_log.PAGE)
    elif "kind" in form:
        ids = admin.retry_code(db, clean(form["kind"]), actor=audit_log.PAGE)
    elif form.get("all") == "true":
        ids = admin.retry(db, [], actor=audit_log.PAGE)
    else:
        raise BadRule("The form does not say what to retry: give id, kind, or all=true.")
    forget_dead(context, set(ids))
    return _back(form, "retried", "/admin")


@router.post("/admin/drop")
def drop(context: OwnFormDep, form: FormDep) -> Response:
    if context is None:
        return _to_form()
    row = admin.drop(context.services.db, _number(form), actor=audit_log.PAGE)
    forget_dead(context, {row.id})
    return _back(form, "dropped", "/admin/work")


@router.post("/admin/keep-board")
def keep_board(context: OwnFormDep, form: FormDep) -> Response:
    if context is None:
        return _to_form()
    name_decisions.keep(context.services.db, _number(form), actor=audit_log.PAGE)
    return _to("/admin?done=kept")


@router.post("/admin/start-over")
def start_over(context: OwnFormDep, form: FormDep) -> Response:
    if context is None:
        return _to_form()
    services = context.services
    found = name_decisions.start_over(services.db, _number(form), actor=audit_log.PAGE, kept=services.kept)
    context.drop_copies()
    forget_dead(context, {found.id})
    return _to("/admin?done=started-over")


@router.post("/admin/pause")
def pause(request: Request, context: OwnFormDep, form: FormDep) -> Response:
    """Pause; a host or the schedule after a question."""
    if context is None:
        return _to_form()
    kind, name = clean(form.get("kind", "")), clean(form.get("name", ""))
    services = context.services
    github_url = services.settings.github_server_url
    try:
        if kind == PauseKind.HOST and form.get("sure") != "true":
            control.check(services.db, kind, name, github_url=github_url)
            return _page(request, context, "pause.html", host=name)
        control.pause(services.db, kind, name, actor=audit_log.PAGE, github_url=github_url)
    except (BadAddress, BadRule, NotFound) as error:
        return _queue(request, context, errors={"pause": error})
    return _to("/admin/queue?done=paused")


@router.post("/admin/resume")
def resume(request: Request, context: OwnFormDep, form: FormDep) -> Response:
    if context is None:
        return _to_form()
    kind, name = clean(form.get("kind", "")), clean(form.get("name", ""))
    services = context.services
    try:
        github_url = services.settings.github_server_url
        control.resume(services.db, kind, name, actor=audit_log.PAGE, github_url=github_url)
    except (BadAddress, BadRule, NotFound) as error:
        return _queue(request, context, errors={"pause": error})
    return _to("/admin/queue?done=resumed")


@router.post("/admin/limit")
def limit_host(request: Request, context: OwnFormDep, form: FormDep) -> Response:
    """An empty number: the setting holds."""
    if context is None:
        return _to_form()
    try:
        text = form.get("number", "").strip()
        number = whole_number(text)
        if text and number is None:
            raise BadRule(f"Give a number from 0 (no limit) to {control.MOST_AT_ONCE:,}, or nothing.")
        control.limit_host(context.services.db, clean(form.get("host", "")), number, actor=audit_log.PAGE)
    except (BadRule, NotFound) as error:
        return _queue(request, context, errors={"limit": error})
    return _to("/admin/queue?done=limited")


@router.post("/admin/move")
def move(context: OwnFormDep, form: FormDep) -> Response:
    if context is None:
        return _to_form()
    to_front = form.get("to") != "last"
    control.move(context.services.db, _number(form), to_front=to_front, actor=audit_log.PAGE)
    return _back(form, "moved", "/admin/work")


@router.get("/admin/forget")
def confirm(request: Request, context: AdministratorDep, repository_id: RepositoryId) -> Response:
    """Ask before a repository is forgotten."""
    if context is None:
        return _to_form()
    with context.services.db.read() as session:
        row = statistics.for_operator(session, repository_id)
    if row is None:
        raise no_such_id(repository_id)
    return _page(request, context, "forget.html", row=row)


@router.post("/admin/forget")
def forget(context: OwnFormDep, form: FormDep) -> Response:
    if context is None:
        return _to_form()
    services = context.services
    found = forget_repository(
        services.db,
        _number(form),
        actor=audit_log.PAGE,
        kept=services.kept,
        is_blocked=form.get("block") == "true",
        steps=STEPS,
    )
    if not found:
        raise NotFound("There is no such repository any more.")
    context.drop_copies()
    forget_dead(context, {repository.id for repository in found})
    return _to("/admin?done=forgotten")


@router.post("/admin/forget-person")
def forget_one_person(request: Request, context: OwnFormDep, form: FormDep) -> Response:
    """Ask, and then forget a person. No address of a page has the e-mail."""
    if context is None:
        return _to_form()
    try:
        person = checked_person(form.get("person", ""))
    except BadRule as error:
        return _blocks(request, context, person_error=error)
    if form.get("sure") != "true":
        return _page(request, context, "forget_person.html", person=person)
    forget_now(context, person, actor=audit_log.PAGE)
    return _to("/admin/blocks?done=person-forgotten")


@router.get("/admin/blocks")
def blocks(request: Request, context: AdministratorDep, *, offset: Offset = 0, done: str = "") -> Response:
    if context is None:
        return _to_form()
    return _blocks(request, context, offset=offset, done=_DONE.get(done))


def _blocks(
    request: Request,
    context: Context,
    *,
    offset: int = 0,
    done: str | None = None,
    error: PodiumError | None = None,
    person_error: PodiumError | None = None,
) -> Response:
    wrong = error or person_error
    with context.services.db.read() as session:
        found = block_list.blocks(session)
    paging = pages(len(found), offset, ROWS, lambda offset: f"/admin/blocks?offset={offset}")
    return _page(
        request,
        context,
        "blocks.html",
        status=wrong.status if wrong else 200,
        blocks=found[offset : offset + ROWS],
        kinds=[kind for kind in BlockKind if kind is not BlockKind.PERSON],
        pages=paging,
        done=done,
        block_error=error.message if error else None,
        person_error=person_error.message if person_error else None,
    )


@router.post("/admin/block")
def block(request: Request, context: OwnFormDep, form: FormDep) -> Response:
    if context is None:
        return _to_form()
    github_url = context.services.settings.github_server_url
    try:
        kind = _kind(form)
        value = block_list.value_of(kind, form.get("value", ""), github_url)
    except (BadAddress, BadRule) as error:
        return _blocks(request, context, error=error)
    reason = clean(form.get("reason", ""))
    with context.services.db.write() as session:
        if block_list.add(session, kind, value, reason=reason):
            audit_log.record(session, audit_log.PAGE, f"block {kind}", value, reason)
    return _to("/admin/blocks?done=blocked")


@router.post("/admin/unblock")
def unblock(request: Request, context: OwnFormDep, form: FormDep) -> Response:
    if context is None:
        return _to_form()
    try:
        kind, value = _kind(form), clean(form.get("value", ""))
    except BadRule as error:
        return _blocks(request, context, error=error)
    with context.services.db.write() as session:
        if block_list.remove(session, kind, value):
            audit_log.record(session, audit_log.PAGE, f"unblock {kind}", value)
    return _to("/admin/blocks?done=unblocked")


def _kind(form: dict[str, str]) -> BlockKind:
    kinds = [kind for kind in BlockKind if kind is not BlockKind.PERSON]
    if form.get("kind") not in kinds:
        raise BadRule(f"Choose what to block: {', '.join(kinds)}.")
    return BlockKind(form["kind"])


def _page(
    request: Request,
    context: Context,
    template: str,
    *,
    status: int = 200,
    error: PodiumError | None = None,
    **values: Any,
) -> Response:
    return context.renderer.page(
        f"admin/{template}",
        status=error.status if error else status,
        headers={"Cache-Control": NOT_STORED},
        **{
            "form": context.credentials.form_token(request.scope),
            "done": None,
            "error": error.message if error else None,
            **values,
        },
    )


def _to_form() -> Response:
    return RedirectResponse("/admin", status_code=303, headers={"Cache-Control": NOT_STORED})


def _to(url: str) -> Response:
    return RedirectResponse(url, status_code=303)


def _back(form: Mapping[str, str], done: str, otherwise: str) -> Response:
    """To the page that the form is of."""
    page = form.get("back", "")
    return _to(f"{page if page in _PAGES else otherwise}?done={done}")


def _number(form: dict[str, str]) -> int:
    number = whole_number(form.get("id", ""))
    if number is None:
        raise BadRule("The form has no id of a repository.")
    return number
