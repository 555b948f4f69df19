"""Search on a board by name, login or e-mail, with the reason why a person is not there."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from podium.leaderboard.board import Document, entries
from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.row_counts import authored, co_authored
from podium.leaderboard.rows.person_names import group_of_login
from podium.leaderboard.rows.row_names import shown_name
from podium.textutil.fold import fold, lower_ascii
from podium.textutil.mask import is_email
from podium.textutil.plural import plural

# Longer queries are cut.
LONGEST = 200
_LOGIN = re.compile(r"@?[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:\[bot\])?", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class SearchIndex:
    """What is searched.

    Attributes:
        texts: the names and logins of each group, folded, one per line.
        emails: the groups of each e-mail. The mailmap may give one e-mail to several people.
        mapped: the same for e-mails of the mailmap.
    """

    texts: list[str]
    emails: dict[str, tuple[int, ...]]
    mapped: dict[str, tuple[int, ...]]

    @property
    def size(self) -> int:
        return sum(map(len, self.texts)) + 70 * len(self.texts) + 150 * (len(self.emails) + len(self.mapped))

    def of_email(self, text: str) -> tuple[int, ...]:
        # E-mails are compared as git does, so that no search for one finds another.
        email = lower_ascii(text.strip())
        return self.emails.get(email) or self.mapped.get(email) or ()


def find(ranked: Ranked, text: str, *, show_emails: bool, limit: int = 20) -> Document:
    """Find a whole e-mail, or a part of a name or login; a part of an e-mail only if e-mails are shown."""
    wanted = text.strip()[:LONGEST]
    found = _groups(ranked, wanted, show_emails=show_emails)
    ranks = ranked.ranking.ranks
    on_board = sorted((group for group in found if ranks[group]), key=ranks.__getitem__)
    matches = entries(ranked, on_board[:limit], show_emails=show_emails)
    by_email = bool(_of_email(ranked, wanted, show_emails=show_emails))
    for entry, group in zip(matches, on_board, strict=False):
        by, matched = ("email", None) if by_email else _matched(ranked, group, entry, wanted, show_emails=show_emails)
        entry |= {"matchedBy": by, "matchedText": matched}
    return {
        "query": text,
        "total": len(on_board),
        "matches": matches,
        "reason": None if on_board or not wanted else _reason(ranked, wanted, found),
    }


def _of_email(ranked: Ranked, wanted: str, *, show_emails: bool) -> tuple[int, ...]:
    # Strangers pay for a look-up by e-mail, so a text that does not look like one must not find any.
    if not (show_emails or is_email(wanted)):
        return ()
    return _index(ranked, show_emails=show_emails).of_email(wanted)


def searched(text: str) -> str:
    """What names and logins contain if they match ``text``; logins are often written as ``@ada``."""
    return fold(text.strip()[:LONGEST]).removeprefix("@")


def _groups(ranked: Ranked, wanted: str, *, show_emails: bool) -> Sequence[int]:
    exact, part = _of_email(ranked, wanted, show_emails=show_emails), searched(wanted)
    if exact:
        return exact
    texts = _index(ranked, show_emails=show_emails).texts
    return [group for group, text in enumerate(texts) if part in text] if part else []


def _matched(ranked: Ranked, group: int, entry: Document, wanted: str, *, show_emails: bool) -> tuple[str, str | None]:
    """What contains the text: the name or login that the board shows, another one of the row, or an e-mail."""
    part = searched(wanted)
    for by, text in (("name", entry["name"]), ("login", entry["username"])):
        if part in fold(text or ""):
            return by, text
    others = sorted(shown_name(word, show_emails=show_emails) for word in _words(ranked, group))
    other = next((word for word in others if part in fold(word)), None)
    if other is not None:
        return "otherName", other
    emails = (ranked.people.emails[person] for person in ranked.groups.members[group])
    return "email", next((email for email in emails if show_emails and part in fold(email)), None)


def _index(ranked: Ranked, *, show_emails: bool) -> SearchIndex:
    return ranked.data.part(
        ("search", *ranked.rules.joining, show_emails),
        lambda: _make_index(ranked, show_emails=show_emails),
        usual=ranked.usual_joining,
    )


def _make_index(ranked: Ranked, *, show_emails: bool) -> SearchIndex:
    people, groups = ranked.people, ranked.groups
    texts = []
    for group, members in enumerate(groups.members):
        shown = [fold(shown_name(word, show_emails=show_emails)) for word in _words(ranked, group)]
        # Partial matches of hidden e-mails would reveal them letter by letter.
        shown += [fold(people.emails[person]) for person in members] if show_emails else []
        texts.append("\n".join(shown))
    return SearchIndex(texts, _by_email(people.emails, groups.of), _by_email(people.mailmap_emails, groups.of))


def _words(ranked: Ranked, group: int) -> set[str]:
    """The names and logins of a group, also those that its commits have without the mailmap."""
    people, groups, accounts = ranked.people, ranked.groups, ranked.accounts
    members = groups.members[group]
    words = {people.names[person] for person in members}
    words.update(people.mailmap_names[person] for person in members)
    # The user's own mailmap may join several accounts.
    for contributor in {groups.owners[group], *(accounts.contributor(people.emails[person]) for person in members)}:
        if contributor is not None:
            account = accounts.contributors[contributor]
            words |= {account["name"] or "", account["username"] or ""}
    words.discard("")
    return words


def _by_email(emails: Sequence[str], of: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """The groups of each e-mail, without blank ones: they are no one's address."""
    found: dict[str, tuple[int, ...]] = {}
    for email, group in zip(emails, of, strict=True):
        known = found.get(email, ())
        if group not in known and email.strip():
            found[email] = (*known, group)
    return found


def _reason(ranked: Ranked, text: str, found: Sequence[int]) -> str:
    if found:
        return why_not(ranked, found[0]).reason
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


class Absence(NamedTuple):
    """Why a group is not on the board.

    Attributes:
        rule: the one that leaves it out: ``bots``, ``people`` (bots only), ``merges``, ``coAuthors``, ``new`` or
            ``window``; empty if no other rule would show it.
    """

    reason: str
    rule: str = ""


def why_not(ranked: Ranked, group: int) -> Absence:
    """Why a group is not on the board, and which rule leaves it out."""
    kind, rules = ranked.groups.kinds[group], ranked.rules
    if rules.bots == "exclude" and kind != "human":
        what = "an AI agent" if kind == "agent" else "a bot"
        reason = f"This is {what}, and this board leaves those out: rank bots and AI agents to see it."
        return Absence(reason, "bots")
    if rules.bots == "only" and kind == "human":
        return Absence("This board ranks bots and AI agents only.", "people")
    commits, merges = authored(ranked, group)
    if not commits and merges and not rules.merges:
        return Absence(f"They authored only merges ({merges:,}), and this board does not rank merges.", "merges")
    named = co_authored(ranked, group)
    if not commits and named and not rules.co_authors:
        of = plural(named, "commit")
        reason = f"They are only named as co-author (of {of}), and this board does not rank co-authors."
        return Absence(reason, "coAuthors")
    if commits + merges + named:
        return _why_not_here(ranked, group)
    return Absence("They only have roles, such as reviewer.")


def _why_not_here(ranked: Ranked, group: int) -> Absence:
    if ranked.rules.new and ranked.ranking.counted[group]:
        return Absence("They are not new here, and this board ranks new people only.", "new")
    if ranked.rules.windowed:
        return Absence("They have no commits in this window that count: choose a longer one.", "window")
    return Absence("They have no commits that count here.")


def absence(ranked: Ranked, text: str, *, show_emails: bool) -> Absence | None:
    """Why the first person whom a search finds is not on the board; None if it finds no one."""
    found = _groups(ranked, text.strip()[:LONGEST], show_emails=show_emails)
    return why_not(ranked, found[0]) if found else None


def row_of(ranked: Ranked, **named: Any) -> int | None:
    """The group with that ``rank``, ``login`` or ``email``, or of that ``person`` (``commit_data.id``)."""
    groups, people = ranked.groups, ranked.people
    if named.get("rank") is not None:
        order = ranked.ranking.order
        return order[named["rank"] - 1] if 1 <= named["rank"] <= len(order) else None
    if named.get("person") is not None:
        by_id = {number: person for person, number in enumerate(people.ids)}
        person = by_id.get(named["person"])
        return None if person is None or people.kinds[person] == "removed" else groups.of[person]
    if named.get("email") is not None:
        ranking = ranked.ranking
        found = _index(ranked, show_emails=True).of_email(named["email"])
        return min(found, key=lambda group: ranking.ranks[group] or len(found) + len(ranking.ranks), default=None)
    return group_of_login(ranked, named["login"])
