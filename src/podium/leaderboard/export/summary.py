"""What a board says about itself in words: shared by the formats that people read. Pure.

All lines come uncleaned from the document: the formats clean and escape them like any other text.
"""

from __future__ import annotations

from podium.leaderboard.board import Document


def title(document: Document) -> str:
    """The repository, as people call it."""
    repository = document["repository"]
    named = "/".join(part for part in (repository["owner"], repository["name"]) if part)
    return named or repository["url"]


def headlines(document: Document) -> list[str]:
    """What was counted, what the rules left out, and the bounds in effect."""
    lines = [
        f"{document['totalCommits'] or 0:,} commits, {document['uniqueContributors'] or 0:,} author e-mails, "
        f"{document['total']:,} on this board."
    ]
    return lines + _moment(document) + _rules(document)


def footnotes(document: Document, shown: int | None = None) -> list[str]:
    """What is missing or may still change; ``shown`` are the rows that were written, where ``document`` lacks some."""
    lines = []
    shown, total = len(document["top_contributors"]) if shown is None else shown, document["total"]
    if not total:
        lines.append("Nobody is on this board under these rules.")
    elif not shown:
        lines.append(f"The board ends at rank {total:,}.")
    elif shown < total:
        first = document["offset"] + 1
        lines.append(f"Ranks {first:,} to {first + shown - 1:,} of {total:,}.")
    if document["isPartial"]:
        lines.append("Accounts are still being looked up: rows may yet merge.")
    if document["unresolved"] and document["rules"]["identities"] == "use":
        lines.append(f"{document['unresolved']:,} author e-mails have no known account; they are shown by name.")
        if document["unresolvedReason"]:
            lines.append(document["unresolvedReason"])
    if document.get("error"):
        lines.append(f"The last update failed: {document['error']}")
    return lines


def _moment(document: Document) -> list[str]:
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
        lines.append("Counted too: commits that name a person as co-author.")
    if rules["since"] or rules["until"]:
        since = f"from {rules['since']} " if rules["since"] else ""
        until = f"to {rules['until']} " if rules["until"] else ""
        lines.append(f"Window: {since}{until}(whole weeks from Sunday, author dates in UTC).")
    return lines
