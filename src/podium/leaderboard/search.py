"""Search on a board by name, login or e-mail, with the reason why a person is not there."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from typing import Any

from podium.leaderboard.board import Document, entries, shown_name
from podium.leaderboard.board_data import Ranked
from podium.leaderboard.people import CO_AUTHORED, CO_AUTHORED_MERGES, COMMITS, MERGES
from podium.textutil.mask import is_email
from podium.textutil.plural import plural

# Longer queries are cut.
LONGEST = 200
_LOGIN = re.compile(r"@?[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:\[bot\])?", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class SearchIndex:
    """Folded text: the names and login of each group, one per line, and the group of each e-mail."""

    texts: list[str]
    emails: dict[str, int]

    @property
    def size(self) -> int:
        return sum(map(len, self.texts)) + 70 * len(self.texts) + 100 * len(self.emails)


def find(ranked: Ranked, text: str, *, show_emails: bool, limit: int = 20) -> Document:
    """Find a whole e-mail, or a part of a name or login; a part of an e-mail only if e-mails are shown."""
    wanted = fold(text.strip()[:LONGEST])
    found = _groups(ranked, wanted, show_emails=show_emails) if wanted else []
    ranks = ranked.ranking.ranks
    on_board = sorted((group for group in found if ranks[group]), key=ranks.__getitem__)
    return {
        "query": text,
        "total": len(on_board),
        "matches": entries(ranked, on_board[:limit], show_emails=show_emails),
        "reason": None if on_board or not wanted else _reason(ranked, text.strip()[:LONGEST], found),
    }


def fold(text: str) -> str:
    """``text`` without case, accents and compatibility forms."""
    if text.isascii():
        return text.lower()
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return plain.casefold()


def _groups(ranked: Ranked, wanted: str, *, show_emails: bool) -> list[int]:
    rules = ranked.rules
    index = ranked.data.part(
        ("search", *rules.joining, show_emails),
        lambda: _index(ranked, show_emails=show_emails),
        usual=ranked.usual_switches,
    )
    # Strangers pay for a look-up by e-mail, so a text that does not look like one must not find any.
    exact = index.emails.get(wanted) if show_emails or is_email(wanted) else None
    if exact is not None:
        return [exact]
    # Logins are often written as "@ada".
    login = wanted.removeprefix("@")
    return [group for group, text in enumerate(index.texts) if login in text] if login else []


def _index(ranked: Ranked, *, show_emails: bool) -> SearchIndex:
    people, groups, accounts = ranked.people, ranked.groups, ranked.accounts
    emails = {fold(email): groups.of[person] for person, email in enumerate(people.mailmap_emails)}
    emails |= {fold(email): groups.of[person] for person, email in enumerate(people.emails)}
    texts = []
    for group, members in enumerate(groups.members):
        owner = groups.owners[group]
        account = accounts.contributors[owner] if owner is not None else {"name": None, "username": None}
        words = {account["name"], account["username"]}
        words.update(people.names[person] for person in members)
        words.update(people.mailmap_names[person] for person in members)
        shown = [fold(shown_name(word, show_emails=show_emails)) for word in words if word]
        # Partial matches of hidden e-mails would reveal them letter by letter.
        shown += [people.emails[person] for person in members] if show_emails else []
        texts.append("\n".join(shown))
    return SearchIndex(texts, emails)


def _reason(ranked: Ranked, text: str, found: list[int]) -> str:
    if found:
        return why_not(ranked, found[0])
    if is_email(text):
        return (
            "No commit of this history has that e-mail, as its author's or a co-author's. Commits count for the e-mail "
            "that git wrote into them: `git log --author=…` in a clone shows which."
        )
    unresolved = ranked.data.unresolved.emails
    if _LOGIN.fullmatch(text) and unresolved:
        return (
            "No name or login here contains that. "
            f"{plural(unresolved, 'e-mail')} of this history {'has' if unresolved == 1 else 'have'} no known account: "
            "try the name or the whole e-mail that is in the commits."
        )
    return "No name or login here contains that: try the whole e-mail that is in the commits."


def why_not(ranked: Ranked, group: int) -> str:
    """Why a group is not on the board, and what would show it."""
    kind, rules = ranked.groups.kinds[group], ranked.rules
    if rules.bots == "exclude" and kind != "human":
        what = "an AI agent" if kind == "agent" else "a bot"
        return f"This is {what}, and this board leaves those out: rank bots and AI agents to see it."
    if rules.bots == "only" and kind == "human":
        return "This board ranks bots and AI agents only."
    did = [sum(column[person] for person in ranked.groups.members[group]) for column in ranked.people.counts]
    if did[COMMITS]:
        return "They have no commits in this window that count: choose a longer one."
    if did[MERGES] and not rules.merges:
        return f"They authored only merges ({did[MERGES]:,}), and this board does not rank merges."
    named = did[CO_AUTHORED] + did[CO_AUTHORED_MERGES]
    if named and not rules.co_authors:
        return (
            f"They are only named as co-author (of {plural(named, 'commit')}), and this board does not rank co-authors."
        )
    return "They have no commits that count under these rules."


def row_of(ranked: Ranked, **named: Any) -> int | None:
    """The group with that ``rank``, ``login`` or ``email``, or of that ``person`` (``commit_data.id``)."""
    groups, people = ranked.groups, ranked.people
    if named.get("rank") is not None:
        order = ranked.ranking.order
        return order[named["rank"] - 1] if 1 <= named["rank"] <= len(order) else None
    if named.get("person") is not None:
        by_id = {number: person for person, number in enumerate(people.ids)}
        person = by_id.get(named["person"])
        return None if person is None else groups.of[person]
    if named.get("email") is not None:
        wanted = fold(named["email"].strip())
        return next((groups.of[person] for person, email in enumerate(people.emails) if fold(email) == wanted), None)
    login = named["login"].strip().removeprefix("@").lower()
    contributors = ranked.accounts.contributors
    owners = {key for key, row in contributors.items() if (row["username"] or "").lower() == login}
    return next((group for group, owner in enumerate(groups.owners) if owner in owners), None)
