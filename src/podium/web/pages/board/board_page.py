"""The template values of a board's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podium.leaderboard.board import entries, read_board
from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.presence import presence
from podium.leaderboard.counts.top_of_periods import top_of_periods
from podium.leaderboard.export.faces import named
from podium.leaderboard.export.summary import ODD_DATE, commits_of, parts_of, whole_of, why_empty
from podium.leaderboard.figures import presets, read_figures, sparklines
from podium.leaderboard.rows.explain import explained_emails, read_explanation
from podium.leaderboard.rows.person_names import person_name
from podium.leaderboard.rows.row_names import row_name, shown_name
from podium.leaderboard.rows.row_order import shown
from podium.leaderboard.search import find, row_of, searched
from podium.leaderboard.view import PARAMETERS, WHOLE, View
from podium.textutil.mask import hinted, is_email
from podium.textutil.plural import plural
from podium.timeutil import DAY
from podium.web.charts.shapes import silhouette
from podium.web.pages.board import dead_ends
from podium.web.pages.board.board_figures import bus_factor, columns, people_links
from podium.web.pages.board.board_query import BoardPageQuery
from podium.web.pages.board.chart import Chart, chart_of

PEOPLE = 50
STEPS = 3
RULES_NAMED = 3
MATCHES = 20
CURVE_HEIGHT = 20
# Named people of each period of the chart.
NAMES = 3


def board_values(ranked: Ranked, wanted: BoardPageQuery) -> dict[str, Any]:
    # The page never shows full e-mail addresses.
    board = read_board(ranked, limit=PEOPLE, offset=wanted.offset, show_emails=False, view=wanted.view)
    groups, overview = shown(ranked, wanted.view, show_emails=False).groups, read_figures(ranked)
    described = rows(ranked, wanted, list(groups[wanted.offset : wanted.offset + PEOPLE]))
    chart, split = board_chart(ranked), [overview["split"][name] for name in ("human", "ai", "bot")]
    listed = pages(board["total"], wanted.offset, PEOPLE, wanted.link)
    return {
        "board": board,
        "podium": [] if wanted.offset else podium(ranked, wanted),
        "window_name": window_name(ranked, wanted),
        "rules_name": rules_name(wanted.switches),
        "dead_end": dead_ends.of_board(board, wanted),
        "figures": overview["figures"],
        "people_links": people_links(ranked, wanted, overview["presence"]),
        "bus_factor": bus_factor(ranked, wanted, overview["busFactors"]),
        "columns": columns(wanted),
        "parts": parts_of(board),
        "commits": commits_of(board),
        "split": split,
        "agents": overview["agents"],
        "odd_date": ODD_DATE,
        "whole": whole_of(board),
        "chart": chart,
        # Odd dates count in all of history and in no window.
        "not_drawn": sum(split) - chart.total if chart else 0,
        "names_url": wanted.fragment_link(f"/chart/{ranked.repository.id}"),
        "presets": _presets(ranked, wanted),
        "rows": described,
        "why": None if wanted.person is None else explanation(ranked, wanted),
        "found": found(ranked, wanted) if wanted.find else None,
        "pages": listed,
        "said": _said(board, wanted.view, listed),
        "commit_url": _commit_url(ranked),
    }


def podium(ranked: Ranked, wanted: BoardPageQuery) -> list[dict[str, Any]]:
    """The steps of the first people of the whole board.

    Equal counts have steps of equal height; their ranks stay those of the table.
    """
    first = entries(ranked, list(ranked.ranking.order[:STEPS]), show_emails=False)
    counts = [entry["commitCount"] for entry in first]
    return [
        {
            "person": entry,
            "url": wanted.person_link(entry["person"]),
            "height": STEPS - sum(count > entry["commitCount"] for count in counts),
            "tied": counts.count(entry["commitCount"]) > 1,
        }
        for entry in first
    ]


def window_name(ranked: Ranked, wanted: BoardPageQuery) -> str:
    """``All time``, ``Last 12 months`` or the days, as the window's chip says it."""
    since, until = wanted.switches["since"], wanted.switches["until"]
    preset = next((name for name, day in presets(ranked).items() if (day or "") == since and not until), None)
    words = days_name(since, until) if preset in (None, "all") else f"Last {preset.removeprefix('1 ')}"
    return words + (" · new people" if wanted.switches["new"] == "only" else "")


def days_name(since: str, until: str) -> str:
    if since and until:
        return since if since == until else f"{since} to {until}"
    return f"Since {since}" if since else f"Until {until}" if until else "All time"


_RULES = (
    ("merges", {"exclude": "no merges", "include": "merges"}),
    ("coAuthors", {"include": "co-authors"}),
    ("bots", {"exclude": "no bots", "include": "bots", "only": "only bots"}),
    ("mailmap", {"ignore": "no .mailmap"}),
    ("names", {"apart": "names apart"}),
)


def rules_name(switches: Mapping[str, str]) -> str:
    """``no merges · no bots``: the rules in force, as their chip says them; the first three, and how many more."""
    names = [words[switches[name]] for name, words in _RULES if switches[name] in words]
    if len(names) > RULES_NAMED:
        names[RULES_NAMED:] = [f"{len(names) - RULES_NAMED} more"]
    return " · ".join(names)


def board_chart(ranked: Ranked) -> Chart | None:
    return chart_of(ranked.timeline, ranked.rules, latest=ranked.repository.counted_at // DAY)


def names_of_periods(ranked: Ranked) -> dict[str, Any]:
    """The names and counts of the first rows of each period of the chart."""
    chart = board_chart(ranked)
    if chart is None:
        return {"since": None, "top": []}
    edges = [day * DAY for day in chart.periods.edges]
    tops = top_of_periods(ranked, edges, NAMES)
    names = {group: named(row_name(ranked, group)) for top in tops for group, _ in top}
    return {"since": chart.periods.days[0], "top": [[(names[group], count) for group, count in top] for top in tops]}


def rows(ranked: Ranked, wanted: BoardPageQuery, groups: list[int]) -> list[dict[str, Any]]:
    """What the page adds to the rows of a document.

    Returns:
        For each row its ``id``, the ``curve`` and its ``points``, the ``part`` of the first row's commits in percent,
        and the URLs of the board that explains it (``why``) and of the person's page (``person_url``).
    """
    curves, page = sparklines(ranked, groups), wanted.link(offset=wanted.offset)
    ranking = ranked.ranking
    most = max((ranking.counted[group] for group in ranking.order[:1]), default=0) or 1
    found, lately = [], presence(ranked)
    for group, curve in zip(groups, curves["curves"], strict=True):
        row_id = id_of_row(ranked, group)
        path = silhouette(curve, curves["peak"], CURVE_HEIGHT, root=True)
        why = f"{page}{'&' if '?' in page else '?'}row={row_id}"
        found.append(
            {
                "id": row_id,
                "curve": path,
                "points": len(curve),
                "part": round(100 * ranking.counted[group] / most, 1),
                "why": why,
                "is_recent": lately.is_recent(group),
                "person_url": wanted.person_link(person_name(ranked, group)),
            }
        )
    return found


def id_of_row(ranked: Ranked, group: int) -> int:
    """The lowest id of a row's people, which stays the same when others join the row."""
    return min(ranked.people.ids[person] for person in ranked.groups.members[group])


def explanation(ranked: Ranked, wanted: BoardPageQuery) -> dict[str, Any] | None:
    group = None if wanted.person is None else row_of(ranked, person=wanted.person)
    if group is None:
        return None
    document = read_explanation(ranked, group, show_emails=False)
    if wanted.show_emails:
        document["emails"] = explained_emails(ranked, group, show_emails=True)
    return {
        **document,
        "id": wanted.person,
        "person_url": wanted.person_link(document["row"]["person"]),
        "most": max((year["commitCount"] for year in document["years"]), default=0),
        "sampleUrl": _commit_url(ranked, document["sampleCommit"]),
        "rules": ranked.rules.as_dict(),
    }


def found(ranked: Ranked, wanted: BoardPageQuery) -> dict[str, Any]:
    """The matches, each with the URL of its page."""
    result = find(ranked, wanted.find, show_emails=wanted.show_emails, limit=MATCHES)
    result["part"] = searched(wanted.find)
    places = None if wanted.view == WHOLE else shown(ranked, wanted.view, show_emails=False).places()
    for row in result["matches"]:
        if row["matchedBy"] == "email" and row["matchedText"]:
            row["matchedText"] = hinted(row["matchedText"])
        group = ranked.ranking.order[row["rank"] - 1]
        row["id"] = id_of_row(ranked, group)
        row["page"] = _page_of(wanted, row["rank"] - 1 if places is None else places.get(group), row["rank"] - 1)
        row["page"] += f"#p{row['id']}"
        row["person_url"] = wanted.person_link(row["person"])
        row["name"] = shown_name(row["name"], show_emails=False)
    result["by_email"] = is_email(wanted.find)
    result["dead_end"] = dead_ends.of_search(ranked, wanted, result["reason"])
    return result


def _page_of(wanted: BoardPageQuery, place: int | None, rank: int) -> str:
    """The page that shows a row: without the view if that leaves the row out."""
    if place is None:
        return wanted.link(without=PARAMETERS, offset=rank // PEOPLE * PEOPLE)
    return wanted.link(offset=place // PEOPLE * PEOPLE)


def _said(board: dict[str, Any], view: View, listed: dict[str, Any]) -> str:
    """What screen readers say of a board that has changed."""
    total, rules = board["total"], board["rules"]
    if not total:
        return why_empty(board)
    since, until = rules["since"], rules["until"]
    days = " ".join(part for part in (since and f"from {since}", until and f"to {until}") if part)
    counted = plural(total, "person", "people") if rules["bots"] == "exclude" else plural(total, "row")
    counted += f" {view.people}" if view.people != "all" else ""
    order = f", sorted by {view.sort}{', reversed' if view.reverse else ''}" if view.is_sorted else ""
    rows = f"Rows {listed['first']:,} to {listed['last']:,}" if board["top_contributors"] else "There are no more rows"
    return f"{counted}, {days or 'the whole history'}{order}. {rows}"


def _presets(ranked: Ranked, wanted: BoardPageQuery) -> list[dict[str, Any]]:
    since, until = wanted.switches["since"], wanted.switches["until"]
    return [
        {
            "name": name,
            # Without a window no one is new.
            "href": wanted.link(without=("since", "until") if day else ("since", "until", "new"), since=day or ""),
            "chosen": (day or "") == since and not until,
        }
        for name, day in presets(ranked).items()
    ]


def pages(total: int, offset: int, size: int, link: Any) -> dict[str, Any]:
    """The previous and next page; ``link`` makes the URL of an ``offset``."""
    return {
        "total": total,
        "size": size,
        "first": min(offset + 1, total),
        "last": min(offset + size, total),
        "previous": link(offset=max(0, offset - size)) if offset else None,
        "next": link(offset=offset + size) if offset + size < total else None,
    }


def _commit_url(ranked: Ranked, commit: str | None = None) -> str | None:
    repository = ranked.repository
    commit = commit or repository.head
    return f"{repository.repository_url}/commit/{commit}" if repository.host == ranked.data.github_host else None
