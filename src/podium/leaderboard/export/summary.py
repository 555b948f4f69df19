"""The lines above and below a board, for every format. Pure.

They are not cleaned: each format cleans and escapes them.
"""

from __future__ import annotations

from podium.leaderboard.board import Document
from podium.textutil.plural import plural


def title(document: Document) -> str:
    repository = document["repository"]
    named = "/".join(part for part in (repository["owner"], repository["name"]) if part)
    return named or repository["url"]


def headlines(document: Document) -> list[str]:
    """What was counted, what the rules leave out, and the window."""
    lines = [
        f"{plural(document['totalCommits'] or 0, 'commit')}, "
        f"{plural(document['uniqueContributors'] or 0, 'author e-mail')}, "
        f"{document['total']:,} on this board."
    ]
    return lines + _counted_at(document) + _rules(document)


def footnotes(document: Document, shown: int | None = None) -> list[str]:
    """What is missing and what may still change.

    Args:
        shown: the number of written rows, if ``document`` does not hold all of them.
    """
    lines = []
    shown, total = len(document["top_contributors"]) if shown is None else shown, document["total"]
    if not total:
        lines.append("No one is on this board under these rules.")
    elif not shown:
        lines.append(f"The board ends at rank {total:,}.")
    elif shown < total:
        first = document["offset"] + 1
        lines.append(f"Ranks {first:,} to {first + shown - 1:,} of {total:,}.")
    if document["isPartial"]:
        lines.append("Accounts are still being looked up: rows may still merge.")
    if document["unresolved"] and document["rules"]["identities"] == "use":
        emails, one = plural(document["unresolved"], "author e-mail"), document["unresolved"] == 1
        lines.append(
            f"{emails} {'has' if one else 'have'} no known account; {'it is' if one else 'they are'} shown by name."
        )
        if document["unresolvedReason"]:
            lines.append(document["unresolvedReason"])
    if trimmed := document["trimmedCommits"]:
        commits, are = plural(trimmed, "commit"), "is" if trimmed == 1 else "are"
        lines.append(f"{commits} {are} too large to be read whole, and may count for too few co-authors.")
    if document.get("error"):
        lines.append(f"The last update failed: {document['error']}")
    elif document["refreshError"]:
        lines.append(f"The last update failed: {document['refreshError']['message']}")
    return lines


def _counted_at(document: Document) -> list[str]:
    head, branch, as_of = document["head"], document["repository"]["branch"], document["asOf"]
    if not head:
        return []
    of_branch = f" of {branch}" if branch else ""
    return [f"Counted up to {head[:10]}{of_branch}" + (f" on {as_of[:10]}." if as_of else ".")]


def _rules(document: Document) -> list[str]:
    rules, lines = document["rules"], []
    left_out = []
    if rules["merges"] == "exclude":
        left_out.append(f"merges ({document['mergeCommits'] or 0:,} in all)")
    if rules["bots"] == "exclude":
        left_out.append("bots and AI agents")
    if rules["bots"] == "only":
        left_out.append("people")
    if left_out:
        lines.append(f"Not counted: {', '.join(left_out)}.")
    if rules["coAuthors"] == "include":
        lines.append("Also counted: commits that name a person as co-author.")
    if rules["since"] or rules["until"]:
        since = f"from {rules['since']} " if rules["since"] else ""
        until = f"to {rules['until']} " if rules["until"] else ""
        lines.append(f"Window: {since}{until}(author dates, UTC).")
    return lines
