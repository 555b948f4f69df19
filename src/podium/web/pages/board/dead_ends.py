"""Why a page shows no rows, and the link that leads on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from podium.leaderboard.board_data import Ranked
from podium.leaderboard.export.summary import why_empty
from podium.leaderboard.search import Absence, absence
from podium.textutil.mask import is_email
from podium.web.pages.board.board_query import SWITCHES, BoardPageQuery

_WINDOW = ("since", "until", "new")


@dataclasses.dataclass(frozen=True, slots=True)
class DeadEnd:
    """What the page says instead of rows.

    Attributes:
        reason: a sentence.
        words: of the link; empty if nothing leads on.
        href: under other rules, or without a filter.
        closes: the link only closes the search.
    """

    reason: str
    words: str = ""
    href: str = ""
    closes: bool = False


def of_board(board: Mapping[str, Any], wanted: BoardPageQuery) -> DeadEnd | None:
    """The dead end of a board's document under the rules and the view of the page; None if it has rows."""
    if board["total"]:
        return None
    return DeadEnd(why_empty(dict(board)), *_way_out(board, wanted))


def _way_out(board: Mapping[str, Any], wanted: BoardPageQuery) -> tuple[str, str]:
    if wanted.view.people != "all" and board["rankedCommits"]:
        return "Show everyone.", wanted.link(without=("people",))
    parts = board["commits"]
    if not parts["total"] and (wanted.switches["since"] or wanted.switches["until"]):
        return "Show all time.", wanted.link(without=_WINDOW)
    left_out = {kind for kind in ("merges", "bots", "agents", "people", "earlier") if parts[kind]}
    if not left_out:
        return ("Reset to the default rules.", wanted.usual) if wanted.chosen else ("", "")
    without = ["bots"] * ("people" in left_out) + ["new"] * ("earlier" in left_out)
    more = {"merges": "include"} if "merges" in left_out else {}
    if left_out & {"bots", "agents"}:
        more["bots"] = "only" if left_out <= {"bots", "agents"} else "include"
    return _them(left_out, parts["total"]), wanted.link(without=tuple(without), **more)


def _them(left_out: set[str], commits: int) -> str:
    # "No bot is among the authors" names no one who could be shown.
    if left_out == {"people"}:
        return "Show people."
    return "Show them." if commits > 1 else "Show it."


_RANKED = {
    "bots": ("Rank bots and AI agents.", {"bots": "include"}, ()),
    "people": ("Rank people.", {}, ("bots",)),
    "merges": ("Rank merges.", {"merges": "include"}, ()),
    "coAuthors": ("Rank co-authors.", {"coAuthors": "include"}, ()),
    "new": ("Rank everyone.", {}, ("new",)),
    "window": ("Show all time.", {}, _WINDOW),
}


def of_search(ranked: Ranked, wanted: BoardPageQuery, reason: str | None) -> DeadEnd | None:
    """The dead end of a search without a match: its link ranks the first person that the history has."""
    if not reason:
        return None
    found = absence(ranked, wanted.find, show_emails=wanted.show_emails)
    if found is None:
        return DeadEnd(reason, "Close the search.", wanted.link(), closes=True)
    return DeadEnd(reason, *_ranking(found, wanted))


def _ranking(found: Absence, wanted: BoardPageQuery) -> tuple[str, str]:
    # An e-mail stays out of every link.
    find = "" if is_email(wanted.find) else wanted.find
    if found.rule not in _RANKED:
        return "", ""
    words, more, without = _RANKED[found.rule]
    kept = {name: value for name, value in more.items() if value != SWITCHES[name]}
    return words, wanted.link(without=without, find=find, **kept)
