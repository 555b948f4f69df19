"""From the bytes of a commit object to its facts. Pure.

Everything in a commit is what its author's machine wrote, so nothing is well-formed by right. The rules follow what
git itself (2.39) prints for ``%an``, ``%ae`` and ``%at``:

- The author is the last ``author`` line of the header. The name ends before the first ``<``, the e-mail at the next
  ``>``: ``A <b <c> d <real@x>`` is named ``A`` at ``b <c``. Without both, name and e-mail are empty.
- The date is what follows the last ``>``: digits, then a zone. The zone does not move it. Where git prints no date
  (none, no zone, a negative one) a negative one is read as the number it is, anything else as 0, both marked odd.
- A date is clamped to the years that a calendar can say, and marked odd where that changed it.
- In the header a NUL ends a line, in the message it ends everything. A declared ``encoding`` is honoured where all of
  the object can be decoded by it; bytes that are not UTF-8 are replaced.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple

from podium.history.trailers import trailer_values

# Sunday 0001-01-07 00:00, the first week that begins in year 1, and 9999-12-31 23:59:59, both UTC.
EARLIEST = -62_135_078_400
LATEST = 253_402_300_799

_BLANK = re.compile(rb"[\n\0]{2}")
_DATE = re.compile(rb"[ \t\r]*(-?[0-9]+)[ \t\r]*[+-][0-9]")
_ENCODING = re.compile(rb"^encoding (.{1,40})$", re.MULTILINE)
# Encodings in which ASCII stays ASCII, or nearly: only these can hold a commit. Others that Python knows are costly
# to decode (idna), no encodings of text, or would turn the header itself into noise (UTF-16, EBCDIC). Asking Python
# about any name that a commit declares would also fill its cache of names.
_ENCODINGS = re.compile(
    r"(?:us-?)?ascii|iso-?8859-?\d\d?|latin-?\d\d?|(?:windows-?|cp)125\d|cp(?:437|8[5-7]\d|932|949|950)|koi8-?[rtu]"
    r"|tis-?620|johab|hz|big5(?:-?hkscs)?|euc-?(?:jp|kr|tw|cn|jis-?2004|jisx0213)|gb(?:2312|k|18030)"
    r"|(?:shift-?|s)jis(?:-?2004|x0213)?|iso-?2022-?(?:jp(?:-?[123]|-?2004|-?ext)?|kr)"
)

# A commit larger than this is read up to here: its author counts, trailers behind the cut do not.
LARGEST_COMMIT = 1 << 20

# Bytes of a name or an e-mail that are kept: a commit may hold megabytes of either, and every board would carry them.
LONGEST_TEXT = 500

Person = tuple[str, str]
NO_PERSON: Person = ("", "")


class CommitFacts(NamedTuple):
    """What is counted of a commit.

    Attributes:
        author: the author's name as written, and e-mail in lower case.
        when: the author date, seconds since the epoch, within EARLIEST..LATEST.
        odd_date: whether the date is missing, negative or was clamped.
        is_merge: whether it has two parents or more.
        co_authors: (name, e-mail in lower case) of each co-author, once an e-mail, never the author's own.
        parents: the header's lines that name its parents.
    """

    author: Person
    when: int
    odd_date: bool
    is_merge: bool
    co_authors: tuple[Person, ...]
    parents: bytes


# The same as a plain tuple, which takes half the time to make.
Facts = tuple[Person, int, bool, bool, tuple[Person, ...], bytes]


def read_commit(raw: bytes) -> CommitFacts:
    """The facts of any commit object, given without git's object header."""
    # git looks for parents before it looks for a NUL or an encoding.
    parents = _leading_parents(raw)
    text = _recoded(raw)
    blank = _BLANK.search(text)
    header, message = (text[: blank.start()], text[blank.start() + 1 :]) if blank else (text, b"")
    lines = header.replace(b"\0", b"\n").split(b"\n")
    author = next((line for line in reversed(lines) if line.startswith(b"author ")), b"")[7:]
    close = author.rfind(b">") + 1
    person = split_person(author[:close])
    when, odd_date = _date(author[close:]) if person else (0, True)
    person = person or NO_PERSON
    return CommitFacts(person, when, odd_date, len(parents) > 1, _co_authors(message, person[1]), b"".join(parents))


def _co_authors(message: bytes, author_email: str) -> tuple[Person, ...]:
    found: dict[str, str] = {}
    for value in trailer_values(message, b"co-authored-by"):
        name, email = split_person(value) or NO_PERSON
        if email.strip() and email != author_email:
            found.setdefault(email, name)
    return tuple((name, email) for email, name in found.items())


def _leading_parents(raw: bytes) -> list[bytes]:
    """The lines of the parents that follow the tree; git takes none that comes later, or that ends the object."""
    lines = raw.partition(b"\n\n")[0].split(b"\n")[1:]
    found: list[bytes] = []
    left = len(raw) - raw.find(b"\n") - 1
    for line in lines:
        left -= len(line) + 1
        if not line.startswith(b"parent ") or left <= 0:
            break
        found.append(line + b"\n")
    return found


def parent_oids(lines: Iterable[bytes]) -> list[bytes]:
    """The oids of parents in the header lines that name them, each as often as it is written."""
    return b"".join(lines).replace(b"parent ", b"").split()


def split_person(written: bytes) -> Person | None:
    """``Name <e-mail>`` → (name, e-mail in lower case), or None where git finds no person in it."""
    name, opened, rest = written.partition(b"<")
    email, closed, _ = rest.partition(b">")
    if not opened or not closed:
        return None
    name, email = _bounded(name.rstrip(b" \t\n\r")), _bounded(email)
    return name.decode("utf-8", "replace"), email.decode("utf-8", "replace").lower()


def _bounded(text: bytes) -> bytes:
    """``text``, or where it is longer than any name its beginning and a hash, so that two people stay two."""
    if len(text) <= LONGEST_TEXT:
        return text
    return text[: LONGEST_TEXT - 20] + b"..." + hashlib.sha256(text).hexdigest()[:16].encode()


def _date(written: bytes) -> tuple[int, bool]:
    match = _DATE.match(written)
    if not match:
        return 0, True
    digits = match[1]
    # More digits than any date has would cost time to convert, or be refused by Python.
    negative = digits.startswith(b"-")
    number = int(digits) if len(digits) < 30 else (-1 if negative else 1) * 10**30
    when = min(max(number, EARLIEST), LATEST)
    return when, negative or when != number


def _recoded(raw: bytes) -> bytes:
    """``raw`` in UTF-8, where its header declares another encoding that decodes it, up to the first NUL."""
    text = raw.partition(b"\0")[0]
    declared = _ENCODING.search(text.partition(b"\n\n")[0])
    name = declared[1].decode("ascii", "replace").lower().replace("_", "-") if declared else ""
    if not _ENCODINGS.fullmatch(name):
        return raw
    try:
        return text.decode(name).encode()
    except (LookupError, ValueError):  # a name that Python does not know after all, or bytes that do not fit it
        return raw
