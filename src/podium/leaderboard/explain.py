"""Why a row of a board has its number: e-mails, years, what was left out, and how its account was found."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from podium.leaderboard.board import Document, entries, shown_name
from podium.leaderboard.board_data import Ledger
from podium.leaderboard.grouping import Known
from podium.leaderboard.people import CO_AUTHORED, CO_AUTHORED_MERGES, COMMITS, MERGES, kinds_counted
from podium.leaderboard.rules import Rules
from podium.leaderboard.search import why_not
from podium.textutil.mask import masked
from podium.timeutil import DAY, iso_day, week_start

_SAMPLE = "SELECT sample_sha FROM commit_data WHERE id = :id"


def read_explanation(ledger: Ledger, rules: Rules, number: int, *, show_emails: bool) -> Document:
    """Explain one group (see :func:`podium.leaderboard.search.row_of`).

    Returns:
        ``row``: as on the board (``rank`` null where it is not on it, and ``notRanked`` says why). ``emails``: for each
        e-mail the names written with it, its counts over all of history and how its account was found. ``years``: the
        counts of each year, by the year in which the week of the commit began. ``outside``: what would count, were it
        not outside of the window. ``commitsUrl``: these commits at GitHub; null where there is no page of them.
        ``sampleCommit``: one commit that names the person.
    """
    people, groups, standings = ledger.people(), ledger.groups(rules), ledger.standings(rules)
    members = sorted(groups.members[number], key=lambda place: -people.counts[COMMITS][place])
    [row] = entries(ledger, rules, [number], show_emails=show_emails)
    everything = sum(people.counts[kind][place] for kind in kinds_counted(rules) for place in members)
    return {
        "row": row,
        "notRanked": None if standings.ranks[number] else why_not(ledger, rules, number),
        "emails": _emails(ledger, rules, members, show_emails=show_emails),
        "years": _years(ledger, members),
        "outside": everything - standings.counted[number],
        "commitsUrl": _commits_url(ledger, rules, row),
        "sampleCommit": ledger.session.value(_SAMPLE, id=people.ids[members[0]]) or None,
    }


def _emails(ledger: Ledger, rules: Rules, members: list[int], *, show_emails: bool) -> list[dict[str, Any]]:
    people = ledger.people()
    found: dict[str, dict[str, Any]] = {}
    for place in members:
        email = people.emails[place]
        if email not in found:
            found[email] = {
                "email": email if show_emails else masked(email),
                "names": [],
                "commitCount": 0,
                "mergeCount": 0,
                "coAuthoredCount": 0,
                "foundBy": found_by(ledger, rules, place),
            }
        entry = found[email]
        entry["names"].append(shown_name(people.names[place], show_emails=show_emails))
        entry["commitCount"] += people.counts[COMMITS][place]
        entry["mergeCount"] += people.counts[MERGES][place]
        entry["coAuthoredCount"] += people.counts[CO_AUTHORED][place] + people.counts[CO_AUTHORED_MERGES][place]
    return list(found.values())


def found_by(ledger: Ledger, rules: Rules, place: int) -> str:
    """How the account of one row of :class:`podium.leaderboard.people.People` was found, or why there is none."""
    people, groups = ledger.people(), ledger.groups(rules)
    known: Known | None = ledger.accounts(rules).emails.get(people.emails[place])
    owner, kind = groups.owners[groups.of[place]], people.kinds[place]
    if known is not None and known.contributor is not None and known.contributor == owner:
        if known.source == "noreply":
            return "The e-mail itself names the account."
        return f"GitHub says so (asked on {iso_day(known.at)})."
    if owner is not None:
        return "The repository's .mailmap joins it to the account."
    if kind != "human":
        return f"A known address of {'an AI agent' if kind == 'agent' else 'a bot'}."
    return _no_account(known)


def _no_account(known: Known | None) -> str:
    if known is None:
        return "No account is known yet."
    if known.source == "no-answer":
        return f"GitHub was asked on {iso_day(known.at)} and told nothing."
    return f"Nobody's at GitHub (asked on {iso_day(known.at)})."


def _years(ledger: Ledger, members: list[int]) -> list[dict[str, int]]:
    activity = ledger.activity()
    years: dict[int, list[int]] = {}
    for person in members:
        for place in activity.of(person):
            year = int(iso_day(week_start(activity.weeks[place]))[:4])
            counts = years.setdefault(year, [0, 0, 0])
            counts[0] += activity.counts[COMMITS][place]
            counts[1] += activity.counts[MERGES][place]
            counts[2] += activity.counts[CO_AUTHORED][place] + activity.counts[CO_AUTHORED_MERGES][place]
    return [
        {"year": year, "commitCount": counts[0], "mergeCount": counts[1], "coAuthoredCount": counts[2]}
        for year, counts in sorted(years.items())
    ]


def _commits_url(ledger: Ledger, rules: Rules, row: dict[str, Any]) -> str | None:
    """GitHub's list of a person's commits: by login, or by e-mail where those may be shown."""
    repository = ledger.repository
    author = row["username"] or row["email"]
    if repository["host"] != ledger.github_host or not author or not row["commitCount"]:
        return None
    query = {"author": author}
    if rules.since is not None:
        query["since"] = iso_day(rules.since)
    if rules.until is not None:
        query["until"] = iso_day(rules.until - DAY)
    branch = quote(repository["branch"] or "HEAD", safe="/")
    path = f"{quote(repository['owner'])}/{quote(repository['name'])}"
    return f"{ledger.github_url}/{path}/commits/{branch}?{urlencode(query)}"
