"""The template values of a person's page."""

from __future__ import annotations

import dataclasses
import math
from typing import Any
from urllib.parse import quote, urlencode

from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.timeline import Timeline
from podium.leaderboard.role_names import ROLE_NAMES
from podium.leaderboard.rows.explain import explained_emails
from podium.leaderboard.rows.person_document import daily_commits, read_person
from podium.leaderboard.rows.person_names import person_name
from podium.timeutil import DAY
from podium.web.pages.board.board_page import PEOPLE, id_of_row, rules_name, window_name
from podium.web.pages.board.board_query import BoardPageQuery
from podium.web.pages.board.chart import Chart, chart_of

# The first and the last percent of the height of ranks.
_TOP, _BOTTOM = 14.0, 92.0


def person_values(ranked: Ranked, group: int, wanted: BoardPageQuery) -> dict[str, Any]:
    person = read_person(ranked, group, show_emails=False)
    if wanted.show_emails:
        # The page hints at them.
        person["emails"] = explained_emails(ranked, group, show_emails=True)
    row, place = person["row"], id_of_row(ranked, group)
    for side in ("previous", "next"):
        if person[side] is not None:
            person[side]["url"] = wanted.person_link(person[side]["person"])
    for year in person["years"]:
        days = {"since": f"{year['year']:04}-01-01", "until": f"{year['year']:04}-12-31"}
        year["url"] = wanted.link(without=("new",), offset=_page_of(year["rank"]), **days) + f"#p{place}"
    return {
        "person": person,
        "row": row,
        "name": person_name(ranked, group),
        "board_url": wanted.link(offset=_page_of(row["rank"])) + (f"#p{place}" if row["rank"] else ""),
        "roles": [(role.trailer, row["roles"][role.field]) for role in ROLE_NAMES if row["roles"][role.field]],
        "most": max((year["countedCommits"] for year in person["years"]), default=0),
        "window_name": window_name(ranked, wanted),
        "rules_name": rules_name(wanted.switches),
        "chart": person_chart(ranked, group),
        "ranks": rank_chart([(year["year"], year["rank"]) for year in person["years"]]),
        "sample_url": _sample_url(ranked, person["sampleCommit"]),
        "compare_url": _compare_url(ranked, person, wanted),
        "ranked_url": _ranked_url(row, wanted),
        "everywhere": f"/people/{quote(row['username'], safe='[]')}" if row["username"] else None,
    }


def person_chart(ranked: Ranked, group: int) -> Chart | None:
    """The commits of a row on the axis of its board; None if the board has no chart."""
    daily = daily_commits(ranked, group)
    days = sorted(daily.all)
    ai = [daily.ai[day] for day in days]
    rest, none = [daily.all[day] - daily.ai[day] for day in days], [0] * len(days)
    is_bot = ranked.groups.kinds[group] == "bot"
    line = Timeline.of(days, none if is_bot else rest, rest if is_bot else none, ai)
    board = ranked.timeline.ends
    drawn = chart_of(dataclasses.replace(line, ends=board), ranked.rules, ranked.repository.counted_at // DAY)
    if drawn is None:
        return None
    words = {"ai": "AI declared"} | dict.fromkeys(("people", "bots"), "Other commits" if any(ai) else "Commits")
    series = [dataclasses.replace(each, words=words[each.name]) for each in drawn.series if each.total]
    return dataclasses.replace(drawn, series=series or drawn.series[:1])


def _page_of(rank: int | None) -> int:
    """The offset of the board's page with a rank."""
    return 0 if rank is None else (rank - 1) // PEOPLE * PEOPLE


def _compare_url(ranked: Ranked, person: dict[str, Any], wanted: BoardPageQuery) -> str:
    """The comparison with the row before, or with the one after the first."""
    other = person["previous"] or person["next"]
    people = [person["row"]["person"], *([other["person"]] if other else [])]
    board = {"repo": ranked.repository.repository_url} | ({"rev": wanted.revision} if wanted.revision else {})
    return "/compare?" + urlencode([*board.items(), *wanted.chosen.items(), *(("person", name) for name in people)])


def _ranked_url(row: dict[str, Any], wanted: BoardPageQuery) -> str | None:
    """The person's page under rules that rank the row; None if these do, or no rule does."""
    switches = wanted.switches
    if row["rank"]:
        return None
    if row["isBot"] and switches["bots"] == "exclude":
        changes = {"bots": "include"}
    elif not row["isBot"] and switches["bots"] == "only":
        changes = {"bots": "exclude"}
    elif row["mergeCount"] and switches["merges"] == "exclude":
        changes = {"merges": "include"}
    elif row["coAuthoredCount"] and switches["coAuthors"] == "exclude":
        changes = {"coAuthors": "include"}
    elif wanted.rules.windowed:
        changes = {"since": "", "until": "", "new": "any"}
    else:
        return None
    return dataclasses.replace(wanted, switches={**switches, **changes}).person_link(row["person"])


def _sample_url(ranked: Ranked, commit: str | None) -> str | None:
    repository = ranked.repository
    known = commit and repository.host == ranked.data.github_host
    return f"{repository.repository_url}/commit/{commit}" if known else None


def rank_chart(years: list[tuple[int, int | None]]) -> dict[str, Any] | None:
    """Rank over time as points and lines, in percent; None with less than two ranks.

    The scale is logarithmic: from rank 1 to 2 is as far as from 10 to 20. Years without a rank interrupt the line.
    """
    ranks = {year: rank for year, rank in years if rank is not None}
    if len(ranks) < 2:
        return None
    first, last = min(ranks), max(ranks)
    best, worst = min(ranks.values()), max(ranks.values())
    span = math.log(worst / best) or 1.0
    points = {}
    for year, rank in ranks.items():
        x = 100 * (year - first + 0.5) / (last - first + 1)
        y = _TOP + (_BOTTOM - _TOP) * (math.log(rank / best) / span if worst > best else 0.5)
        points[year] = {"year": year, "rank": rank, "x": round(x, 2), "y": round(y, 2)}
    extremes = (choose(ranks, key=lambda year: (ranks[year], year)) for choose in (min, max))
    ends = {first, last, *extremes}
    return {
        "points": [
            {**point, "is_end": year in ends, "is_low": point["rank"] == worst > best} for year, point in points.items()
        ],
        "lines": [(point, points[year + 1]) for year, point in points.items() if year + 1 in points],
        "first": first,
        "last": last,
        "best": best,
        "worst": worst,
    }
