"""The explanation of one row of a board."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlencode

from podium.leaderboard.board import Document, entries
from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.row_counts import counted_ever, named_emails, years
from podium.leaderboard.rows.people import COMMITS, MERGES
from podium.leaderboard.rows.reasons import Reasons
from podium.leaderboard.rows.row_names import shown_name
from podium.leaderboard.search import why_not
from podium.timeutil import DAY, iso_day

_SAMPLE = "SELECT sample_sha FROM commit_data WHERE id = :id"


def read_explanation(ranked: Ranked, group: int, *, show_emails: bool) -> Document:
    """Explain the row of one group (see :func:`podium.leaderboard.search.row_of`), which may not be on the board."""
    people, ranking = ranked.people, ranked.ranking
    members = _members(ranked, group)
    [row] = entries(ranked, [group], show_emails=show_emails)
    return {
        "row": row,
        "notRanked": None if ranking.ranks[group] else why_not(ranked, group).reason,
        "emails": explained_emails(ranked, group, show_emails=show_emails),
        "years": [
            {"year": year, "commitCount": commits, "mergeCount": merges, "coAuthoredCount": named}
            for year, (commits, merges, named) in years(ranked, group).items()
        ],
        "outside": counted_ever(ranked, group) - ranking.counted[group],
        "commitsUrl": commits_url(ranked, row, ranked.rules.since, ranked.rules.until),
        "sampleCommit": ranked.data.session.value(_SAMPLE, id=people.ids[members[0]]) or None,
    }


def _members(ranked: Ranked, group: int) -> list[int]:
    commits = ranked.people.counts[COMMITS]
    return sorted(ranked.groups.members[group], key=lambda person: -commits[person])


def explained_emails(ranked: Ranked, group: int, *, show_emails: bool) -> list[dict[str, Any]]:
    """The ``emails`` of an explanation, those with the most commits first."""
    people, reasons, named = ranked.people, Reasons(ranked, group), named_emails(ranked, group)
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
                "coAuthoredCount": named[email],
            }
        entry = found[email]
        entry["names"].append(shown_name(people.names[person], show_emails=show_emails))
        entry["commitCount"] += people.counts[COMMITS][person]
        entry["mergeCount"] += people.counts[MERGES][person]
        # Each name of an e-mail may be here for a reason of its own.
        sentences.setdefault(email, {}).update(dict.fromkeys(reasons.of(person)))
    for email, entry in found.items():
        entry["foundBy"] = " ".join(sentences[email])
    return list(found.values())


def _short(revision: str | None) -> str | None:
    """A revision as GitHub's pages name it."""
    return revision and re.sub(r"^(refs/)?(heads|tags)/", "", revision)


def commits_url(ranked: Ranked, row: dict[str, Any], since: int | None, until: int | None) -> str | None:
    """The URL of a row's commits at the host, from ``since`` to the second before ``until``.

    None where it is unknown: elsewhere than at the configured GitHub, and for a row without login or e-mail.
    """
    repository = ranked.repository
    author = row["username"] or row["email"]
    if repository.host != ranked.data.github_host or not (author or "").strip() or not row["commitCount"]:
        return None
    query = {"author": author}
    if since is not None:
        query["since"] = iso_day(since)
    if until is not None:
        query["until"] = iso_day(until - DAY)
    branch = quote(_short(repository.revision) or repository.branch or "HEAD", safe="/")
    path = f"{quote(repository.owner)}/{quote(repository.name)}"
    return f"{ranked.data.github_url}/{path}/commits/{branch}?{urlencode(query)}"
