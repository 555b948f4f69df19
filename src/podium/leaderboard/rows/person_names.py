"""How addresses name a person of a board: by login, or by a number, and never by an e-mail.

The number is ``~N``, with N the lowest ordinal (:attr:`podium.leaderboard.rows.people.People.ordinals`) of the row's
people. Ordinals are given once. A row that gets an account, or joins another row, gets another name, and the old one
still leads to it.
"""

from __future__ import annotations

import dataclasses
import re

from podium.leaderboard.board_data import Ranked

# Every login of a host; others are not part of an address.
_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}(\[bot\])?", re.ASCII)
_NUMBER = re.compile(r"~(0|[1-9][0-9]{0,17})", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class Logins:
    """The group of each login, in lower case."""

    of: dict[str, int]

    @property
    def size(self) -> int:
        return 150 * len(self.of)


def person_name(ranked: Ranked, group: int) -> str:
    """The login of a row, or ``~N``."""
    owner, people = ranked.groups.owners[group], ranked.people
    if owner is not None:
        login: str = ranked.accounts.contributors[owner]["username"] or ""
        if _logins(ranked).of.get(login.lower()) == group:
            return login
    return f"~{min(people.ordinals[person] for person in ranked.groups.members[group])}"


def group_named(ranked: Ranked, name: str) -> int | None:
    """The group of a login in any case, or of ``~N`` with N any ordinal of its people."""
    number = _NUMBER.fullmatch(name)
    if number is None:
        return group_of_login(ranked, name)
    try:
        person = ranked.people.ordinals.index(int(number[1]))
    except ValueError:
        return None
    return None if ranked.people.kinds[person] == "removed" else ranked.groups.of[person]


def group_of_login(ranked: Ranked, login: str) -> int | None:
    login = login.strip().removeprefix("@").lower()
    owned = _logins(ranked).of.get(login)
    if owned is not None or not login:
        return owned
    accounts, groups = ranked.accounts, ranked.groups
    contributors = {key for key, row in accounts.contributors.items() if (row["username"] or "").lower() == login}
    if not contributors:
        return None
    # An account that another evidence overruled owns no row, but its e-mails are in one.
    emails = enumerate(ranked.people.emails)
    return next((groups.of[person] for person, email in emails if accounts.contributor(email) in contributors), None)


def group_of_contributor(ranked: Ranked, contributor: int) -> int | None:
    """The group of an account, or the one that has its e-mails because of another evidence."""
    groups, accounts = ranked.groups, ranked.accounts
    if contributor in groups.owners:
        return groups.owners.index(contributor)
    emails = enumerate(ranked.people.emails)
    return next((groups.of[person] for person, email in emails if accounts.contributor(email) == contributor), None)


def _logins(ranked: Ranked) -> Logins:
    key = ("logins", *ranked.rules.joining)
    return ranked.data.part(key, lambda: _read_logins(ranked), usual=ranked.usual_joining)


def _read_logins(ranked: Ranked) -> Logins:
    contributors = ranked.accounts.contributors
    found: dict[str, tuple[float, int]] = {}
    for group, owner in enumerate(ranked.groups.owners):
        account = None if owner is None else contributors[owner]
        if account is None or not _LOGIN.fullmatch(account["username"] or ""):
            continue
        # If two accounts have one login, the host has renamed the one that was asked for longer ago.
        at, login = account["enriched_at"] or 0.0, account["username"].lower()
        if login not in found or at > found[login][0]:
            found[login] = at, group
    return Logins({login: group for login, (_, group) in found.items()})
