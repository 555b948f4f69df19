"""A board as a document: the JSON that the API, the page and the files share.

Its fields, like those of the other documents of this package, are described in :mod:`podium.web.api.schemas`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from podium.bots.tools import BUILT_IN, Bots
from podium.errors import BadRule
from podium.leaderboard.board_data import BoardData, Ranked
from podium.leaderboard.counts.commit_parts import agents, commit_parts, commit_split
from podium.leaderboard.counts.joined_rows import joined_rows
from podium.leaderboard.counts.newcomers import is_back, is_new, new_since
from podium.leaderboard.counts.row_counts import row_counts
from podium.leaderboard.counts.row_roles import add_roles, role_only_people
from podium.leaderboard.rows.person_names import person_name
from podium.leaderboard.rows.profiles import avatar_url, profile_url
from podium.leaderboard.rows.row_names import representative_row, shown_name, written_name
from podium.leaderboard.rows.row_order import shown
from podium.leaderboard.rules import Rules
from podium.leaderboard.view import WHOLE, View
from podium.repositories.address import folder_of
from podium.repositories.listing import refresh_error
from podium.repositories.model import Repository, State
from podium.repositories.store.queries import OF_VALID_COUNT
from podium.storage.session import Session
from podium.timeutil import DAY, iso_time

Document = dict[str, Any]

_MOST = 2**63 - 1

_HAS_UNPROCESSED = f"SELECT 1 AS one FROM commit_data WHERE {OF_VALID_COUNT} AND NOT processed LIMIT 1"


def load_board(
    session: Session,
    repository: Repository,
    rules: Rules,
    *,
    limit: int | None,
    offset: int,
    show_emails: bool,
    github_url: str,
    bots: Bots = BUILT_IN,
    roles: bool = False,
) -> Document:
    """Read one board of a counted ``repository``; see :func:`read_board`."""
    ranked = BoardData(session, repository, github_url, bots=bots).under(rules)
    document = read_board(ranked, limit=limit, offset=offset, show_emails=show_emails)
    if roles:
        add_roles(ranked, document)
    return document


def read_board(ranked: Ranked, *, limit: int | None, offset: int, show_emails: bool, view: View = WHOLE) -> Document:
    """The document of a ranking.

    The counts and dates of a row are those of the window.

    Args:
        limit: the most rows to return; None for all.
        show_emails: False leaves ``email`` null and hides e-mails within names.

    Raises:
        BadRule: ``limit`` or ``offset`` is negative or too large.
    """
    if not (limit is None or 0 <= limit < _MOST) or not 0 <= offset < _MOST:
        raise BadRule("limit and offset must be whole numbers, 0 or more.")
    order = shown(ranked, view, show_emails=show_emails).groups
    document = _describe(ranked) | _commits(ranked)
    document |= {"rankedCommits": ranked.ranking.total, "removedCommits": removed_commits(ranked)}
    document |= {"total": len(order)} | view.as_dict()
    document |= {"joinedByName": sum(joined_rows(ranked).of.values())}
    document |= {"limit": limit, "offset": offset}
    end = len(order) if limit is None else offset + limit
    page = order[min(offset, len(order)) : end]
    document["top_contributors"] = entries(ranked, list(page), show_emails=show_emails)
    return document


def removed_commits(ranked: Ranked) -> int:
    """The counted commits of all people who were removed on request."""
    kinds = ranked.groups.kinds
    return sum(ranked.ranking.counted[group] for group in ranked.credits.tools if kinds[group] == "removed")


def _describe(ranked: Ranked) -> Document:
    repository, unresolved = ranked.repository, ranked.data.unresolved.emails
    document: Document = {
        "repository": board_repository(repository),
        "state": repository.state,
        "base": repository.base,
        "head": repository.head,
        "headCommittedAt": _head_committed_at(repository),
        "asOf": iso_time(repository.commits_processed_at),
        "rules": ranked.rules.as_dict(),
        "totalCommits": repository.total_commits,
        "mergeCommits": repository.merge_commits,
        "trimmedCommits": repository.trimmed_commits,
        "uniqueContributors": repository.unique_contributors,
        "isPartial": ranked.rules.identities and _is_partial(ranked.data.session, repository),
        "unresolved": unresolved,
        "unresolvedReason": repository.unresolved_reason if unresolved and ranked.rules.identities else None,
        "refreshError": refresh_error(repository),
    }
    if repository.state == State.FAILED:
        document["error"] = repository.error
    return document


def board_repository(repository: Repository) -> Document:
    """The ``repository`` of a document."""
    # Only a path's board, which no server shows, names a path of this machine.
    is_path = not repository.host
    return {
        "id": repository.id,
        "url": None if is_path else repository.repository_url,
        "path": folder_of(repository.repository_url) if is_path else None,
        "host": repository.host,
        "owner": repository.owner,
        "name": repository.name,
        "branch": repository.branch,
        "revision": repository.revision,
    }


def _head_committed_at(repository: Repository) -> str | None:
    when = repository.head_committed_at
    # A date that cannot be true is not shown, as for authors.
    return iso_time(when) if when is not None and DAY <= when <= repository.counted_at + DAY else None


def _commits(ranked: Ranked) -> Document:
    """The commits of the window, in parts that add up."""
    parts, split = commit_parts(ranked), commit_split(ranked)
    document: Document = {
        "commits": {"total": parts.total, **dataclasses.asdict(parts)},
        "botCommits": split.by_bots,
        "aiCommits": split.ai,
        "agents": agent_list(ranked),
        "oddDates": ranked.log.odd_dates,
        "isCoarse": ranked.log.is_coarse,
        "roleOnlyPeople": role_only_people(ranked),
    }
    if ranked.rules.windowed and not parts.total:
        before, after = ranked.log.around(ranked.window)
        document["nearestCommits"] = {"before": iso_time(before), "after": iso_time(after)}
    return document


def agent_list(ranked: Ranked) -> list[Document]:
    """The ``agents`` of a document."""
    return [{"name": name, "commitCount": count} for name, count in agents(ranked)]


def _is_partial(session: Session, repository: Repository) -> bool:
    if repository.state == State.USERS_PROCESSING:
        return True
    return session.one(_HAS_UNPROCESSED, id=repository.id) is not None


def entries(ranked: Ranked, groups: list[int], *, show_emails: bool) -> list[dict[str, Any]]:
    """The rows of ``groups`` (indexes into :class:`podium.leaderboard.joining.grouping.Groups`)."""
    ranks_before = ranked.previous.ranking.ranks if ranked.previous is not None else None
    found, since = [], new_since(ranked)
    for group in groups:
        entry = _entry(ranked, group, show_emails=show_emails)
        entry["isNew"] = is_new(ranked, group, since)
        entry["isBack"] = is_back(ranked, group)
        entry["rankBefore"] = (ranks_before[group] or None) if ranks_before is not None else None
        found.append(entry)
    return found


_NO_ACCOUNT: dict[str, Any] = dict.fromkeys(
    ("username", "account_id", "name", "profile_url", "avatar_url", "enriched_at")
)


def _entry(ranked: Ranked, group: int, *, show_emails: bool) -> dict[str, Any]:
    people, ranking, rules, github_url = ranked.people, ranked.ranking, ranked.rules, ranked.data.github_url
    owner, person = ranked.groups.owners[group], representative_row(ranked, group)
    account = _NO_ACCOUNT if owner is None else ranked.accounts.contributors[owner]
    by_mailmap = rules.mailmap and owner is None
    name = written_name(ranked, group)
    email = (people.mailmap_emails if by_mailmap else people.emails)[person]
    counts = row_counts(ranked, group)
    return {
        "rank": ranking.ranks[group] or None,
        "person": person_name(ranked, group),
        "username": account["username"],
        "githubId": account["account_id"],
        "name": shown_name(name, show_emails=show_emails),
        "email": email if show_emails else None,
        "profileUrl": profile_url(account, github_url),
        "avatarUrl": avatar_url(account, github_url),
        "commitCount": ranking.counted[group],
        "share": ranking.counted[group] / ranking.total if ranking.ranks[group] else 0.0,
        "mergeCount": counts.merges,
        "coAuthoredCount": counts.co_authored,
        "aiCount": counts.ai,
        "firstCommitAt": iso_time(counts.first),
        "lastCommitAt": iso_time(counts.last),
        "oddDates": counts.odd_dates,
        "isBot": ranked.groups.kinds[group] != "human",
        "joinedByName": group in joined_rows(ranked).of,
        "isEnriched": account["enriched_at"] is not None,
    }
