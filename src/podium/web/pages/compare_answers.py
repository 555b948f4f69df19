"""What a comparison shows of each subject: rows, figures, labels, one chart, and the links to it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from fastapi import Request

from podium.errors import BadRule, NotFound
from podium.leaderboard.board_data import BoardData
from podium.leaderboard.comparison import Compared, compared_board, compared_person
from podium.leaderboard.export.faces import named
from podium.leaderboard.rows.person_names import group_named
from podium.leaderboard.rules import Rules
from podium.repositories.model import Repository
from podium.textutil.mask import without_user_info
from podium.textutil.plural import plural
from podium.timeutil import DAY
from podium.web.api.compare_query import CompareItem, CompareQuery, Kind
from podium.web.api.submission_routes import address_of
from podium.web.live.status import board_version
from podium.web.pages.board.board_query import SWITCHES
from podium.web.pages.board.board_urls import with_query
from podium.web.pages.board.chart import Chart, lines_of
from podium.web.pages.board.dead_ends import DeadEnd
from podium.web.services import Context


@dataclasses.dataclass(frozen=True, slots=True)
class Answered:
    """One subject, what is known about it, and its row; both may be None."""

    subject: CompareItem
    url: str
    revision: str | None
    rules: Rules
    row: Repository | None
    compared: Compared | None


def check_once(request: Request) -> None:
    """Raises BadRule: a parameter is repeated that is not a list."""
    counts = Counter(name for name, _ in request.query_params.multi_items())
    for name, count in counts.items():
        if count > 1 and name not in ("repo", "rev", "window", "person"):
            raise BadRule(f"{name[:40]} is given more than once.")


async def answer_all(request: Request, query: CompareQuery, context: Context) -> list[Answered]:
    """What is known of each subject, once for all its spellings.

    Raises:
        BadRule, BadAddress: the query is not valid.
        NotFound: a board has no such person.
        TooManyRequests, ReaderGone: as for :meth:`podium.web.cache.boards.BoardCache.read`.
    """
    answers: dict[object, Answered] = {}
    for item in query.subjects():
        each = await _answer(request, query, item, context)
        answers.setdefault((_settled(each), "" if each.compared else each.subject.person), each)
    return list(answers.values())


async def _answer(request: Request, query: CompareQuery, subject: CompareItem, context: Context) -> Answered:
    rules, address = query.rules_of(subject), address_of(context, subject.repo, subject.rev)
    row = await context.boards.present_row(address.key)
    if row is None or not row.has_board:
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


def labels_of(query: CompareQuery, answers: list[Answered]) -> list[str]:
    labels = [_label(query.kind, each) for each in answers]
    return [
        _longer_label(query.kind, label, each) if labels.count(label) > 1 else label
        for label, each in zip(labels, answers, strict=True)
    ]


def _longer_label(kind: Kind, label: str, each: Answered) -> str:
    """Tell apart two repositories or people of one name."""
    if kind == "repositories":
        return each.url + (f" at {each.revision}" if each.revision else "")
    return f"{label} ({each.subject.person})" if kind == "people" else label


def _label(kind: Kind, each: Answered) -> str:
    if kind == "windows":
        rules = each.rules.as_dict()
        return f"{rules['since'] or 'the beginning'} to {rules['until'] or 'the end'}"
    if kind == "people":
        row = {} if each.compared is None else each.compared.figures["row"]
        return named(row.get("name") or row.get("username") or "") if row else each.subject.person
    return _name_of(each)


def _name_of(each: Answered) -> str:
    name = each.url.partition("://")[2] if each.row is None else "/".join(filter(None, (each.row.owner, each.row.name)))
    return f"{name} at {each.revision}" if each.revision else name


def title_of(kind: Kind, labels: Sequence[str], answers: Sequence[Answered]) -> str:
    """``a/b, c/d``, or of windows and people ``a/b: 2023, 2024``."""
    joined = ", ".join(labels)
    return joined if kind == "repositories" else f"{_name_of(answers[0])}: {joined}"


def fact_of(each: Answered) -> str:
    """The figures of one subject in a few words."""
    if each.compared is None:
        return "not counted yet"
    row = each.compared.figures.get("row")
    if row is None:
        people, commits = each.compared.figures["people"], each.compared.figures["commits"]
        return f"{plural(people, 'person', 'people')}, {plural(commits, 'commit')}"
    commits = plural(row["commitCount"], "commit")
    return f"{commits}, rank {row['rank']:,}" if row["rank"] else commits


def dead_end_of(query: CompareQuery, answers: list[Answered]) -> DeadEnd | None:
    """Why no board or person has a commit; None if one has, or if no board is ready."""
    ready = [each.compared.figures for each in answers if each.compared is not None]
    if not ready or any(figures.get("row", {}).get("commitCount") or figures.get("commits") for figures in ready):
        return None
    subjects = [each.subject for each in answers]
    if query.kind == "windows":
        boards = [dataclasses.replace(subjects[0], window="")]
        windows = "these windows" if len(answers) > 1 else "this window"
        return DeadEnd(f"No commit is ranked in {windows}.", "Show all time.", link_to(query, boards, boards))
    if query.since or query.until:
        whole = query.model_copy(update={"since": None, "until": None})
        return DeadEnd("No commit is ranked in this window.", "Compare all time.", link_to(whole, subjects, subjects))
    more = query.model_copy(update={"merges": "include", "bots": "include"})
    reason = "No commit is ranked under these rules."
    if more == query:
        return DeadEnd(reason)
    return DeadEnd(reason, "Rank merges, bots and AI agents.", link_to(more, subjects, subjects))


def common_chart(kind: Kind, labels: list[str], answers: list[Answered]) -> Chart | None:
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


def version_of(rows: Sequence[Repository | None]) -> str:
    """A value that changes with each of the boards."""
    versions = ["" if row is None else board_version(row) for row in rows]
    return hashlib.sha256("\n".join(versions).encode()).hexdigest()[:16]


def kept_rules(query: CompareQuery) -> dict[str, str]:
    """The rules that differ from their defaults, without the window."""
    given = query.model_dump(by_alias=True)
    return {
        name: given[name]
        for name, default in SWITCHES.items()
        if name not in ("since", "until") and given[name] != default
    }


def link_to(query: CompareQuery, items: Sequence[CompareItem], boards: Sequence[CompareItem]) -> str:
    """The comparison of ``items``, whose repositories are those of ``boards``, under the rules of the query."""
    window = {"since": query.since or "", "until": query.until or ""}
    return with_query("/compare", _pairs(items, boards, kept_rules(query) | window))


def lasting_link(query: CompareQuery, answers: Sequence[Answered], *, image: bool = False) -> str:
    """The comparison, or its image of these boards, with days in place of words such as ``last month``.

    A person whom no board has yet is left out, since an e-mail may be in place of the login.
    """
    items, rules = [_settled(each) for each in answers], kept_rules(query)
    if query.kind != "windows" and answers:
        days = answers[0].rules.as_dict()
        rules |= {name: days[name] or "" for name in ("since", "until")}
    pairs = _pairs(items, items, rules)
    if not image:
        return with_query("/compare", pairs)
    return with_query("/compare/preview.png", [*pairs, ("v", version_of([each.row for each in answers]))])


def _settled(each: Answered) -> CompareItem:
    days = each.rules.as_dict()
    window = f"{days['since'] or ''}..{days['until'] or ''}" if each.subject.window else ""
    row = {} if each.compared is None else each.compared.figures.get("row", {})
    return CompareItem(each.url, each.revision or "", window, row.get("person", ""))


def _pairs(
    items: Sequence[CompareItem], boards: Sequence[CompareItem], rules: Mapping[str, str]
) -> list[tuple[str, str]]:
    named_boards = list(dict.fromkeys((one.repo, one.rev) for one in boards))
    with_revisions = any(rev for _, rev in named_boards)
    pairs: list[tuple[str, str]] = []
    for repo, rev in named_boards:
        pairs += [("repo", without_user_info(repo)), *([("rev", rev)] if with_revisions else [])]
    chosen = [(name, getattr(one, name)) for one in items for name in ("window", "person")]
    return pairs + [pair for pair in [*chosen, *rules.items()] if pair[1]]
