"""Read a commit object by the rules of git (2.39) for ``%an``, ``%ae`` and ``%at``. It may be malformed in any way.

- The author is the last ``author`` line of the header. The name ends before the first ``<``, the e-mail at the next
  ``>``: ``A <b <c> d <real@x>`` is named ``A`` at ``b <c``. Without both, name and e-mail are empty.
- The date follows the last ``>``: digits, then a zone, which does not move it. A number that does not fit into 64 bits
  becomes the nearest that does. If git prints no date, a negative number counts as it is, and everything else is
  :data:`UNREADABLE`.
- A NUL ends a line of the header, or the message. A declared ``encoding`` is used if it can decode the whole object.

A commit beyond a limit counts for its author; what is beyond the limit is left out, and the commit is ``trimmed``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from podium.history.encoding.declared import to_utf_8
from podium.history.large_commit import LARGEST_COMMIT, beginning_of
from podium.history.person import NO_PERSON, Person, split_person
from podium.history.trailers.message_trailers import read_mentions

# The date of a commit without one that git can read. It is outside every window.
UNREADABLE = -(2**63)
_LARGEST = 2**63 - 1
_MINUS = ord("-")
# 9999-12-31 23:59:59 UTC.
LATEST = 253_402_300_799

# More make a commit trimmed. The widest merges of real histories have dozens of parents.
MOST_PARENTS = 1000

# Possessive: otherwise each line would take memory, in case the match must be undone. git ignores parents that come
# later, or that end the object.
_PARENTS = re.compile(rb"[^\n]*+\n((?:parent [^\n]*+\n(?!\Z))*+)")
_BLANK = re.compile(rb"[\n\0]{2}")
_DATE = re.compile(rb"[ \t\r]*(-?[0-9]+)[ \t\r]*[+-][0-9]")


class CommitFacts(NamedTuple):
    """The facts that are counted.

    Attributes:
        author: the name as written, and the e-mail in ASCII's lower case, both byte for byte (see
            :mod:`podium.textutil.raw_bytes`).
        when: seconds since the epoch as written, or UNREADABLE.
        named: co-authors and agents, without exactly the author; other names and addresses of the author's are in it.
        roles: pairs of a role's number (:data:`podium.history.roles.ROLES`) and a person.
        parents: the header's lines of parents; of a trimmed commit, at least the first.
        trimmed: the commit is beyond a limit.
    """

    author: Person
    when: int
    is_merge: bool
    named: tuple[Person, ...]
    roles: tuple[tuple[int, Person], ...]
    parents: bytes
    trimmed: bool


# A plain tuple takes half the time to create.
Facts = tuple[Person, int, bool, tuple[Person, ...], tuple[tuple[int, Person], ...], bytes, bool]


def read_commit(raw: bytes, *, is_cut: bool = False) -> CommitFacts:
    """Read a commit object without git's object header.

    is_cut: ``raw`` is what :func:`podium.history.large_commit.beginning_of` keeps of a larger commit.
    """
    if len(raw) > LARGEST_COMMIT:
        raw, is_cut = beginning_of(raw), True
    # Before the NUL and the encoding, as git does.
    match = _PARENTS.match(raw)
    parents = match[1] if match else b""
    number_of_parents = parents.count(b"\n")
    text = to_utf_8(raw, is_cut=is_cut)
    blank = _BLANK.search(text)
    header, message = (text[: blank.start()], text[blank.start() + 1 :]) if blank else (text, b"")
    lines = b"\n" + header.replace(b"\0", b"\n")
    author = lines[lines.rfind(b"\nauthor ") :].split(b"\n", 2)[1][7:] if b"\nauthor " in lines else b""
    close = author.rfind(b">") + 1
    person = split_person(author[:close])
    when = _date(author[close:]) if person else UNREADABLE
    person = person or NO_PERSON
    named, roles, is_short = read_mentions(message).without(person)
    trimmed = is_cut or is_short or number_of_parents > MOST_PARENTS
    return CommitFacts(person, when, number_of_parents > 1, named, roles, parents, trimmed)


def parent_oids(lines: Iterable[bytes]) -> list[bytes]:
    return b"".join(lines).replace(b"parent ", b"").split()


def _date(written: bytes) -> int:
    match = _DATE.match(written)
    if not match:
        return UNREADABLE
    digits = match[1]
    # Python refuses to convert very long numbers.
    number = int(digits) if len(digits) < 30 else (-1 if digits.startswith(b"-") else 1) << 99
    # git reads no "-0".
    return min(max(number, UNREADABLE + 1), _LARGEST) if number or digits[0] != _MINUS else UNREADABLE
