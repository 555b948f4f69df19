"""Why an e-mail is in its row: the evidence that won, and what it overruled."""

from __future__ import annotations

from collections.abc import Iterator

from podium.leaderboard.board_data import Ranked
from podium.leaderboard.joining.grouping import most_active
from podium.leaderboard.joining.known_accounts import Known
from podium.leaderboard.joining.precedence import Way, identity_of
from podium.textutil.mask import without_emails
from podium.timeutil import iso_day


class Reasons:
    """The reasons of one group: one or a few sentences for each of its people, without e-mails."""

    def __init__(self, ranked: Ranked, group: int) -> None:
        self._ranked = ranked
        self._people = ranked.people
        self._groups = ranked.groups
        self._group = group
        self._owner = ranked.groups.owners[group]
        self._parts: dict[int, list[int]] = {}
        self._names: dict[tuple[str, int], str] = {}
        for person in ranked.groups.members[group]:
            self._parts.setdefault(ranked.groups.parts[person], []).append(person)

    def of(self, person: int) -> list[str]:
        known = self._ranked.accounts.of(self._people.emails[person])
        sentences = [self._evidence(person, known), *self._overruled(person, known)]
        return [*sentences, *self._divided(person), *self._by_name(person)]

    def _evidence(self, person: int, known: Known | None) -> str:
        match self._groups.ways[person]:
            case Way.OWN_MAILMAP:
                return "A mailmap file given to Podium joins it."
            case Way.MAILMAP if self._owner is None:
                return "The repository's .mailmap joins it."
            case Way.MAILMAP:
                return "The repository's .mailmap joins it to the account."
            case Way.NUMBER if known is not None and known.source == "noreply":
                return "The e-mail itself names the account."
            case Way.NUMBER | Way.ACCOUNT if known is not None:
                return f"GitHub says so (asked on {iso_day(known.at)})."
        return _only_by_address(self._people.emails[person], self._people.kinds[person], known)

    def _overruled(self, person: int, known: Known | None) -> Iterator[str]:
        if known is None or known.contributor in (None, self._owner):
            return
        by_number = known.source == "noreply"
        other = "Its number names another account." if by_number else "GitHub names another account for it."
        is_tool = self._people.kinds[person] != "human"
        match self._groups.ways[person]:
            case Way.OWN_MAILMAP:
                yield f"{other} That file takes precedence."
            case Way.MAILMAP if by_number or is_tool:
                yield f"{other} The .mailmap takes precedence."
            case Way.ADDRESS if is_tool:
                yield f"{other} GitHub does not mark that account as a bot, so it does not count."

    def _divided(self, person: int) -> Iterator[str]:
        """What the mailmap joins and accounts keep apart."""
        people, groups = self._people, self._groups
        if not self._ranked.rules.mailmap:
            return
        identity = identity_of(people.mailmap_emails[person], people.mailmap_names[person], people.identities[person])
        others = [group for group in sorted(groups.divided.get(identity, ())) if group != self._group]
        with_account = [group for group in others if groups.owners[group] is not None]
        if groups.ways[person] == Way.ACCOUNT and others:
            joined = f"The .mailmap joins it to {self._name(others[0])}"
            yield f"{joined}, but an account that GitHub names takes precedence."
        elif self._owner is None and len(with_account) > 1:
            names = " and ".join(map(self._name, with_account[:2]))
            yield f"The .mailmap joins it to the accounts of {names}: two accounts stay apart, and it joins neither."

    def _name(self, group: int) -> str:
        owner = self._groups.owners[group]
        account = {} if owner is None else self._ranked.accounts.contributors[owner]
        named = account.get("name") or account.get("username")
        return without_emails(named) if named else self._shown(("group", group), self._groups.members[group])

    def _shown(self, key: tuple[str, int], members: list[int]) -> str:
        if key not in self._names:
            names = self._people.mailmap_names if self._ranked.rules.mailmap else self._people.names
            self._names[key] = without_emails(names[most_active(self._people, members)])
        return self._names[key]

    def _by_name(self, person: int) -> Iterator[str]:
        part = self._groups.parts[person]
        if part != self._groups.anchors[self._group]:
            yield f"The full name {self._shown(('part', part), self._parts[part])} joins it."
        if self._group in self._groups.namesakes:
            yield f"{self._groups.namesakes[self._group]} accounts bear its full name, so it joins none of them."


def _only_by_address(email: str, kind: str, known: Known | None) -> str:
    if not email.strip():
        return "A trailer names it." if kind == "agent" else "It has no e-mail, so it counts by its name."
    if kind != "human":
        return f"A known address of {'an AI agent' if kind == 'agent' else 'a bot'}."
    if known is None:
        return "No account is known yet."
    if known.source == "no-answer":
        return f"GitHub gave no answer (asked on {iso_day(known.at)})."
    return f"No account at GitHub has it (asked on {iso_day(known.at)})."
