"""Find the forgotten people of one repository. Pure, but for a question about accounts.

A person is forgotten by an e-mail or account of the person's own, or of the mailmap; by an identity of the mailmap that
a forgotten one has; and by a full name that a forgotten one has in the same repository, unless the e-mail is known to
belong to another account. The last is how boards join rows (:mod:`podium.leaderboard.joining.joined_names`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Sequence

from podium.blocks.forgotten_people import ForgottenPeople
from podium.textutil.full_names import full_name, may_equal
from podium.textutil.raw_bytes import readable


@dataclasses.dataclass(frozen=True, slots=True)
class CountedPerson:
    """``commits``: by which the name of an identity is chosen."""

    email: str
    name: str
    mailmap_email: str
    mailmap_name: str
    identity: str
    commits: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class RemovedRows:
    """What the rows of people who were removed before say, as hashes."""

    emails: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    identities: frozenset[str] = frozenset()


NO_ROWS = RemovedRows()


def forgotten_among(
    forgotten: ForgottenPeople,
    people: Sequence[CountedPerson],
    accounts_of_others: Callable[[Collection[str]], Collection[str]],
    earlier: RemovedRows = NO_ROWS,
) -> set[int]:
    """Return the indexes of those of ``people`` who are forgotten.

    accounts_of_others: returns those of some e-mails that have an account. Those of forgotten accounts are forgotten.
    """
    if not forgotten:
        return set()
    found = _by_email(forgotten, people)
    identities = {people[index].identity for index in found}
    if earlier.identities:
        distinct = {person.identity for person in people} - identities
        identities.update(each for each in distinct if forgotten.identity_text(each) in earlier.identities)
    # Without an e-mail, the name alone decides.
    identities = {identity for identity in identities if identity.strip()}
    found |= {index for index, person in enumerate(people) if person.identity in identities}
    return found | _by_name(forgotten, people, found, accounts_of_others, earlier)


def _by_email(forgotten: ForgottenPeople, people: Sequence[CountedPerson]) -> set[int]:
    known: dict[str, bool] = {}
    found = set()
    for index, person in enumerate(people):
        for email in (person.email, person.mailmap_email):
            if email not in known:
                known[email] = bool(email.strip()) and forgotten.of_email(email) is not None
            if known[email]:
                found.add(index)
    return found


def _by_name(
    forgotten: ForgottenPeople,
    people: Sequence[CountedPerson],
    found: Collection[int],
    accounts_of_others: Callable[[Collection[str]], Collection[str]],
    earlier: RemovedRows,
) -> set[int]:
    names = {key for index in found for key in map(_key, _names(people[index])) if key}
    if not names and not earlier.names:
        return set()

    def is_theirs(name: str) -> bool:
        name = readable(name)
        if not earlier.names:
            return may_equal(name) in names and full_name(name) in names
        return full_name(name) in names or forgotten.name_text(name) in earlier.names

    memo: dict[str, bool] = {}
    for name in {name for person in people for name in _names(person)}:
        memo[name] = is_theirs(name)
    rows: dict[str, list[int]] = {}
    for index, person in enumerate(people):
        if index not in found:
            rows.setdefault(person.identity, []).append(index)
    named: set[int] = set()
    for members in rows.values():
        # The name of a row is that of its person with the most commits.
        shown = people[max(members, key=lambda index: people[index].commits)]
        if any(memo[name] for name in _names(shown)):
            named.update(members)
        else:
            named.update(index for index in members if any(memo[name] for name in _names(people[index])))
    others = set(accounts_of_others({people[index].email for index in named})) if named else set()
    return {index for index in named if people[index].email not in others}


def _key(name: str) -> str | None:
    return full_name(readable(name))


def _names(person: CountedPerson) -> Iterable[str]:
    return (person.name,) if person.name == person.mailmap_name else (person.name, person.mailmap_name)
