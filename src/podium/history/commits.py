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
from typing import NamedTuple

from podium.history.trailers import trailer_values

# Sunday 0001-01-07 00:00, the first week that begins in year 1, and 9999-12-31 23:59:59, both UTC.
EARLIEST = -62_135_078_400
LATEST = 253_402_300_799

# Behind the parents: what git itself writes, with a date that any calendar can say.
_USUAL = re.compile(rb"author ([^\n\0<]*<[^\n\0>]*>) ([0-9]{1,11}) [+-][0-9]{4}\ncommitter [^\n\0]*\n")
_ODD_HEADER = re.compile(rb"\n(?:author|encoding) |\0")
# "tree ", up to 64 digits and a line break.
_LONGEST_TREE = 70
_BLANK = re.compile(rb"[\n\0]{2}")
_DATE = re.compile(rb"[ \t\r]*(-?[0-9]+)[ \t\r]*[+-][0-9]")
# A trailer begins its line, and the first line of a message is none. Spelled out, this is twice as fast as with
# re.IGNORECASE.
_CO_AUTHORED = re.compile(rb"\n[Cc][Oo]-[Aa][Uu][Tt][Hh][Oo][Rr][Ee][Dd]-[Bb][Yy]")
_ENCODING = re.compile(rb"^encoding (.{1,40})$", re.MULTILINE)
# Encodings in which ASCII stays ASCII, or nearly: only these can hold a commit. Others that Python knows are costly
# to decode (idna), no encodings of text, or would turn the header itself into noise (UTF-16, EBCDIC). Asking Python
# about any name that a commit declares would also fill its cache of names.
_ENCODINGS = re.compile(
    r"(?:us-?)?ascii|iso-?8859-?\d\d?|latin-?\d\d?|(?:windows-?|cp)125\d|cp(?:437|8[5-7]\d|932|949|950)|koi8-?[rtu]"
    r"|tis-?620|johab|hz|big5(?:-?hkscs)?|euc-?(?:jp|kr|tw|cn|jis-?2004|jisx0213)|gb(?:2312|k|18030)"
    r"|(?:shift-?|s)jis(?:-?2004|x0213)?|iso-?2022-?(?:jp(?:-?[123]|-?2004|-?ext)?|kr)"
)

# Bytes of a name or an e-mail that are kept: a commit may hold megabytes of either, and every board would carry them.
LONGEST_TEXT = 500

Person = tuple[str, str]
NOBODY: Person = ("", "")


class CommitFacts(NamedTuple):
    """What is counted of a commit.

    Attributes:
        author: the author's name as written, and e-mail in lower case.
        when: the author date, seconds since the epoch, within EARLIEST..LATEST.
        odd_date: whether the date is missing, negative or was clamped.
        is_merge: whether it has two parents or more.
        co_authors: (name, e-mail in lower case) of each co-author, once an e-mail, never the author's own.
    """

    author: Person
    when: int
    odd_date: bool
    is_merge: bool
    co_authors: tuple[Person, ...]


class CommitReader:
    """Reads commits, and remembers each way in which a person was written, for speed."""

    def __init__(self) -> None:
        self._people: dict[bytes, Person] = {}

    def read(self, raw: bytes) -> CommitFacts:
        """The facts of the commit object ``raw`` (without git's object header)."""
        # Nearly every commit is as git writes them, and is read in this one function: calls cost the most here.
        at = raw.find(b"\n", 0, _LONGEST_TREE) + 1
        width = at + 2
        first = at
        while raw.startswith(b"parent ", at):
            at += width
        match = _USUAL.match(raw, at)
        if match is None:
            return self._read_odd(raw)
        written, date = match.groups()
        end = match.end()
        if raw[end : end + 1] != b"\n":
            # A signature, a tag that was merged, an encoding, another author …
            more = raw.find(b"\n\n", end)
            if more < 0 or _ODD_HEADER.search(raw, end - 1, more):
                return self._read_odd(raw)
            end = more + 1
        try:
            person = self._people[written]
        except KeyError:
            person = self._people[written] = split_person(written) or NOBODY
        when = int(date)
        is_merge = at - first > width
        co_authors = self._co_authors(raw[end:], person[1]) if _CO_AUTHORED.search(raw, end) else ()
        # What CommitFacts(...) does, in half the time.
        return tuple.__new__(CommitFacts, (person, when, False, is_merge, co_authors))

    def _read_odd(self, raw: bytes) -> CommitFacts:
        """The same for any bytes at all."""
        # Parents are found before git looks for NULs or recodes the object.
        is_merge = _leading_parents(raw.split(b"\n\n", 1)[0].split(b"\n")) > 1
        text = _recoded(raw)
        blank = _BLANK.search(text)
        header, message = (text[: blank.start()], text[blank.start() + 1 :]) if blank else (text, b"")
        lines = header.replace(b"\0", b"\n").split(b"\n")
        author = next((line for line in reversed(lines) if line.startswith(b"author ")), b"")[7:]
        close = author.rfind(b">") + 1
        person = split_person(author[:close])
        when, odd = _date(author[close:]) if person else (0, True)
        co_authors = self._co_authors(message, (person or NOBODY)[1])
        return CommitFacts(person or NOBODY, when, odd, is_merge, co_authors)

    def _co_authors(self, message: bytes, author_email: str) -> tuple[Person, ...]:
        found: dict[str, str] = {}
        for value in trailer_values(message, b"co-authored-by"):
            name, email = split_person(value) or NOBODY
            if email.strip() and email != author_email:
                found.setdefault(email, name)
        return tuple((name, email) for email, name in found.items())


def _leading_parents(header: list[bytes]) -> int:
    """How many parents follow the tree; git takes none that comes later."""
    number = 0
    while number + 1 < len(header) and header[number + 1].startswith(b"parent "):
        number += 1
    return number


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
