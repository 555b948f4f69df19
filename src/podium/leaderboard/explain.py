"""The explanation of one row of a board."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from podium.leaderboard.board import Document, entries, shown_name
from podium.leaderboard.board_data import Ranked
from podium.leaderboard.people import CO_AUTHORED, CO_AUTHORED_MERGES, COMMITS, MERGES, kinds_counted
from podium.leaderboard.reasons import Reasons
from podium.leaderboard.search import why_not
from podium.timeutil import DAY, iso_day, week_start

_SAMPLE = "SELECT sample_sha FROM commit_data WHERE id = :id"


def read_explanation(ranked: Ranked, group: int, *, show_emails: bool) -> Document:
    """Explain the row of one group (see :func:`podium.leaderboard.search.row_of`), which may not be on the board."""
    people, ranking = ranked.people, ranked.ranking
    members = _members(ranked, group)
    [row] = entries(ranked, [group], show_emails=show_emails)
    everything = sum(people.counts[kind][person] for kind in kinds_counted(ranked.rules) for person in members)
    return {
        "row": row,
        "notRanked": None if ranking.ranks[group] else why_not(ranked, group),
        "emails": explained_emails(ranked, group, show_emails=show_emails),
        "years": _years(ranked, members),
        "outside": everything - ranking.counted[group],
        "commitsUrl": _commits_url(ranked, row),
        "sampleCommit": ranked.data.session.value(_SAMPLE, id=people.ids[members[0]]) or None,
    }


def _members(ranked: Ranked, group: int) -> list[int]:
    commits = ranked.people.counts[COMMITS]
    return sorted(ranked.groups.members[group], key=lambda person: -commits[person])


def explained_emails(ranked: Ranked, group: int, *, show_emails: bool) -> list[dict[str, Any]]:
    """The ``emails`` of an explanation, those with the most commits first."""
    people, reasons = ranked.people, Reasons(ranked, group)
    found: dict[str, dict[str, Any]] = {}
    sentences: dict[str, dict[str, None]] = {}
    for person in _members(ranked, group):
        email = people.emails[person]
        if email not in found:
            found[email] = {
                "email": email if show_emails else None,
                "names": [],
                "commitCount": 0,
                "mergeCount": 0,
                "coAuthoredCount": 0,
            }
        entry = found[email]
        entry["names"].append(shown_name(people.names[person], show_emails=show_emails))
        entry["commitCount"] += people.counts[COMMITS][person]
        entry["mergeCount"] += people.counts[MERGES][person]
        entry["coAuthoredCount"] += people.counts[CO_AUTHORED][person] + people.counts[CO_AUTHORED_MERGES][person]
        # Each name of an e-mail may be here for a reason of its own.
        sentences.setdefault(email, {}).update(dict.fromkeys(reasons.of(person)))
    for email, entry in found.items():
        entry["foundBy"] = " ".join(sentences[email])
    return list(found.values())


def _years(ranked: Ranked, members: list[int]) -> list[dict[str, int]]:
    activity = ranked.activity
    years: dict[int, list[int]] = {}
    for person in members:
        for index in activity.of(person):
            year = int(iso_day(week_start(activity.weeks[index]))[:4])
            counts = years.setdefault(year, [0, 0, 0])
            counts[0] += activity.counts[COMMITS][index]
            counts[1] += activity.counts[MERGES][index]
            counts[2] += activity.counts[CO_AUTHORED][index] + activity.counts[CO_AUTHORED_MERGES][index]
    return [
        {"year": year, "commitCount": counts[0], "mergeCount": counts[1], "coAuthoredCount": counts[2]}
        for year, counts in sorted(years.items())
    ]


def _commits_url(ranked: Ranked, row: dict[str, Any]) -> str | None:
    repository, rules = ranked.repository, ranked.rules
    author = row["username"] or row["email"]
    if repository.host != ranked.data.github_host or not author or not row["commitCount"]:
        return None
    query = {"author": author}
    if rules.since is not None:
        query["since"] = iso_day(rules.since)
    if rules.until is not None:
        query["until"] = iso_day(rules.until - DAY)
    branch = quote(repository.branch or "HEAD", safe="/")
    path = f"{quote(repository.owner)}/{quote(repository.name)}"
    return f"{ranked.data.github_url}/{path}/commits/{branch}?{urlencode(query)}"
