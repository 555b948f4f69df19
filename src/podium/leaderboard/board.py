"""A board: the ranking of one repository under rules, as the document that API, page and files show."""

from __future__ import annotations

import datetime
import re
from typing import Any
from urllib.parse import urlsplit

from podium.errors import BadRule
from podium.leaderboard.ranking import ranking_sql
from podium.leaderboard.rules import Rules
from podium.storage.session import Row, Session

# A board as JSON knows it: the document of `GET /leaderboard` and of `podium rank --format json`.
Document = dict[str, Any]

# SQLite knows no LIMIT ALL as a value; both databases take the largest of their integers.
_NO_LIMIT = 2**63 - 1
_EPOCH = datetime.datetime(1970, 1, 1)
_DEFAULT_PORTS = {"http": 80, "https": 443}
# The e-mail in a name such as "me@example.com", of which people make names more often than one thinks.
_EMAIL_IN_NAME = re.compile(r"(?<=[^\s@])@[^\s@]*\.[^\s@]*")

_UNRESOLVED = """
SELECT COUNT(DISTINCT c.email) AS unresolved
FROM commit_data c LEFT JOIN known_email k ON k.host = :github_host AND k.email = c.email
WHERE c.repository_id = :repository AND c.kind = 'human' AND c.commit_count + c.merge_count > 0
    AND k.contributor_id IS NULL"""

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
    """Rank ``repository`` under ``rules``.

    Args:
        repository: its whole row, whose commits have been counted.
        limit: rows at most; None for all.
        offset: rows of the board to pass over.
        show_emails: False leaves ``email`` null, and cuts the domain off a name that is an e-mail.
        github_url: the configured GitHub's web address, of whose accounts all boards speak.

    Returns:
        The document. Times are ISO 8601 in UTC. In a row ``commitCount`` is what counts under the rules;
        ``mergeCount`` (merges authored) and ``coAuthoredCount`` (commits and merges that name the person as
        co-author) are given whether they count or not. All three are of the window; ``firstCommitAt`` and
        ``lastCommitAt`` are of the whole history, of the kinds that count. (Dates of co-authored commits are not kept
        apart from those of co-authored merges.) ``share`` is the row's part, from 0 to 1, of ``rankedCommits``, the
        sum of all rows under the rules. ``unresolved`` is the number of people's e-mails without an account, whatever
        the rules; ``unresolvedReason`` says why some of them could not be asked for, if that is so. ``error`` is there
        only where the repository has failed.

    Raises:
        BadRule: a limit or an offset that is none.
    """
    if not (limit is None or 0 <= limit < _NO_LIMIT) or not 0 <= offset < _NO_LIMIT:
        raise BadRule("limit and offset must be whole numbers, 0 or more.")
    github_host = _host_of(github_url)
    rows = session.all(
        ranking_sql(rules),
        repository=repository["id"],
        limit=_NO_LIMIT if limit is None else limit,
        offset=offset,
        **({"github_host": github_host} if rules.identities else {}),
        **{name: bound for name, bound in (("since", rules.since), ("until", rules.until)) if bound is not None},
    )
    ranked = rows[0]["ranked"]
    document = _describe(session, repository, rules, github_host)
    document |= {"rankedCommits": ranked, "total": rows[0]["total"], "limit": limit, "offset": offset}
    document["top_contributors"] = [
        _entry(row, rank, ranked, rules=rules, show_emails=show_emails, github_url=github_url)
        for rank, row in enumerate(rows, start=offset + 1)
        if row["commit_count"] is not None
    ]
    return document


def iso_time(seconds: float | None) -> str | None:
    """``seconds`` since the epoch (from the year 1 to 9999) as ISO 8601 in UTC, to the second."""
    if seconds is None:
        return None
    # Not fromtimestamp: the C library of some platforms refuses what lies before 1970.
    return (_EPOCH + datetime.timedelta(seconds=int(seconds))).isoformat() + "Z"


def _describe(session: Session, repository: Row, rules: Rules, github_host: str) -> Document:
    document: Document = {
        "repository": {name: repository[name] for name in ("id", "url", "host", "owner", "name", "branch")},
        "state": repository["state"],
        "head": repository["head"],
        "asOf": iso_time(repository["commits_processed_at"]),
        "rules": rules.as_dict(),
        "totalCommits": repository["total_commits"],
        "mergeCommits": repository["merge_commits"],
        "uniqueContributors": repository["unique_contributors"],
        "isPartial": rules.identities and _is_partial(session, repository),
        "unresolved": session.value(_UNRESOLVED, repository=repository["id"], github_host=github_host),
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


def _entry(row: Row, rank: int, ranked: int, *, rules: Rules, show_emails: bool, github_url: str) -> dict[str, Any]:
    by_mailmap = rules.mailmap and row["owner"] is None
    name = row["account_name"] or row["mailmap_name" if rules.mailmap else "name"]
    email = row["mailmap_email" if by_mailmap else "email"]
    return {
        "rank": rank,
        "username": row["username"],
        "githubId": row["account_id"],
        "name": name if show_emails else _EMAIL_IN_NAME.sub("@…", name),
        "email": email if show_emails else None,
        "profileUrl": _profile_url(row, github_url),
        "avatarUrl": avatar_url(row, github_url),
        "commitCount": row["commit_count"],
        "share": row["commit_count"] / ranked,
        "mergeCount": row["merge_count"],
        "coAuthoredCount": row["co_authored_count"],
        "firstCommitAt": iso_time(row["first_at"]),
        "lastCommitAt": iso_time(row["last_at"]),
        "isBot": bool(row["is_bot"]),
        "isEnriched": row["enriched_at"] is not None,
    }


def _profile_url(row: Row, github_url: str) -> str | None:
    username: str | None = row["username"]
    if row["profile_url"]:
        return str(row["profile_url"])
    if not username:
        return None
    # An App has no page among the users, but one of its own.
    app = username.removesuffix("[bot]")
    return f"{github_url}/apps/{app}" if app != username else f"{github_url}/{username}"


def avatar_url(row: Row, github_url: str) -> str | None:
    """Where the picture of an account is (``account_id`` and ``avatar_url`` of its row), as far as that is known."""
    if row["avatar_url"]:
        return str(row["avatar_url"])
    if row["account_id"] is None or _host_of(github_url) != "github.com":
        return None
    return f"https://avatars.githubusercontent.com/u/{row['account_id']}"


def _host_of(github_url: str) -> str:
    parts = urlsplit(github_url)
    host = (parts.hostname or "").lower()
    return host if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{parts.port}"
