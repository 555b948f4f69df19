"""``/compare``: several boards, windows or people on one axis, as a page or as JSON."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from podium.errors import BadAddress, BadRule, NotFound
from podium.leaderboard.board_data import BoardData
from podium.leaderboard.comparison import Compared, compared_board, compared_person, shared_accounts
from podium.leaderboard.export.faces import named
from podium.leaderboard.person_names import group_named
from podium.leaderboard.rules import Rules
from podium.repositories.model import Repository
from podium.textutil.mask import without_user_info
from podium.timeutil import DAY
from podium.web.api import schemas
from podium.web.api.compare_query import MOST, CompareItem, CompareQuery, Kind
from podium.web.api.error_responses import BAD_QUERY, error_responses
from podium.web.api.submission_routes import address_of, never_submitted
from podium.web.cache.boards import has_board
from podium.web.cache.cached_response import CachedResponse, SendCached
from podium.web.middleware.security_headers import PAGE_POLICY
from podium.web.pages.board_query import SWITCHES
from podium.web.pages.board_urls import page_path, page_url, person_path
from podium.web.pages.chart import Chart, lines_of
from podium.web.pages.rendering import HTML
from podium.web.services import Context, ContextDep, SmallRead

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


@dataclasses.dataclass(frozen=True, slots=True)
class Answered:
    """One subject, what is known about it, and its row; both may be None."""

    subject: CompareItem
    url: str
    revision: str | None
    rules: Rules
    row: Repository | None
    compared: Compared | None


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
    """Figures and commits per week of two to six: of repositories (or revisions), or of windows or people of one."""
    _check_once(request)
    if "text/html" not in request.headers.get("accept", ""):
        return await _json(request, query, context)
    try:
        answers = [await _answer(request, query, subject, context) for subject in query.subjects()]
    except (BadRule, BadAddress, NotFound) as error:
        values = _page_values(context, query, [])
        return context.renderer.page(
            "compare.html", status=error.status, headers=_VARY, **values | {"error": error.message}
        )
    html = context.renderer.text("compare.html", **_page_values(context, query, answers))
    headers = {"Content-Security-Policy": PAGE_POLICY, **_VARY}
    return SendCached(CachedResponse.of(html.encode("utf-8", "replace"), HTML, headers))


def _check_once(request: Request) -> None:
    counts = Counter(name for name, _ in request.query_params.multi_items())
    for name, count in counts.items():
        if count > 1 and name not in ("repo", "rev", "window", "person"):
            raise BadRule(f"{name[:40]} is given more than once.")


async def _answer(request: Request, query: CompareQuery, subject: CompareItem, context: Context) -> Answered:
    rules, address = query.rules_of(subject), address_of(context, subject.repo, subject.rev)
    row = await context.boards.row(address.key)
    if row is None or not has_board(row):
        url = address.url.partition("#")[0] if row is None else row.repository_url
        return Answered(subject, url, address.revision, rules, row, None)

    def make(row: Repository, data: BoardData | None) -> Compared | None:
        if data is None:
            return None
        ranked = data.under(rules)
        if not subject.person:
            return compared_board(ranked)
        group = group_named(ranked, subject.person)
        if group is None:
            raise NotFound(f"{row.owner}/{row.name} has no person {subject.person[:100]!r}: give a login or ~N.")
        return compared_person(ranked, group)

    compared = await context.boards.read(row, make, reader=context.reader(request))
    return Answered(subject, row.repository_url, row.revision, rules, row, compared)


async def _json(request: Request, query: CompareQuery, context: Context) -> Response:
    subjects = query.subjects()
    if len(subjects) < 2:
        raise BadRule("Give two or more to compare: repo twice, or one repo and window or person twice.")
    answers = [await _answer(request, query, subject, context) for subject in subjects]
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


def _page_values(context: Context, query: CompareQuery, answers: list[Answered]) -> dict[str, Any]:
    labels = _labels(query, answers)
    compared = [each.compared for each in answers]
    shared = shared_accounts(compared) if _share_people(query, answers) else []
    fields = {"people": _OF_PEOPLE, "windows": _OF_WINDOWS, "repositories": _OF_BOARDS}[query.kind]
    # The colors of the chart, which has no series for boards that are not counted.
    numbers = list(itertools.accumulate(int(part is not None) for part in compared))
    kept = _kept(query)
    return {
        "kind": query.kind,
        "error": None,
        "items": [
            {
                "label": label,
                "number": numbers[place],
                "page": _page(context, each, kept),
                "without": _without(query, each, answers),
                "row": None if each.row is None else context.status.values(each.row)["repository"],
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
        "chart": _chart(query.kind, labels, answers),
        "kept": kept,
        "boards": _typed_boards(query),
        "windows": [window for window in query.window if window.strip()][:MOST],
        "people": [person for person in query.person if person.strip()][:MOST],
        "most": MOST,
        "since": query.since or "",
        "until": query.until or "",
    }


def _labels(query: CompareQuery, answers: list[Answered]) -> list[str]:
    named_by = [_label(query.kind, each) for each in answers]
    # Two hosts may have repositories of one name.
    return [
        each.url + (f" at {each.revision}" if each.revision else "") if named_by.count(label) > 1 else label
        for label, each in zip(named_by, answers, strict=True)
    ]


def _label(kind: Kind, each: Answered) -> str:
    if kind == "windows":
        rules = each.rules.as_dict()
        return f"{rules['since'] or 'the beginning'} to {rules['until'] or 'the end'}"
    if kind == "people":
        row = {} if each.compared is None else each.compared.figures["row"]
        return named(row.get("name") or row.get("username") or "") if row else each.subject.person
    name = each.url.partition("://")[2] if each.row is None else "/".join(filter(None, (each.row.owner, each.row.name)))
    return f"{name} at {each.revision}" if each.revision else name


def _value(compared: Compared | None, name: str) -> Any:
    if compared is None:
        return None
    return compared.figures[name] if name in compared.figures else compared.figures["row"][name]


def _chart(kind: Kind, labels: list[str], answers: list[Answered]) -> Chart | None:
    found, latest, begins = [], 0, None
    for label, each in zip(labels, answers, strict=True):
        if each.compared is None or each.row is None:
            continue
        days: Mapping[int, int] = each.compared.days
        if kind == "windows":
            begin = each.rules.since // DAY if each.rules.since is not None else min(days, default=0)
            begins = begin if begins is None else begins
            # All windows begin with the first one.
            days = {day - begin + begins: count for day, count in days.items()}
        found.append((label, days))
        latest = max(latest, each.row.counted_at // DAY)
    return lines_of(found, latest=None if kind == "windows" else latest) if found else None


def _kept(query: CompareQuery) -> dict[str, str]:
    """The rules that differ from their defaults, without the window."""
    given = query.model_dump(by_alias=True)
    return {
        name: given[name]
        for name, default in SWITCHES.items()
        if name not in ("since", "until") and given[name] != default
    }


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
    pairs: list[tuple[str, str]] = []
    boards = list(dict.fromkeys((one.repo, one.rev) for one in (rest or [each.subject])))
    if query.kind != "repositories" or rest:
        for repo, rev in boards:
            pairs += [("repo", without_user_info(repo)), ("rev", rev)]
    pairs += [(name, getattr(one, name)) for one in rest for name in ("window", "person") if getattr(one, name)]
    pairs += [*_kept(query).items(), ("since", query.since or ""), ("until", query.until or "")]
    if not any(rev for name, rev in pairs if name == "rev"):
        pairs = [pair for pair in pairs if pair[0] != "rev"]
    given = urlencode([pair for pair in pairs if pair[1] or pair[0] == "rev"])
    return "/compare" + (f"?{given}" if given else "")


def _typed_boards(query: CompareQuery) -> list[tuple[str, str]]:
    """The fields of the form: what was typed, without passwords."""
    repos, revs = query.repo[: MOST + 1], query.rev
    return [
        (without_user_info(repo)[:2000], revs[place][:250] if place < len(revs) else "")
        for place, repo in enumerate(repos)
        if repo.strip()
    ]
