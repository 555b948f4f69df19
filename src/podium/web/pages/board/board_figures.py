"""The figures of a board's page and the headings of its table, each with the link that filters or sorts the rows."""

from __future__ import annotations

from typing import Any

from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.presence import YEAR, moment_of
from podium.leaderboard.rows.row_names import row_name, shown_name
from podium.leaderboard.rows.row_order import LARGEST_FIRST
from podium.leaderboard.view import ORDERS, PARAMETERS, View
from podium.textutil.plural import plural
from podium.timeutil import iso_day
from podium.web.pages.board.board_query import BoardPageQuery

NAMES = 20
TREND_HEIGHT = 40


def people_links(ranked: Ranked, wanted: BoardPageQuery, figures: dict[str, Any]) -> list[dict[str, Any]]:
    """The number of people, of active ones, of those who joined and left, and the link to each."""
    moment, counted = moment_of(ranked.repository), ranked.repository.counted_at
    day, before = iso_day(moment), iso_day(moment - YEAR)
    # "This year" would be wrong of a repository without commits for years.
    active = "active this year" if counted - moment < YEAR else f"active in the year to {day}"
    of_moment = f"the 365 days before {day}, the day of the last counted commit"
    if ranked.repository.head_committed_at != moment:
        of_moment = f"the 365 days before the count on {day}"
    people = len(ranked.ranking.order)
    return [
        {
            "name": name,
            "words": words,
            "count": count,
            "why": why,
            "href": wanted.link(without=("people",), people="" if name == "all" else name),
            "chosen": wanted.view.people == name,
        }
        for name, words, count, why in (
            ("all", "person" if people == 1 else "people", people, "Everyone on this board"),
            ("active", active, figures["active"], f"With a commit in {of_moment}"),
            ("joined", "joined", figures["joined"], f"With the first commit ever in {of_moment}"),
            ("left", "left", figures["left"], f"With a commit in the 365 days before {before}, and none since"),
        )
    ]


def bus_factor(ranked: Ranked, wanted: BoardPageQuery, years: list[dict[str, Any]]) -> dict[str, Any]:
    """The bus factor, its first names, and a bar for each year."""
    half = ranked.ranking.people_for_half()
    names = [
        {
            "name": shown_name(row_name(ranked, group), show_emails=False),
            "href": wanted.link(without=PARAMETERS) + f"#p{min(ranked.people.ids[p] for p in members)}",
            "count": ranked.ranking.counted[group],
        }
        for group in ranked.ranking.order[: min(half, NAMES)]
        for members in (ranked.groups.members[group],)
    ]
    most = max((year["busFactor"] for year in years), default=0)
    bars = [
        {
            "x": year["year"] - years[0]["year"],
            "height": round(max(TREND_HEIGHT * year["busFactor"] / most, 1), 1),
            "words": f"{year['year']}: {year['busFactor']} of {plural(year['people'], 'person', 'people')}",
        }
        for year in years
    ]
    return {
        "number": half,
        "names": names,
        "more": half - len(names),
        "bars": bars,
        "most": most,
        "first": years[0]["year"] if years else None,
        "last": years[-1]["year"] if years else None,
        "words": "; ".join(bar["words"] for bar in bars),
    }


def columns(wanted: BoardPageQuery) -> dict[str, dict[str, str | None]]:
    """Each column to sort by: its name, its ``aria-sort``, and the link that sorts by it or reverses the order."""
    return {name: _column(wanted, name) for name in ORDERS}


_WORDS = {
    "commits": "Commits",
    "first": "First commit",
    "last": "Last commit",
    "merges": "Merges",
    "co-authored": "Co-authored",
    "ai": "AI declared",
    "name": "Name",
}


def _column(wanted: BoardPageQuery, name: str) -> dict[str, str | None]:
    view, is_sorted = wanted.view, wanted.view.sort == name
    then = View(view.people, name, is_sorted and not view.reverse)
    order = None
    if is_sorted:
        order = "descending" if (name in LARGEST_FIRST) != view.reverse else "ascending"
    href = wanted.link(without=("sort", "reverse"), **then.chosen)
    return {"href": href, "sort": order, "words": _WORDS[name], "mark": " sorted" if is_sorted else ""}
