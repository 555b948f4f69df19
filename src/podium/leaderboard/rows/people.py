"""The people of a repository in memory.

Rows are loaded into columns once per count, so that a board of tens of thousands of people answers each switch, window
and search at once.
"""

from __future__ import annotations

import dataclasses
import itertools
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from podium.bots.tools import BUILT_IN, Bots, Kind
from podium.repositories.store.queries import OF_VALID_COUNT
from podium.repositories.stored_person import is_removed
from podium.storage.session import Session
from podium.textutil.raw_bytes import readable

COUNTS = ("commit_count", "merge_count")
COMMITS, MERGES = range(2)

# The identity of all people who were removed on request: they are one group, which says nothing of how many they are.
REMOVED = "<>"

# Rows of one query, which bounds its memory.
_CHUNK = 10_000

_PEOPLE = f"""
SELECT id, ordinal, email, name, mailmap_email, mailmap_name, mailmap_identity, mailmap_source, kind, role_only,
    {", ".join(COUNTS)}, base_commit_count, base_merge_count, base_named
FROM commit_data
WHERE {OF_VALID_COUNT} AND (email, name) > (:email, :name)
ORDER BY email, name
LIMIT :chunk"""
_FIRST_PEOPLE = _PEOPLE.replace("AND (email, name) > (:email, :name)", "")
_COLUMNS = 10 + len(COUNTS) + 3


@dataclasses.dataclass(frozen=True, slots=True)
class People:
    """One person for each (e-mail, name as written), each field a column; a person is an index.

    Attributes:
        ids: ``commit_data.id``.
        exact_emails: byte for byte (:mod:`podium.textutil.raw_bytes`), to compare; never shown.
        mailmap_sources: "own" (the user's), "repository", or "" if no mailmap names the person.
        ordinals: the persons' numbers in the commit log.
        kinds: "human", "bot" or "agent"; "removed" for people who were removed on request, whose texts are empty.
        role_only: whether a person only has roles, such as reviewer, and is neither author nor co-author.
        counts: in the order of :data:`COUNTS`.
        ever: the same with the commits that a range leaves out.
        were_authors, were_named: of the commits that a range leaves out, the authors, and those whom others name as
            co-author; empty unless a board of new people was wanted.
    """

    ids: list[int]
    ordinals: list[int]
    exact_emails: list[str]
    emails: list[str]
    names: list[str]
    mailmap_emails: list[str]
    mailmap_names: list[str]
    identities: list[str]
    mailmap_sources: list[str]
    kinds: Sequence[Kind | Literal["removed"]]
    role_only: list[bool]
    counts: tuple[list[int], ...]
    ever: tuple[list[int], ...]
    were_authors: frozenset[int] = frozenset()
    were_named: frozenset[int] = frozenset()

    @property
    def size(self) -> int:
        text = sum(len(email) + len(name) for email, name in zip(self.emails, self.names, strict=True))
        return 300 * len(self.ids) + 2 * text


def load_people(session: Session, repository_id: int, check: Callable[[], None], bots: Bots = BUILT_IN) -> People:
    """Load the people; ``check`` is called between chunks, and may raise an error."""
    rows = []
    for chunk in _people(session, repository_id):
        check()
        rows += chunk
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(_COLUMNS)]
    ids, ordinals, exact_emails, names, mailmap_emails, mailmap_names, identities, *rest = columns
    sources, kinds, role_only, *rest = rest
    counts, (*base_counts, base_named) = rest[: len(COUNTS)], rest[len(COUNTS) :]
    were_authors = frozenset(person for person, numbers in enumerate(zip(*base_counts, strict=True)) if any(numbers))
    # The list may have changed since the count.
    kinds = list(map(bots.kind_of, exact_emails, kinds))
    for person in [person for person, email in enumerate(exact_emails) if is_removed(email)]:
        for texts in (exact_emails, names, mailmap_emails, mailmap_names, sources):
            texts[person] = ""
        identities[person], kinds[person] = REMOVED, "removed"
    emails, names, mailmap_emails, mailmap_names = map(_readable, (exact_emails, names, mailmap_emails, mailmap_names))
    return People(
        ids,
        ordinals,
        exact_emails,
        emails,
        names,
        # Usually equal: share the string.
        [a if a != b else b for a, b in zip(mailmap_emails, emails, strict=True)],
        [a if a != b else b for a, b in zip(mailmap_names, names, strict=True)],
        [a if a != b else b for a, b in zip(identities, exact_emails, strict=True)],
        sources,
        kinds,
        list(map(bool, role_only)),
        tuple(counts),
        tuple(_sums(*each) for each in zip(counts, base_counts, strict=True)) if were_authors else tuple(counts),
        were_authors,
        frozenset(itertools.compress(range(len(ids)), base_named)),
    )


def _sums(counts: list[int], base_counts: list[int]) -> list[int]:
    return list(map(operator.add, counts, base_counts))


def _readable(texts: list[str]) -> list[str]:
    return [text if text.isascii() else readable(text) for text in texts]


def _people(session: Session, repository_id: int) -> Iterator[list[tuple[Any, ...]]]:
    chunk = session.tuples(_FIRST_PEOPLE, id=repository_id, chunk=_CHUNK)
    while chunk:
        yield chunk
        if len(chunk) < _CHUNK:
            return
        _, _, email, name, *_ = chunk[-1]
        chunk = session.tuples(_PEOPLE, id=repository_id, email=email, name=name, chunk=_CHUNK)
