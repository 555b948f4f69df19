"""The lines above and below a board, for every format. Pure.

They are not cleaned: each format cleans and escapes them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from podium.leaderboard.board import Document
from podium.textutil.plural import plural

# An odd date, in the words of a note.
ODD_DATE = "that git cannot read, from before 1970-01-02, or more than a day after the count"
# What a board calls all people who were removed on request.
REMOVED = "Removed on request"

_AUTHORS = {
    **{"bots": "bots", "agents": "AI agents", "people": "people", "earlier": "contributors who are not new"},
    "removed": "people removed on request",
}
# What the view of a board shows only.
_FILTERS = {
    "active": "has a commit in the 365 days before the counted commit",
    "joined": "has the first commit in the 365 days before the counted commit",
    "left": "has a commit in the 365 days before the last 365 days, and none since",
}
# The mark of a row that names joined.
JOINED = "joined by name"
AI_COLUMN = "commits that an AI agent made, or whose trailers name one"
# Agents in a headline, those with the most commits first.
_AGENTS = 8


class _Kind(NamedTuple):
    """Commits that rules leave out, and the option that ranks them."""

    part: str
    one: str
    many: str
    option: str


_KINDS = (
    _Kind("merges", "is a merge", "are merges", "--merges include"),
    _Kind("bots", "is by a bot", "are by bots", "--bots only"),
    _Kind("agents", "is by an AI agent", "are by AI agents", "--bots only"),
    _Kind("people", "is by a person", "are by people", "--bots include"),
    _Kind("earlier", "is by a person who is not new", "are by people who are not new", "a board without --new"),
)


def title(document: Document) -> str:
    """The repository's name, and the revision if it is not the default one: ``rails/rails at v8.0``."""
    repository = document["repository"]
    named = "/".join(part for part in (repository["owner"], repository["name"]) if part)
    named = named or repository["url"] or repository.get("path") or ""
    return f"{named} at {repository['revision']}" if repository.get("revision") else named


def headlines(document: Document) -> list[str]:
    """What was counted, where the commits went, and the window."""
    lines = [f"{parts_of(document)}.", _people(document), *_counted_at(document), *_rules(document)]
    if declared := ai_declared(document):
        lines.append(f"AI declared: {declared}.")
    return lines


def parts_of(document: Document) -> str:
    """The commits and their parts, which add up: ``9 commits: 5 ranked, 1 merge, 3 by bots``."""
    commits = commits_of(document) + (" in the window" if window_of(document) else "")
    parts = _parts(document)
    if len(parts) > 1:
        return f"{commits}: {', '.join(parts)}{_credits(document)}"
    return f"{commits}, all ranked{_credits(document)}" if document["commits"]["total"] else commits


def commits_of(document: Document) -> str:
    """``9 commits``, or ``4 of 9 commits`` in a window."""
    commits = plural(document["totalCommits"] or 0, "commit")
    return f"{document['commits']['total']:,} of {commits}" if window_of(document) else commits


def parts_of_window(document: Document) -> str:
    """Like :func:`parts_of`, without the commits outside of the window."""
    commits, parts = plural(document["commits"]["total"], "commit"), _parts(document)
    return (f"{commits}: {', '.join(parts)}" if len(parts) > 1 else commits) + _credits(document)


def _parts(document: Document) -> list[str]:
    parts = document["commits"]
    words = [f"{parts['ranked']:,} ranked"]
    words += [plural(parts["merges"], "merge")] if parts["merges"] else []
    words += [f"{parts[kind]:,} by {who}" for kind, who in _AUTHORS.items() if parts[kind]]
    return words


def _credits(document: Document) -> str:
    """What rows have besides the ranked commits, which count once for each of their co-authors."""
    if document["rules"]["coAuthors"] == "exclude":
        return ""
    return f"; {plural(document['rankedCommits'] - document['commits']['ranked'], 'credit')} of co-authors"


def ai_declared(document: Document) -> str:
    """The commits with declared AI, and the agents; '' if there are none."""
    if not document["aiCommits"]:
        return ""
    agents = [f"{agent['name']} {agent['commitCount']:,}" for agent in document["agents"]]
    if len(agents) > _AGENTS:
        agents[_AGENTS:] = [f"{len(agents) - _AGENTS:,} more agents"]
    return f"{plural(document['aiCommits'], 'commit')} ({', '.join(agents)})"


def footnotes(document: Document, shown: int | None = None, *, hints: bool = False) -> list[str]:
    """What is missing and what may still change.

    Args:
        shown: the number of written rows, if ``document`` does not hold all of them.
        hints: whether to name the options of the command line that change the board.
    """
    lines = _rows(document, len(document["top_contributors"]) if shown is None else shown, hints=hints)
    if document["total"]:
        lines += _notes(document)
        if hints and document["base"] and document["rules"]["new"] == "any":
            lines.append(f"--new shows only people without a commit in {_ends(document)[0]}.")
    if document.get("error"):
        lines.append(f"The last refresh failed: {document['error']}")
    elif document["refreshError"]:
        lines.append(f"The last refresh failed: {document['refreshError']['message']}")
    return lines


def _notes(document: Document) -> list[str]:
    """What the readers of rows should know."""
    lines = []
    if document["removedCommits"]:
        lines.append(f"{REMOVED}: {plural(document['removedCommits'], 'commit')}.")
    if document["isCoarse"]:
        lines.append(
            "An older version of Podium counted this repository: until it is counted again, dates are the Sundays of "
            "their weeks."
        )
    if document["oddDates"]:
        commits, has = plural(document["oddDates"], "commit"), "has" if document["oddDates"] == 1 else "have"
        lines.append(f"{commits} {has} an odd date ({ODD_DATE}): counted in all of history, in no window.")
    if document["roleOnlyPeople"]:
        people, one = plural(document["roleOnlyPeople"], "person", "people"), document["roleOnlyPeople"] == 1
        lines.append(
            f"{people}{whole_of(document)} only {'has' if one else 'have'} roles, such as reviewer, and "
            f"{'is' if one else 'are'} not on this board."
        )
    if document["isPartial"]:
        lines.append("Accounts are still being looked up: rows may still be joined.")
    if document["unresolved"] and document["rules"]["identities"] == "use":
        emails, one = plural(document["unresolved"], "author e-mail"), document["unresolved"] == 1
        lines.append(
            f"{emails}{whole_of(document)} {'has' if one else 'have'} no known account; "
            f"{'it is' if one else 'they are'} shown by name."
        )
        if document["unresolvedReason"]:
            lines.append(document["unresolvedReason"])
    if trimmed := document["trimmedCommits"]:
        commits, are = plural(trimmed, "commit"), "is" if trimmed == 1 else "are"
        lines.append(f"{commits} {are} too large to be read whole, and may count for too few co-authors.")
    return lines


def whole_of(document: Document) -> str:
    """What a number is of that does not follow the window; '' if there is no window."""
    if not window_of(document):
        return ""
    return " in the whole range" if document["base"] else " in the whole history"


def _rows(document: Document, shown: int, *, hints: bool) -> list[str]:
    total = document["total"]
    if document["base"] and not document["totalCommits"]:
        return [_empty_range(document, hints=hints)]
    if not total:
        return [why_empty(document, hints=hints)]
    if not shown:
        return [f"The board ends at {'row' if _is_filtered(document) else 'rank'} {total:,}."]
    if order := document.get("sort"):
        reverse = ", in reverse" if order["reverse"] else ""
        return [f"{shown:,} of {total:,} rows, sorted by {order['column']}{reverse}; ranks are those of commits."]
    if _is_filtered(document):
        return [f"{shown:,} of {total:,} rows."] if shown < total else []
    first, last = document["offset"] + 1, document["offset"] + shown
    ranks = f"Rank {first:,}" if shown == 1 else f"Ranks {first:,} to {last:,}"
    return [f"{ranks} of {total:,}."] if shown < total else []


def _ends(document: Document) -> tuple[str, str]:
    """``A`` and ``B`` of a range ``A..B``, as they were typed."""
    base, _, head = document["repository"]["revision"].partition("..")
    return base or "HEAD", head or "HEAD"


def _empty_range(document: Document, *, hints: bool) -> str:
    revision, (base, head) = document["repository"]["revision"], _ends(document)
    if document["base"] == document["head"]:
        return f"The range {revision} has no commits: {base} and {head} are the same commit."
    # The other direction has commits: at least its end, which is none of what the empty range names.
    other = f". --rev {head}..{base} counts what only {base} has" if hints else ""
    return f"The range {revision} has no commits: {base} reaches all of {head}{other}."


def why_empty(document: Document, *, hints: bool = False) -> str:
    """Such as ``All 5 commits are by bots: --bots only shows them.``"""
    if _is_filtered(document) and document["rankedCommits"]:
        return f"No one on this board {_FILTERS[document['people']]}."
    parts, in_window = document["commits"], " in the window" if window_of(document) else ""
    if not parts["total"] and in_window:
        return f"No commit has its author date in the window{_nearest(document)}."
    if document["rules"]["bots"] == "only" and parts["people"] and not parts["earlier"]:
        return _no_bots(document, in_window, hints=hints)
    kinds = [kind for kind in _KINDS if parts[kind.part]]
    if parts["ranked"] or not kinds:
        return "No one is on this board under these rules."
    count = parts["total"]
    if len(kinds) == 1:
        what = kinds[0].one if count == 1 else kinds[0].many
    else:
        what = f"are left out ({', '.join(_parts(document)[1:])})"
    commits = f"All {count:,} commits" if count > 1 else "The only commit"
    options = list(dict.fromkeys(kind.option for kind in kinds))
    shows = f"show{'s' * (len(options) == 1)} {'them' if count > 1 else 'it'}"
    hint = f": {' and '.join(options)} {shows}" if hints else ""
    return f"{commits}{in_window} {what}{hint}."


def _nearest(document: Document) -> str:
    nearest = document.get("nearestCommits") or {}
    before, after = (str(nearest.get(side) or "")[:10] for side in ("before", "after"))
    if before and after:
        return f": the nearest ones are from {before}, before it, and {after}, after it"
    if before:
        return f": the newest one is from {before}, before it"
    return f": the oldest one is from {after}, after it" if after else ""


def _no_bots(document: Document, in_window: str, *, hints: bool) -> str:
    merges, declared = document["commits"]["merges"], document["aiCommits"]
    line = f"{'Merges aside, no' if merges else 'No'} bot or AI agent is among the authors{in_window}"
    if hints:
        line += ": --bots-file FILE names further ones" + (", --merges include adds merges" if merges else "")
    if not declared:
        return f"{line}."
    return f"{line}. {plural(declared, 'commit that declares AI is', 'commits that declare AI are')} by people."


def _people(document: Document) -> str:
    total, joined = document["total"], document["joinedByName"]
    line = plural(total, "person", "people") if document["rules"]["bots"] == "exclude" else plural(total, "row")
    line += " shown" if _is_filtered(document) else " on this board"
    line += f", {plural(joined, 'row')} joined by name" if joined else ""
    return f"{line}; {plural(document['uniqueContributors'] or 0, 'author e-mail')}{whole_of(document)}."


def _counted_at(document: Document) -> list[str]:
    head, branch, committed = document["head"], document["repository"]["branch"], document["headCommittedAt"]
    if not head:
        return []
    of_branch = f" of {branch}" if branch else ""
    if document["base"]:
        of_branch = f", without what {document['base'][:10]} reaches"
    return [f"Counted up to {head[:10]}{of_branch}" + (f", committed on {committed[:10]}." if committed else ".")]


def _rules(document: Document) -> list[str]:
    rules, lines = document["rules"], []
    left_out = []
    if rules["merges"] == "exclude":
        left_out.append("merges")
    if rules["bots"] == "exclude":
        left_out.append("bots and AI agents")
    if rules["bots"] == "only":
        left_out.append("people")
    if left_out:
        lines.append(f"Not ranked: {', '.join(left_out)}.")
    if rules["coAuthors"] == "include":
        lines.append("Also ranked: co-authors.")
    if rules["new"] == "only":
        lines.append(f"Ranked: only new people, {_what_is_new(document)}.")
    if _is_filtered(document):
        lines.append(
            f"Shown: everyone who {_FILTERS[document['people']]}. Ranks and shares are those of the whole board."
        )
    if rules["since"] or rules["until"]:
        lines.append(f"Window: {window_of(document)} (whole days in UTC, both inclusive; author dates).")
    return lines


def _is_filtered(document: Document) -> bool:
    return "people" in document


def _what_is_new(document: Document) -> str:
    if not document["base"]:
        return "whose first commit ever is in the window"
    before = f"without a commit that {document['base'][:10]} reaches"
    return f"{before}, and whose first one is in the window" if window_of(document) else before


def window_of(document: Document) -> str:
    """``from 2024-01-01 to 2024-12-31``, or one of both; '' for all of history."""
    since, until = document["rules"]["since"], document["rules"]["until"]
    return " ".join([f"from {since}"] * bool(since) + [f"to {until}"] * bool(until))


def marks_of_row(document: Document, entry: dict[str, Any]) -> list[str]:
    """What is special about a row; "new" and "back" belong to a window with a beginning, in which not all are new."""
    marks = [JOINED] * entry["joinedByName"]
    if document["rules"]["since"] and document["rules"]["new"] == "any":
        marks += ["new"] * bool(entry["isNew"]) + ["back"] * bool(entry["isBack"])
    return marks


def notes_of_marks(document: Document, marks: Collection[str], *, hints: bool = False) -> dict[str, str]:
    """What each of the ``marks`` (see :func:`marks_of_row`) means."""
    included = "merges and co-authored ones" if document["rules"]["coAuthors"] == "include" else "merges"
    new = f"the first commit ever, {included} included, is in the window"
    if document["base"]:
        new = f"no commit that {document['base'][:10]} reaches is theirs, and the first one is in the window"
    notes = {
        JOINED: "rows of one full name" + ("; --names apart keeps them apart" if hints else ""),
        "new": new,
        "back": "earlier commits, but none in the window of the same length before this one",
    }
    return {mark: f"{mark}: {note}." for mark, note in notes.items() if mark in marks}


def day_of_row(entry: dict[str, Any], field: str) -> str:
    """A day of a row, ``unknown`` if all of its dates are odd; '' without a commit."""
    return str(entry[field])[:10] if entry[field] else "unknown" if entry["oddDates"] else ""
