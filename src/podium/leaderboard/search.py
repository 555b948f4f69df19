"""Finding anyone on a board by name, login or e-mail, and saying why somebody is not there."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from typing import Any

from podium.leaderboard.board import Document, entries, shown_name
from podium.leaderboard.board_data import Ledger
from podium.leaderboard.people import CO_AUTHORED, CO_AUTHORED_MERGES, COMMITS, MERGES
from podium.leaderboard.rules import Rules

# Longer than any name that somebody types.
LONGEST = 200
_LOGIN = re.compile(r"@?[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:\[bot\])?", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class Index:
    """For each group what it can be found by, folded: its names and login, one a line; and all e-mails' groups."""

    texts: list[str]
    emails: dict[str, int]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return sum(map(len, self.texts)) + 70 * len(self.texts) + 100 * len(self.emails)


def find(ledger: Ledger, rules: Rules, text: str, *, show_emails: bool, limit: int = 20) -> Document:
    """Look for ``text``: a whole e-mail, or a part of a name or login; in e-mails too where they are shown.

    Returns:
        ``matches``: the first rows of the board that match, best rank first; ``total``: how many do. Where none does,
        ``reason`` says why, and what would show them.
    """
    wanted = fold(text.strip()[:LONGEST])
    found = _groups(ledger, rules, wanted, show_emails=show_emails) if wanted else []
    ranks = ledger.standings(rules).ranks
    on_board = sorted((number for number in found if ranks[number]), key=ranks.__getitem__)
    return {
        "query": text,
        "total": len(on_board),
        "matches": entries(ledger, rules, on_board[:limit], show_emails=show_emails),
        "reason": None if on_board or not wanted else _reason(ledger, rules, text.strip()[:LONGEST], found),
    }


def fold(text: str) -> str:
    """``text`` as it is compared: without case, accents and compatibility forms."""
    if text.isascii():
        return text.lower()
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return plain.casefold()


def _groups(ledger: Ledger, rules: Rules, wanted: str, *, show_emails: bool) -> list[int]:
    index = ledger.part(
        ("index", rules.identities, rules.mailmap, show_emails), lambda: _index(ledger, rules, show_emails=show_emails)
    )
    exact = index.emails.get(wanted)
    if exact is not None:
        return [exact]
    # "@ada" is how logins are written.
    login = wanted.removeprefix("@")
    return [number for number, text in enumerate(index.texts) if login in text] if login else []


def _index(ledger: Ledger, rules: Rules, *, show_emails: bool) -> Index:
    people, groups, accounts = ledger.people(), ledger.groups(rules), ledger.accounts(rules)
    emails = {fold(email): groups.of[place] for place, email in enumerate(people.mailmap_emails)}
    emails |= {fold(email): groups.of[place] for place, email in enumerate(people.emails)}
    texts = []
    for number, members in enumerate(groups.members):
        owner = groups.owners[number]
        account = accounts.contributors[owner] if owner is not None else {"name": None, "username": None}
        words = {account["name"], account["username"]}
        words.update(people.names[place] for place in members)
        words.update(people.mailmap_names[place] for place in members)
        shown = [fold(shown_name(word, show_emails=show_emails)) for word in words if word]
        # A part of an e-mail would tell the rest of it, letter by letter.
        shown += [people.emails[place] for place in members] if show_emails else []
        texts.append("\n".join(shown))
    return Index(texts, emails)


def _reason(ledger: Ledger, rules: Rules, text: str, found: list[int]) -> str:
    if found:
        return why_not(ledger, rules, found[0])
    if "@" in text.strip("@"):
        return (
            "No commit of this history has that e-mail, as its author's or a co-author's. Commits count for the e-mail "
            "that git wrote into them: `git log --author=…` in a clone shows which."
        )
    if _LOGIN.fullmatch(text) and ledger.unresolved().emails:
        return (
            "Nobody here has that in their name or login. "
            f"{ledger.unresolved().emails:,} e-mails of this history have no known account: try the name or the whole "
            "e-mail that is in the commits."
        )
    return "Nobody here has that in their name or login: try the whole e-mail that is in the commits."


def why_not(ledger: Ledger, rules: Rules, number: int) -> str:
    """Why a group of people is not on the board, and what would show it."""
    kind = ledger.groups(rules).kinds[number]
    if rules.bots == "exclude" and kind != "human":
        what = "an AI agent" if kind == "agent" else "a bot"
        return f"They are known as {what}, and this board leaves those out: rank bots and AI agents to see them."
    if rules.bots == "only" and kind == "human":
        return "This board ranks bots and AI agents only."
    did = _did(ledger, rules, number)
    if did[COMMITS]:
        return "They did nothing in this window that counts: choose a longer one."
    if did[MERGES] and not rules.merges:
        return f"They authored merges only ({did[MERGES]:,} of them), and this board does not rank merges."
    named = did[CO_AUTHORED] + did[CO_AUTHORED_MERGES]
    if named and not rules.co_authors:
        return f"They are named as co-author only (of {named:,} commits), and this board does not rank co-authors."
    return "They did nothing that counts under these rules."


def _did(ledger: Ledger, rules: Rules, number: int) -> list[int]:
    people, members = ledger.people(), ledger.groups(rules).members[number]
    return [sum(column[place] for place in members) for column in people.counts]


def row_of(ledger: Ledger, rules: Rules, **named: Any) -> int | None:
    """The group that is at a ``rank``, has a ``login``, or an ``email``, or the row of the database ``person``."""
    groups = ledger.groups(rules)
    if named.get("rank") is not None:
        order = ledger.standings(rules).order
        return order[named["rank"] - 1] if 1 <= named["rank"] <= len(order) else None
    if named.get("person") is not None:
        numbers = {number: place for place, number in enumerate(ledger.people().ids)}
        place = numbers.get(named["person"])
        return None if place is None else groups.of[place]
    if named.get("email") is not None:
        wanted = fold(named["email"].strip())
        people = ledger.people()
        return next((groups.of[p] for p, email in enumerate(people.emails) if fold(email) == wanted), None)
    login = named["login"].strip().removeprefix("@").lower()
    contributors = ledger.accounts(rules).contributors
    owners = {key for key, row in contributors.items() if (row["username"] or "").lower() == login}
    return next((number for number, owner in enumerate(groups.owners) if owner in owners), None)
