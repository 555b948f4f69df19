"""The people and agents that the trailers of one commit name."""

from __future__ import annotations

from typing import NamedTuple

from podium.history.person import Person, split_person
from podium.history.roles import ROLES
from podium.history.trailers.agent_values import agent_of

# People and agents of a commit, and as many pairs of role and person. More make a commit trimmed.
MOST_NAMED = 100

# Stands in place of a role for a co-author or an agent.
NAMED = -1
# A role's number or NAMED, and who is named.
Mention = tuple[int, Person]

_AGENT_KEYS = (b"assisted-by", b"generated-by")
_NUMBERS = {b"co-authored-by": NAMED} | {
    role.replace("_", "-").encode() + b"-by": number for number, role in enumerate(ROLES)
}
# The keys that are read, in lower case.
KEYS = frozenset((*_NUMBERS, *_AGENT_KEYS))


class Mentions(NamedTuple):
    """Who is named, each once, in the order of the message.

    Attributes:
        named: co-authors and agents; every address and name of a person is one of its own.
        roles: pairs of a role's number (:data:`podium.history.roles.ROLES`) and a person.
        is_cut: more are named than :data:`MOST_NAMED`, or the message has too many lines.
    """

    named: tuple[Person, ...]
    roles: tuple[Mention, ...]
    is_cut: bool

    def without(self, author: Person) -> Mentions:
        """Leave exactly this author out of those named."""
        if author not in self.named:
            return self
        return Mentions(tuple([each for each in self.named if each != author]), self.roles, self.is_cut)


NO_MENTIONS = Mentions((), (), False)


def mention_of(key: bytes, value: bytes) -> Mention | None:
    """Read the unfolded value of a trailer whose key is one of :data:`KEYS`.

    A co-author, and a person with a role, is named by ``Name <e-mail>``: a value without an e-mail names no one. An
    agent is named as :func:`agent_of` says; a person with ``Assisted-by`` has no role.
    """
    if key in _AGENT_KEYS:
        agent = agent_of(value)
        return (NAMED, agent) if agent else None
    person = split_person(value)
    return (_NUMBERS[key], person) if person and person[1].strip() else None


def mentions_of(found: list[Mention], *, is_cut: bool = False) -> Mentions:
    """Collect the mentions of a commit."""
    if len(found) > 1:
        found = list(dict.fromkeys(found))
    named = tuple([person for number, person in found if number == NAMED])
    roles = tuple([each for each in found if each[0] != NAMED] if named else found)
    if len(found) > MOST_NAMED:
        is_cut = is_cut or len(named) > MOST_NAMED or len(roles) > MOST_NAMED
        named, roles = named[:MOST_NAMED], roles[:MOST_NAMED]
    return Mentions(named, roles, is_cut)
