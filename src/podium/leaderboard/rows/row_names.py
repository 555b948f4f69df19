"""The name that a row shows."""

from __future__ import annotations

from podium.leaderboard.board_data import Ranked
from podium.leaderboard.rows.people import MERGES
from podium.textutil.mask import without_emails


def representative_row(ranked: Ranked, group: int) -> int:
    """The person whose name stands for a group: most counted commits first, then most commits and merges."""
    members = ranked.groups.members[group]
    if len(members) == 1:
        return members[0]
    people, by_person = ranked.people, ranked.ranking.by_person
    commits, merges = people.counts[0], people.counts[MERGES]
    return min(
        members,
        key=lambda p: (-by_person[p], -commits[p] - merges[p], people.emails[p], people.names[p]),
    )


def written_name(ranked: Ranked, group: int) -> str:
    """The account's name, or that of :func:`representative_row`; it may contain an e-mail, and be empty."""
    owner, people = ranked.groups.owners[group], ranked.people
    name: str | None = None if owner is None else ranked.accounts.contributors[owner]["name"]
    names = people.mailmap_names if ranked.rules.mailmap else people.names
    return name or names[representative_row(ranked, group)]


def row_name(ranked: Ranked, group: int) -> str:
    """Like :func:`written_name`, or the account's login if there is no name."""
    name, owner = written_name(ranked, group), ranked.groups.owners[group]
    return name or (None if owner is None else ranked.accounts.contributors[owner]["username"]) or ""


def shown_name(name: str, *, show_emails: bool) -> str:
    """``name``, without e-mails unless they are shown."""
    return name if show_emails else without_emails(name)
