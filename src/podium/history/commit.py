"""Read a commit object by the rules of git (2.39) for ``%an``, ``%ae`` and ``%at``. It may be malformed in any way.

- The author is the last ``author`` line of the header. The name ends before the first ``<``, the e-mail at the next
  ``>``: ``A <b <c> d <real@x>`` is named ``A`` at ``b <c``. Without both, name and e-mail are empty.
- The date follows the last ``>``: digits, then a zone, which does not move it. If git prints no date, a negative number
  counts as it is and everything else as 0, both marked odd. So is a date that is clamped to the calendar's years.
- A NUL ends a line of the header, or the message. A declared ``encoding`` is used if it can decode the whole object.

A commit beyond a limit counts for its author; what is beyond the limit is left out, and the commit is ``trimmed``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple

from podium.history.encoding.declared import to_utf_8
from podium.history.large_commit import LARGEST_COMMIT, beginning_of
from podium.history.trailers import read_trailers
from podium.textutil.raw_bytes import from_bytes

# The first week that begins in year 1, and 9999-12-31 23:59:59, both UTC.
EARLIEST = -62_135_078_400
LATEST = 253_402_300_799

# More make a commit trimmed. The widest merges of real histories have dozens of parents.
MOST_PARENTS = 1000
MOST_CO_AUTHORS = 100

# Possessive: otherwise each line would take memory, in case the match must be undone. git ignores parents that come
# later, or that end the object.
_PARENTS = re.compile(rb"[^\n]*+\n((?:parent [^\n]*+\n(?!\Z))*+)")
_BLANK = re.compile(rb"[\n\0]{2}")
_DATE = re.compile(rb"[ \t\r]*(-?[0-9]+)[ \t\r]*[+-][0-9]")

# Bytes: a commit may contain a name of megabytes, which every board would carry.
LONGEST_TEXT = 500

Person = tuple[str, str]
NO_PERSON: Person = ("", "")


class CommitFacts(NamedTuple):
    """The facts that are counted.

    Attributes:
        author: the name as written, and the e-mail in ASCII's lower case, both byte for byte (see
            :mod:`podium.textutil.raw_bytes`).
        when: seconds since the epoch, within EARLIEST..LATEST.
        odd_date: the date is missing, negative or was clamped.
        co_authors: once per e-mail, without the author's own.
        parents: the header's lines of parents; of a trimmed commit, at least the first.
        trimmed: the commit is beyond a limit.
    """

    author: Person
    when: int
    odd_date: bool
    is_merge: bool
    co_authors: tuple[Person, ...]
    parents: bytes
    trimmed: bool


# A plain tuple takes half the time to create.
Facts = tuple[Person, int, bool, bool, tuple[Person, ...], bytes, bool]


def read_commit(raw: bytes, *, is_cut: bool = False) -> CommitFacts:
    """Read a commit object without git's object header.

    is_cut: ``raw`` is the :func:`beginning_of <podium.history.large_commit.beginning_of>` a larger commit.
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
    when, odd_date = _date(author[close:]) if person else (0, True)
    person = person or NO_PERSON
    co_authors, is_short = _co_authors(message, person[1])
    trimmed = is_cut or is_short or number_of_parents > MOST_PARENTS
    return CommitFacts(person, when, odd_date, number_of_parents > 1, co_authors, parents, trimmed)


def _co_authors(message: bytes, author_email: str) -> tuple[tuple[Person, ...], bool]:
    """Also return whether some were left out."""
    found: dict[str, str] = {}
    values, is_cut = read_trailers(message, b"co-authored-by")
    for value in values:
        name, email = split_person(value) or NO_PERSON
        if not email.strip() or email == author_email or email in found:
            continue
        if len(found) == MOST_CO_AUTHORS:
            is_cut = True
            break
        found[email] = name
    return tuple((name, email) for email, name in found.items()), is_cut


def parent_oids(lines: Iterable[bytes]) -> list[bytes]:
    return b"".join(lines).replace(b"parent ", b"").split()


def split_person(written: bytes) -> Person | None:
    """None if git finds no person in it. The e-mail is lower-cased in ASCII only, as git's mailmap compares."""
    name, opened, rest = written.partition(b"<")
    email, closed, _ = rest.partition(b">")
    if not opened or not closed:
        return None
    name, email = _bounded(name.rstrip(b" \t\n\r")), _bounded(email)
    # bytes.lower() changes ASCII only: a Kelvin sign is no k.
    return from_bytes(name), from_bytes(email.lower())


def _bounded(text: bytes) -> bytes:
    """A beginning and a hash, so that two people stay two."""
    if len(text) <= LONGEST_TEXT:
        return text
    return text[: LONGEST_TEXT - 20] + b"..." + hashlib.sha256(text).hexdigest()[:16].encode()


def _date(written: bytes) -> tuple[int, bool]:
    match = _DATE.match(written)
    if not match:
        return 0, True
    digits = match[1]
    # Python refuses to convert very long numbers.
    negative = digits.startswith(b"-")
    number = int(digits) if len(digits) < 30 else (-1 if negative else 1) * 10**30
    when = min(max(number, EARLIEST), LATEST)
    return when, negative or when != number
