"""``/compare``: several boards, windows or people on one axis, as a page or as JSON."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from podium.errors import BadAddress, BadRule, NotFound
from podium.leaderboard.comparison import Compared, shared_accounts
from podium.textutil.mask import without_user_info
from podium.web.api import schemas
from podium.web.api.compare_query import MOST, CompareQuery
from podium.web.api.error_responses import BAD_QUERY, error_responses
from podium.web.api.submission_routes import address_of, never_submitted
from podium.web.cache.cached_response import CachedResponse, SendCached
from podium.web.middleware.security_headers import PAGE_POLICY
from podium.web.pages.board.board_page import days_name, rules_name
from podium.web.pages.board.board_query import SWITCHES
from podium.web.pages.board.board_urls import page_path, page_url, person_path
from podium.web.pages.compare_answers import (
    Answered,
    answer_all,
    check_once,
    common_chart,
    dead_end_of,
    fact_of,
    kept_rules,
    labels_of,
    lasting_link,
    link_to,
    title_of,
)
from podium.web.pages.home_routes import board_of
from podium.web.pages.rendering import HTML
from podium.web.services import Context, ContextDep, SmallRead
from podium.web.share.meta import Meta, page_meta

router = APIRouter()

_VARY = {"Vary": "Accept"}
# The fields of a board and of a person, in the order of the table.
_OF_BOARDS = (
    ("commits", "Commits", "Ranked commits"),
    ("people", "People", "People with ranked commits"),
    ("active", "Active", "With a commit in the 365 days before the last counted commit"),
    ("joined", "Joined", "With the first commit ever in those days"),
    ("left", "Left", "With a commit in the 365 days before those, and none since"),
    ("busFactor", "Bus factor", "The smallest number of people who made half of the commits"),
    ("firstCommit", "First commit", ""),
    ("lastCommit", "Last commit", ""),
)
_OF_WINDOWS = (
    *_OF_BOARDS[:2],
    ("newPeople", "New people", "With the first commit ever in the window"),
    ("active", "Still active", "With a commit in the 365 days before the last counted commit"),
    *_OF_BOARDS[5:],
)
_OF_PEOPLE = (
    ("rank", "Rank", ""),
    ("commitCount", "Commits", "Ranked commits"),
    ("share", "Share", "Of the board's ranked commits"),
    ("mergeCount", "Merges", "Authored merges, whether they are ranked or not"),
    ("coAuthoredCount", "Co-authored", "Commits of others that name the person, whether they are ranked or not"),
    ("aiCount", "AI declared", "Commits that an AI agent authored, or that declare its help"),
    ("firstCommit", "First commit", ""),
    ("lastCommit", "Last commit", ""),
)


@router.get(
    "/compare",
    tags=["leaderboard"],
    summary="Compare boards, windows or people",
    operation_id="compare",
    response_model=schemas.Comparison,
    responses={
        200: {
            "description": "JSON, or the page for a client that accepts HTML.",
            "content": {"text/html": {"schema": {"type": "string"}}},
        },
        304: {"description": "Unchanged since the response named by If-None-Match."},
        **BAD_QUERY,
        **error_responses(
            _404="A repository was never submitted, or has no such person.",
            _422="A board is too large.",
            _429="Too many reads.",
        ),
    },
    dependencies=[SmallRead],
)
async def compare(request: Request, query: Annotated[CompareQuery, Query()], context: ContextDep) -> Response:
    """Figures and commits per week of two to six repositories or revisions, or of windows or people of one."""
    if "text/html" not in request.headers.get("accept", ""):
        check_once(request)
        query.check_names(request.query_params)
        return await _json(request, query, context)
    try:
        check_once(request)
        answers = await answer_all(request, query, context)
    except (BadRule, BadAddress, NotFound) as error:
        values = _page_values(context, query, [], origin=None) | {"error": error.message}
        if isinstance(error, NotFound):
            values["board_of_error"] = await board_of(context, query.repo[0], "".join(query.rev[:1]))
        return context.renderer.page("compare.html", status=error.status, headers=_VARY, **values)
    values = _page_values(context, query, answers, origin=context.origin(request))
    html = context.renderer.text("compare.html", **values)
    headers = {"Content-Security-Policy": PAGE_POLICY, **_VARY}
    return SendCached(CachedResponse.of(html.encode("utf-8", "replace"), HTML, headers))


async def _json(request: Request, query: CompareQuery, context: Context) -> Response:
    answers = await answer_all(request, query, context)
    if len(answers) < 2:
        raise BadRule("Give two or more to compare: repo twice, or one repo and window or person twice.")
    for each in answers:
        if each.row is None:
            raise NotFound(never_submitted(address_of(context, each.subject.repo, each.subject.rev)))
    document = {
        "kind": query.kind,
        "compared": [_document(each) for each in answers],
        "sharedPeople": shared_accounts([each.compared for each in answers]) if _share_people(query, answers) else None,
    }
    found = CachedResponse.json(document)
    return SendCached(dataclasses.replace(found, headers=[*found.headers, (b"vary", b"Accept")]))


def _share_people(query: CompareQuery, answers: list[Answered]) -> bool:
    return query.kind == "repositories" and len(answers) > 1


def _document(each: Answered) -> dict[str, Any]:
    row, compared = each.row, each.compared
    figures = {} if compared is None else {name: value for name, value in compared.figures.items() if name != "row"}
    return {
        "repository": {"url": each.url, "revision": each.revision},
        "rules": each.rules.as_dict(),
        "state": None if row is None else row.state,
        "head": None if row is None or compared is None else row.head,
        "figures": None if compared is None or "row" in compared.figures else figures,
        "person": None if compared is None else compared.figures.get("row"),
        "weeks": None if compared is None else compared.weeks(),
    }


# The page


def _page_values(
    context: Context, query: CompareQuery, answers: list[Answered], *, origin: str | None
) -> dict[str, Any]:
    labels = labels_of(query, answers)
    compared = [each.compared for each in answers]
    shared = shared_accounts(compared) if _share_people(query, answers) else []
    fields = {"people": _OF_PEOPLE, "windows": _OF_WINDOWS, "repositories": _OF_BOARDS}[query.kind]
    # The colors of the chart, which has no series for boards that are not counted.
    numbers = list(itertools.accumulate(int(part is not None) for part in compared))
    kept, chart = kept_rules(query), common_chart(query.kind, labels, answers)
    return {
        "kind": query.kind,
        "error": None,
        "board_of_error": None,
        "terms": _terms(query, answers),
        "dead_end": dead_end_of(query, answers),
        "items": [
            {
                "label": label,
                "number": numbers[place],
                "page": _page(context, each, kept),
                "without": _without(query, each, answers),
                "row": None if each.row is None else context.status.values(each.row)["repository"],
                "state": "" if each.row is None else each.row.shown_state,
                "url": each.url,
                "rev": each.revision or "",
                "is_ready": each.compared is not None,
                "values": [_value(each.compared, name) for name, _, _ in fields],
                "shared": shared[place] if shared else [],
            }
            for place, (label, each) in enumerate(zip(labels, answers, strict=True))
        ],
        "fields": fields,
        "has_shared": any(number is not None for row in shared for number in row),
        "chart": chart,
        "meta": _meta(query, labels, answers, origin, has_image=chart is not None),
        "kept": kept,
        "boards": _typed_boards(query),
        "windows": [window for window in query.window if window.strip()][:MOST],
        "people": [person for person in query.person if person.strip()][:MOST],
        "most": MOST,
        "since": query.since or "",
        "until": query.until or "",
    }


def _terms(query: CompareQuery, answers: list[Answered]) -> str:
    """The window and the rules in force."""
    rules = rules_name(SWITCHES | kept_rules(query))
    if query.kind == "windows" or not answers:
        return rules
    days = answers[0].rules.as_dict()
    return f"{days_name(days['since'] or '', days['until'] or '')} · {rules}"


def _meta(
    query: CompareQuery, labels: list[str], answers: list[Answered], origin: str | None, *, has_image: bool
) -> Meta:
    if not answers:
        about = "Put two or more repositories on one axis, or windows or people of one repository."
        return page_meta(origin, "/compare", title="Compare", description=about)
    title = f"{title_of(query.kind, labels, answers)} compared"
    facts = "; ".join(f"{label}: {fact_of(each)}" for label, each in zip(labels, answers, strict=True))
    return page_meta(
        origin,
        lasting_link(query, answers),
        title=title,
        description=f"{facts}.",
        image=lasting_link(query, answers, image=True) if has_image else None,
        image_about=f"{facts}. The chart shows the commits over time.",
    )


def _value(compared: Compared | None, name: str) -> Any:
    if compared is None:
        return None
    return compared.figures[name] if name in compared.figures else compared.figures["row"][name]


def _page(context: Context, each: Answered, kept: Mapping[str, str]) -> str | None:
    """The page of the board or person under the same rules."""
    if each.row is None:
        return None
    if each.compared is None:
        return page_url(each.row, context.github_host)
    rules = each.rules.as_dict()
    window = {name: rules[name] or "" for name in ("since", "until")}
    query = {"rev": each.revision or "", **kept, **window}
    path = page_path(each.row, context.github_host)
    if "row" in each.compared.figures:
        path = person_path(path, each.compared.figures["row"]["person"])
    given = urlencode({name: value for name, value in query.items() if value})
    return path + (f"?{given}" if given else "")


def _without(query: CompareQuery, each: Answered, answers: list[Answered]) -> str:
    """The comparison without one of its subjects."""
    rest = [other.subject for other in answers if other is not each]
    return link_to(query, rest, rest if rest or query.kind == "repositories" else [each.subject])


def _typed_boards(query: CompareQuery) -> list[tuple[str, str]]:
    """The fields of the form: what was typed, without passwords."""
    repos, revs = query.repo[: MOST + 1], query.rev
    return [
        (without_user_info(repo)[:2000], revs[place][:250] if place < len(revs) else "")
        for place, repo in enumerate(repos)
        if repo.strip()
    ]
