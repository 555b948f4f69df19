"""A board: the ranking of one repository under rules, as the document that API, page and files show."""

from __future__ import annotations

from typing import Any

from podium.errors import BadRule
from podium.leaderboard.board_data import Ledger
from podium.leaderboard.people import CO_AUTHORED, CO_AUTHORED_MERGES, MERGES
from podium.leaderboard.ranking import dated
from podium.leaderboard.rules import Rules
from podium.leaderboard.windows import before
from podium.repositories.address import host_of
from podium.storage.session import Row, Session
from podium.textutil.mask import without_domain
from podium.timeutil import iso_time

# A board as JSON knows it: the document of `GET /leaderboard` and of `podium rank --format json`.
Document = dict[str, Any]

_MOST = 2**63 - 1

_HAS_UNPROCESSED = "SELECT 1 AS one FROM commit_data WHERE repository_id = :repository AND NOT processed LIMIT 1"


def load_board(
    session: Session,
    repository: Row,
    rules: Rules,
    *,
    limit: int | None,
    offset: int,
    show_emails: bool,
    github_url: str,
) -> Document:
    """Rank ``repository`` under ``rules``: :func:`read_board` of a ledger that is used once.

    Args:
        repository: its whole row, whose commits have been counted.
        github_url: the configured GitHub's web address, of whose accounts all boards speak.

    Raises:
        BadRule: a limit or an offset that is none.
    """
    ledger = Ledger(session, repository, github_url)
    return read_board(ledger, rules, limit=limit, offset=offset, show_emails=show_emails)


def read_board(ledger: Ledger, rules: Rules, *, limit: int | None, offset: int, show_emails: bool) -> Document:
    """The board of a ledger's repository under ``rules``.

    Args:
        limit: rows at most; None for all.
        offset: rows of the board to pass over.
        show_emails: False leaves ``email`` null, and cuts the domain off a name that is an e-mail.

    Returns:
        The document. Times are ISO 8601 in UTC. In a row ``commitCount`` is what counts under the rules;
        ``mergeCount`` (merges authored) and ``coAuthoredCount`` (commits and merges that name the person as
        co-author) are given whether they count or not. All three are of the window; ``firstCommitAt`` and
        ``lastCommitAt`` are of the whole history, of the kinds that count. (Dates of co-authored commits are not kept
        apart from those of co-authored merges.) ``share`` is the row's part, from 0 to 1, of ``rankedCommits``, the
        sum of all rows under the rules. ``rankBefore`` is the row's rank in the window of the same length before this
        one; null where the row was not on it, or where the window has no beginning. ``unresolved`` is the number of
        people's e-mails without an account, whatever the rules; ``unresolvedReason`` says why some of them could not be
        asked for, if that is so. ``error`` is there only where the repository has failed.

    Raises:
        BadRule: a limit or an offset that is none.
    """
    if not (limit is None or 0 <= limit < _MOST) or not 0 <= offset < _MOST:
        raise BadRule("limit and offset must be whole numbers, 0 or more.")
    standings = ledger.standings(rules)
    document = _describe(ledger, rules)
    document |= {"rankedCommits": standings.total, "total": len(standings.order), "limit": limit, "offset": offset}
    end = len(standings.order) if limit is None else offset + limit
    page = standings.order[min(offset, len(standings.order)) : end]
    document["top_contributors"] = entries(ledger, rules, list(page), show_emails=show_emails)
    return document


def _describe(ledger: Ledger, rules: Rules) -> Document:
    repository = ledger.repository
    document: Document = {
        "repository": {name: repository[name] for name in ("id", "url", "host", "owner", "name", "branch")},
        "state": repository["state"],
        "head": repository["head"],
        "asOf": iso_time(repository["commits_processed_at"]),
        "rules": rules.as_dict(),
        "totalCommits": repository["total_commits"],
        "mergeCommits": repository["merge_commits"],
        "uniqueContributors": repository["unique_contributors"],
        "isPartial": rules.identities and _is_partial(ledger.session, repository),
        "unresolved": ledger.unresolved().emails,
        "unresolvedReason": repository["unresolved_reason"],
    }
    if repository["state"] == "failed":
        document["error"] = repository["error"]
    return document


def _is_partial(session: Session, repository: Row) -> bool:
    """Whether some e-mails have not been looked up yet, so that rows may still change."""
    if repository["state"] != "completed":
        return True
    return session.one(_HAS_UNPROCESSED, repository=repository["id"]) is not None


def entries(ledger: Ledger, rules: Rules, numbers: list[int], *, show_emails: bool) -> list[dict[str, Any]]:
    """The rows of a board for groups (see :class:`podium.leaderboard.grouping.Groups`)."""
    earlier = before(rules, ledger.repository)
    ranks_before = ledger.standings(earlier).ranks if earlier is not None else None
    found = []
    for number in numbers:
        entry = _entry(ledger, rules, number, show_emails=show_emails)
        entry["rankBefore"] = (ranks_before[number] or None) if ranks_before is not None else None
        found.append(entry)
    return found


def face(ledger: Ledger, rules: Rules, number: int) -> int:
    """The row of :class:`podium.leaderboard.people.People` that names a group: the one that did most."""
    people, by_person = ledger.people(), ledger.standings(rules).by_person
    commits, merges = people.counts[0], people.counts[MERGES]
    return min(
        ledger.groups(rules).members[number],
        key=lambda p: (-by_person[p], -commits[p] - merges[p], people.emails[p], people.names[p]),
    )


def shown_name(name: str, *, show_emails: bool) -> str:
    """A name as it may be shown: one that is an e-mail loses its domain where e-mails are not shown."""
    return name if show_emails else without_domain(name)


def _entry(ledger: Ledger, rules: Rules, number: int, *, show_emails: bool) -> dict[str, Any]:
    people, groups, standings = ledger.people(), ledger.groups(rules), ledger.standings(rules)
    owner, lead = groups.owners[number], face(ledger, rules, number)
    account = _NOBODY if owner is None else ledger.accounts(rules).contributors[owner]
    by_mailmap = rules.mailmap and owner is None
    name = account["name"] or (people.mailmap_names if rules.mailmap else people.names)[lead]
    email = (people.mailmap_emails if by_mailmap else people.emails)[lead]
    first, last = _dates(ledger, rules, number)
    merges, co_authored = (
        counts(ledger, rules, number, kinds) for kinds in ((MERGES,), (CO_AUTHORED, CO_AUTHORED_MERGES))
    )
    return {
        "rank": standings.ranks[number] or None,
        "username": account["username"],
        "githubId": account["account_id"],
        "name": shown_name(name, show_emails=show_emails),
        "email": email if show_emails else None,
        "profileUrl": _profile_url(account, ledger.github_url),
        "avatarUrl": avatar_url(account, ledger.github_url),
        "commitCount": standings.counted[number],
        "share": standings.counted[number] / standings.total if standings.ranks[number] else 0.0,
        "mergeCount": merges,
        "coAuthoredCount": co_authored,
        "firstCommitAt": iso_time(first),
        "lastCommitAt": iso_time(last),
        "isBot": groups.kinds[number] != "human",
        "isEnriched": account["enriched_at"] is not None,
    }


_NOBODY: dict[str, Any] = dict.fromkeys(("username", "account_id", "name", "profile_url", "avatar_url", "enriched_at"))


def counts(ledger: Ledger, rules: Rules, number: int, kinds: tuple[int, ...]) -> int:
    """What a group did of ``kinds`` within the window, whether it counts or not."""
    people, members = ledger.people(), ledger.groups(rules).members[number]
    if not rules.windowed:
        return sum(people.counts[kind][person] for kind in kinds for person in members)
    activity = ledger.activity()
    span = activity.span(rules)
    return sum(
        activity.counts[kind][place]
        for kind in kinds
        for person in members
        # Most people never did any of it: nothing of theirs is looked through.
        if people.counts[kind][person]
        for place in activity.of(person, span)
    )


def _dates(ledger: Ledger, rules: Rules, number: int) -> tuple[int | None, int | None]:
    people, members = ledger.people(), ledger.groups(rules).members[number]
    first = [people.first[column][person] for column in dated(rules) for person in members]
    last = [people.last[column][person] for column in dated(rules) for person in members]
    return (
        min((when for when in first if when is not None), default=None),
        max((when for when in last if when is not None), default=None),
    )


def _profile_url(account: Row, github_url: str) -> str | None:
    username: str | None = account["username"]
    if account["profile_url"]:
        return str(account["profile_url"])
    if not username:
        return None
    # An App has no page among the users, but one of its own.
    app = username.removesuffix("[bot]")
    return f"{github_url}/apps/{app}" if app != username else f"{github_url}/{username}"


def avatar_url(row: Row, github_url: str) -> str | None:
    """Where the picture of an account is (``account_id`` and ``avatar_url`` of its row), as far as that is known."""
    if row["avatar_url"]:
        return str(row["avatar_url"])
    if row["account_id"] is None or host_of(github_url) != "github.com":
        return None
    return f"https://avatars.githubusercontent.com/u/{row['account_id']}"
