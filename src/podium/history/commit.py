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
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from podium.history.trailers import trailer_values

# Sunday 0001-01-07 00:00, the first week that begins in year 1, and 9999-12-31 23:59:59, both UTC.
EARLIEST = -62_135_078_400
LATEST = 253_402_300_799

# A commit as git itself writes it, with a date that any calendar can say: its parents, author, date, and a line break
# where the header ends behind the committer.
_USUAL = (
    rb"tree [0-9a-f]{%d}+\n((?:parent .{%d}\n)*+)author ([^\n\0<]*+<[^\n\0>]*+>) ([0-9]{1,11}+) [+-][0-9]{4}\n"
    rb"committer [^\n\0]*+\n(\n?)"
)
# The same for commits without a NUL and with a tree that is named in hexadecimal digits, which is seen of many at once:
# what need not look at each byte for several others takes half the time. An author line without a person may be taken
# together with the next; the line break in it tells.
_CLEAN = (
    rb"tree .{%d}\n((?:parent .{%d}\n)*+)author ([^<]*+<[^>]*+>) ([0-9]{1,11}+) [+-][0-9]{4}\n"
    rb"committer [^\n]*+\n(\n?)"
)
_HEXADECIMAL = b"0123456789abcdef"
# Without this git takes an object for no commit, and walks no further.
_TREE = rb"tree [0-9a-fA-F]{%d}\n"
# Where a line of a header begins that does not go on with the one before.
_LINE = re.compile(rb"\n[^ ]")
_LINE_BREAK = ord("\n")
# An ``author`` or ``encoding`` line may begin so.
_COUNTED = b"ae"
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

# A commit larger than this is read up to here: its author counts, trailers behind the cut do not.
LARGEST_COMMIT = 1 << 20

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
        parents: the header's lines that name its parents.
    """

    author: Person
    when: int
    odd_date: bool
    is_merge: bool
    co_authors: tuple[Person, ...]
    parents: bytes


# The same without the names of the fields, which takes half the time to make.
Facts = tuple[Person, int, bool, bool, tuple[Person, ...], bytes]


class CommitReader:
    """Reads commits, and remembers each way in which a person was written, for speed.

    ``digits`` of an object's name: 40, or 64 with SHA-256. ``bogus`` is how many objects git itself refuses to take for
    commits.
    """

    def __init__(self, digits: int = 40) -> None:
        self.bogus = 0
        self._people: dict[bytes, Person] = {}
        self._tree = re.compile(_TREE % digits).match
        self._usual = re.compile(_USUAL % (digits, digits), re.DOTALL).match
        self._clean = re.compile(_CLEAN % (digits, digits), re.DOTALL).match
        self._name_of_tree = slice(len("tree "), len("tree ") + digits)
        self._one_parent = len("parent ") + digits + 1

    def read(self, raw: bytes) -> CommitFacts:
        """The facts of the commit object ``raw`` (without git's object header)."""
        return CommitFacts(*self.read_all([raw])[0])

    def read_all(self, raws: Sequence[bytes]) -> list[Facts]:
        """The facts of each commit object, in the order of :class:`CommitFacts`."""
        # Nearly every commit is as git writes them, and is read in this one loop: calls cost the most here.
        usual = self._clean if self._are_clean(raws) else self._usual
        people, one_parent = self._people, self._one_parent
        found: list[Facts] = []
        for raw in raws:
            match = usual(raw)
            if match is None:
                found.append(self._read_odd(raw))
                continue
            parents, written, date, blank = match.groups()
            end = match.end()
            if not blank:
                # A signature, a tag that was merged …
                end = _end_of_header(raw, end)
                if end < 0:
                    found.append(self._read_odd(raw))
                    continue
            try:
                person = people[written]
            except KeyError:
                if b"\n" in written:
                    found.append(self._read_odd(raw))
                    continue
                person = people[written] = split_person(written) or NOBODY
            co_authors = self._co_authors(raw[end - 1 :], person[1]) if _CO_AUTHORED.search(raw, end - 1) else ()
            found.append((person, int(date), False, len(parents) > one_parent, co_authors, parents))
        return found

    def _are_clean(self, raws: Sequence[bytes]) -> bool:
        """Whether the quicker pattern may be used for these."""
        names = b"".join([raw[self._name_of_tree] for raw in raws])
        return not names.translate(None, _HEXADECIMAL) and b"\0" not in b"".join(raws)

    def _read_odd(self, raw: bytes) -> Facts:
        """The same for any bytes at all."""
        # Parents are found before git looks for NULs or recodes the object.
        parents = _leading_parents(raw)
        self.bogus += self._tree(raw) is None
        text = _recoded(raw)
        blank = _BLANK.search(text)
        header, message = (text[: blank.start()], text[blank.start() + 1 :]) if blank else (text, b"")
        lines = header.replace(b"\0", b"\n").split(b"\n")
        author = next((line for line in reversed(lines) if line.startswith(b"author ")), b"")[7:]
        close = author.rfind(b">") + 1
        person = split_person(author[:close])
        when, odd = _date(author[close:]) if person else (0, True)
        co_authors = self._co_authors(message, (person or NOBODY)[1])
        return person or NOBODY, when, odd, len(parents) > 1, co_authors, b"".join(parents)

    def _co_authors(self, message: bytes, author_email: str) -> tuple[Person, ...]:
        found: dict[str, str] = {}
        for value in trailer_values(message, b"co-authored-by"):
            name, email = split_person(value) or NOBODY
            if email.strip() and email != author_email:
                found.setdefault(email, name)
        return tuple((name, email) for email, name in found.items())


def _end_of_header(raw: bytes, at: int) -> int:
    """Where the message begins, if the lines of the header from ``at`` on say nothing that is counted; else -1."""
    begun = at
    while line := _LINE.search(raw, at - 1):
        at = line.end()
        first = raw[at - 1]
        if first == _LINE_BREAK:
            return at if raw.find(b"\0", begun, at) < 0 else -1
        if first in _COUNTED:
            break
        at += 1
    return -1


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


def parent_names(lines: Iterable[bytes]) -> list[bytes]:
    """The names of parents in the lines of headers that name them, each as often as it is written."""
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
