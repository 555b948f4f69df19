"""Saves a count so that no other writer waits long.

A count of the whole history is written under a count id that no reader sees: the lease token. A small one is saved in
one transaction, a larger one in bounded steps. One short transaction then makes it valid, under the lease's fence, if
the head is still the one that the count started from. The rows of the replaced count are removed afterwards, in bounded
steps too.

An incremental count adds to the rows of the valid count, and a segment to its commit log, in one transaction;
:func:`is_small` bounds it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol, TypeVar

from podium.blocks import forgotten_people
from podium.clones.mailmaps.mailmap import Identity
from podium.counting import count_rows
from podium.counting.base_people import NOT_IN_BASE, InBase, with_base_people
from podium.counting.compaction import compact
from podium.counting.count_rows import Pair, PersonRow
from podium.counting.removed_people import NO_ONE, RemovedPeople
from podium.errors import Interrupted, LeaseLost, StorageError
from podium.history.totals import MOST_ROOTS, PersonTotals, Tally
from podium.jobs import batches
from podium.jobs.lease import Lease
from podium.repositories.model import COUNTING_VERSION, Repository
from podium.repositories.store import queries, transitions
from podium.repositories.store.deletion import hidden_counts
from podium.storage.commit_log import segments
from podium.storage.commit_log.codec import encode
from podium.storage.commit_log.segment import LARGEST_SEGMENT
from podium.storage.commit_log.segments import Link
from podium.storage.session import Database, Session
from podium.storage.transactions.retry_transaction import retry_transaction
from podium.storage.transactions.steps import STEP_ROWS, STEP_STATEMENTS, Step, chunked, run_steps

T = TypeVar("T")

# Rows that one transaction adds to the valid count.
_LARGEST_INCREMENT = 10_000
# People and commits of a count of the whole history that one transaction saves.
_MOST_AT_ONCE = 500
_MOST_COMMITS_AT_ONCE = 10_000


class ClassifiedEmails(Protocol):
    """What e-mails alone say about people."""

    @property
    def kinds(self) -> Mapping[str, str]:
        """'bot' or 'agent' for each e-mail that is not a human's."""

    @property
    def can_look_up(self) -> bool:
        """Whether a lookup can follow."""

    def humans(self) -> Collection[str]:
        """The e-mails that are neither a bot's nor an AI agent's."""

    def link_steps(self) -> Iterator[Step]:
        """Link e-mails to the accounts that they name, in bounded steps."""

    def known_rows(self, session: Session, repository_id: int, count_id: int, /) -> list[int]:
        """Return unprocessed rows (``commit_data.id``) that need no lookup."""

    def stale_rows(self, session: Session, repository_id: int, count_id: int, /) -> list[int]:
        """Return rows that must be looked up again."""


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """A finished count.

    repository: as it was when counting began.
    since: the head that the count continued from; None: all of history was counted.
    mailmap: see :attr:`podium.clones.mailmaps.mailmap.Mailmaps.version`.
    identities: mailmap identities of the counted people, and of earlier people who change.
    base: of a range A..B the commit A; None: it is not a range.
    base_tally: the commits that A reaches, if their people are wanted.
    clone_bytes: of the mirror; None for a path.
    removed: the forgotten people among the counted ones.
    """

    repository: Repository
    since: str | None
    head: str
    head_committed_at: int | None
    branch: str | None
    mailmap: str
    tally: Tally
    identities: Mapping[Pair, Identity]
    people: ClassifiedEmails
    base: str | None = None
    base_tally: Tally | None = None
    clone_bytes: int | None = None
    removed: RemovedPeople = NO_ONE

    def author_emails(self) -> set[str]:
        return self.tally.author_emails() - self.removed.gone_emails


def is_small(tally: Tally, identities: Mapping[Pair, Identity]) -> bool:
    """Whether one transaction can add a count to the valid one."""
    return len(identities) <= _LARGEST_INCREMENT and tally.total_commits <= LARGEST_SEGMENT


def save_count(
    db: Database,
    held: Lease,
    count: Count,
    stop: threading.Event,
    on_saved: Callable[[float], None] = lambda _: None,
) -> None:
    """Save a count, link its people, and move the repository to the user stage.

    A step that a fault of the database ends is tried again, so that a restart does not void a count that took an hour.
    If the last step was saved all the same, it finds another head and saves nothing.

    on_saved: called between two steps with the share of a count of the whole history that is saved.

    Raises:
        LeaseLost: the saved totals are not those that the count continued from; readers see nothing of the count.
        StorageError: the database did not answer, several times.
        Interrupted: ``stop`` was set.
    """
    if count.since is None:
        if _fits_one_transaction(count):
            is_left = retry_transaction(lambda: _save_at_once(held, count, stop), stop)
        else:
            written = retry_transaction(lambda: _write(db.read, held.fence, count, stop, on_saved), stop)
            retry_transaction(lambda: _make_valid(held, count, written), stop)
            is_left = True
        # The reconciler removes what is left.
        with contextlib.suppress(StorageError, Interrupted):
            if is_left:
                run_steps(db.write, _removal(count.repository.id, count.repository.count_id), stop)
    else:
        increment = retry_transaction(lambda: _prepare(db, held, count, stop), stop)
        retry_transaction(lambda: _add(held, count, increment), stop)
        compact(db, held, count.repository.count_id)


# --- all of history


class _Written(NamedTuple):
    """The e-mails to look up, and the first number that no person has."""

    emails_left: int
    next_ordinal: int


Begin = Callable[[], contextlib.AbstractContextManager[Session]]


def _fits_one_transaction(count: Count) -> bool:
    return len(count.identities) <= _MOST_AT_ONCE and count.tally.total_commits <= _MOST_COMMITS_AT_ONCE


def _save_at_once(held: Lease, count: Count, stop: threading.Event) -> bool:
    """Save a small count; return whether rows of the replaced one are left."""
    with held.fence() as session:

        def begin() -> contextlib.AbstractContextManager[Session]:
            return contextlib.nullcontext(session)

        # Progress is saved in transactions of its own.
        written = _write(begin, begin, count, stop, lambda _: None)
        _replace(session, count, written)
        return hidden_counts.remove_some(session, count.repository.id, count.repository.count_id)


def _write(
    read: Begin, write: Begin, count: Count, stop: threading.Event, on_saved: Callable[[float], None]
) -> _Written:
    """Write the rows that readers do not see yet.

    Args:
        read, write: begin transactions, or continue one; ``write`` under the lease.
    """
    number, count_id = count.repository.id, count.repository.lease_token
    with write() as session:
        is_new = hidden_counts.hide(session, number, count_id)
    if not is_new:
        run_steps(write, _removal(number, count_id), stop)
        with write() as session:
            hidden_counts.hide(session, number, count_id)
    with read() as session:
        ordinals = _ordinals(session, count)
    run_steps(write, _people_steps(count, count_id, ordinals, on_saved), stop)
    log = segments.insert_steps(number, count_id, count.tally.segments(ordinals), base_oid="", head_oid=count.head)
    run_steps(write, log, stop)
    run_steps(write, count.people.link_steps(), stop)
    with read() as session:
        stale = set(count.people.stale_rows(session, number, count_id))
        known = [row for row in _known_rows(session, count, count_id) if row not in stale]
    run_steps(write, _in_chunks(batches.skip, known, STEP_STATEMENTS), stop)
    with read() as session:
        numbered = batches.number(session, number, count_id)
        left = batches.emails_left(session, number, count_id)
    run_steps(write, _in_chunks(batches.save_numbers, numbered, STEP_STATEMENTS), stop)
    return _Written(left, 1 + max(ordinals.values(), default=-1))


def _ordinals(session: Session, count: Count) -> dict[Pair, int]:
    """Number the counted people. Those of the valid count keep their numbers, because addresses of pages have them.

    Others follow in the order of their first commits, which says nothing about their e-mails.
    """
    known: dict[Pair, int] = {}
    if count.repository.head is not None:
        for some in chunked(count.tally.people(), STEP_ROWS):
            emails = {count.removed.row_of(pair)[1] for pair in some}
            known |= count_rows.ordinals(session, count.repository.id, emails)
    in_base = count.base_tally.people_by_first_commit() if count.base_tally is not None else []
    following = itertools.count(count_rows.next_ordinal(session, count.repository))
    row_of = count.removed.row_of
    return {
        pair: known[row_of(pair)] if row_of(pair) in known else next(following)
        for pair in dict.fromkeys([*count.tally.people_by_first_commit(), *in_base])
    }


def _people_steps(
    count: Count, count_id: int, ordinals: dict[Pair, int], on_saved: Callable[[float], None]
) -> Iterator[Step]:
    saved = 0
    people = (
        (ordinals[person.name, person.email], person, in_base)
        for person, in_base in with_base_people(count.tally, count.base_tally)
    )
    for some in chunked(people, STEP_ROWS):
        # Made before the transaction begins.
        rows = list(_person_rows(count, count_id, some))
        yield functools.partial(_copy_people, rows)
        saved += len(rows)
        # Saving the rest takes a fifth of the time.
        on_saved(0.8 * min(1.0, saved / len(ordinals)))


def _copy_people(rows: list[PersonRow], session: Session) -> None:
    session.copy("commit_data", count_rows.PERSON_COLUMNS, rows)


def _make_valid(held: Lease, count: Count, written: _Written) -> None:
    with held.fence() as session:
        _replace(session, count, written)


def _replace(session: Session, count: Count, written: _Written) -> None:
    tally, repository = count.tally, count.repository
    _check_head(session, count)
    _check_forgotten(session, count)
    _save_counted(
        session,
        count,
        repository.lease_token,
        total=tally.total_commits,
        merges=tally.merge_commits,
        trimmed=tally.trimmed_commits,
        contributors=len(count.author_emails()),
        roots=set(tally.roots),
        next_ordinal=max(repository.next_ordinal, written.next_ordinal),
    )
    hidden_counts.replace(session, repository.id, old=repository.count_id, new=repository.lease_token)
    batches.start(session, repository.id, written.emails_left, is_counted=True)


# --- an increment


@dataclasses.dataclass(frozen=True, slots=True)
class _Increment:
    """What is prepared for an incremental count while its rows are not locked.

    stale: rows to look up again. people: the counted people with their ordinals. segment: the next one of the commit
    log; None: there is no new commit.
    """

    stale: list[int]
    people: list[tuple[int, PersonTotals]]
    segment: tuple[Link, dict[str, bytes]] | None


def _prepare(db: Database, held: Lease, count: Count, stop: threading.Event) -> _Increment:
    """Do beforehand what grows with the repository."""
    number, count_id = count.repository.id, count.repository.count_id
    run_steps(held.fence, count.people.link_steps(), stop)
    with db.read() as session:
        stale = count.people.stale_rows(session, number, count_id)
        settled = [] if count.people.can_look_up else _known_rows(session, count, count_id)
        people = _numbered(session, count)
        chain = segments.links(session, number, count_id)
    run_steps(held.fence, _in_chunks(batches.skip, settled, STEP_STATEMENTS), stop)
    return _Increment(stale, people, _next_segment(count, people, chain))


def _numbered(session: Session, count: Count) -> list[tuple[int, PersonTotals]]:
    """Give the counted people their ordinals. Those of new people stay free as long as the head is the same."""
    number, people = count.repository.id, list(count.tally.persons())
    pairs = [count.removed.row_of((person.name, person.email)) for person in people]
    known = count_rows.ordinals(session, number, {email for _, email in pairs})
    following = itertools.count(count_rows.next_ordinal(session, count.repository))
    return [
        (known[pair] if pair in known else next(following), person) for pair, person in zip(pairs, people, strict=True)
    ]


def _next_segment(
    count: Count, people: list[tuple[int, PersonTotals]], chain: list[Link]
) -> tuple[Link, dict[str, bytes]] | None:
    ordinals = {(person.name, person.email): ordinal for ordinal, person in people}
    made = list(count.tally.segments(ordinals))
    if not made:
        return None
    # is_small() allows no more.
    (segment,) = made
    last = chain[-1].number if chain else 0
    link = Link(last + 1, count.repository.head or "", count.head, segment.commits, is_coarse=False)
    return link, encode(segment)


def _add(held: Lease, count: Count, increment: _Increment) -> None:
    number, count_id, tally = count.repository.id, count.repository.count_id, count.tally
    authors = count.author_emails()
    with held.fence() as session:
        now = _check_head(session, count)
        if now.generation != count.repository.generation:
            raise LeaseLost("People of this repository were forgotten meanwhile: it is counted again.")
        _check_forgotten(session, count)
        new_authors = authors - count_rows.authors_among(session, number, authors)
        people = ((ordinal, person, NOT_IN_BASE) for ordinal, person in increment.people)
        session.executemany(count_rows.ADD_PERSON, _person_rows(count, count_id, people))
        if increment.segment is not None:
            segments.insert(session, number, count_id, *increment.segment)
        identities = {pair: found for pair, found in count.identities.items() if pair not in count.removed.stored}
        count_rows.save_identities(session, number, identities)
        batches.release_all(session, number)
        batches.skip(session, _known_rows(session, count, count_id))
        batches.reopen(session, increment.stale)
        _save_counted(
            session,
            count,
            count_id,
            total=(now.total_commits or 0) + tally.total_commits,
            merges=(now.merge_commits or 0) + tally.merge_commits,
            trimmed=now.trimmed_commits + tally.trimmed_commits,
            contributors=(now.unique_contributors or 0) + len(new_authors),
            roots={*queries.roots(session, number), *tally.roots},
            next_ordinal=max(now.next_ordinal, 1 + max((ordinal for ordinal, _ in increment.people), default=-1)),
        )
        batches.assign(session, number, count_id, is_counted=True)


# --- both


def _person_rows(
    count: Count, count_id: int, people: Iterable[tuple[int, PersonTotals, InBase]]
) -> Iterator[PersonRow]:
    number, identities, kinds = count.repository.id, count.identities, count.people.kinds
    removed = count.removed
    for ordinal, person, in_base in people:
        pair = person.name, person.email
        if pair in removed.stored:
            yield count_rows.person_row(
                *(number, count_id, removed.totals_of(person), removed.identity_of(pair)),
                in_base=in_base,
                ordinal=ordinal,
                kind="human",
                processed=True,
            )
            continue
        identity = identities[pair]
        kind = "agent" if person.is_agent else kinds.get(person.email, "human")
        # No host is asked for people who only have roles.
        processed = person.role_only or not count.people.can_look_up
        yield count_rows.person_row(
            *(number, count_id, person, identity), in_base=in_base, ordinal=ordinal, kind=kind, processed=processed
        )


def _known_rows(session: Session, count: Count, count_id: int) -> list[int]:
    return count.people.known_rows(session, count.repository.id, count_id)


def _check_forgotten(session: Session, count: Count) -> None:
    """A person who is forgotten later is looked for after this transaction, whose rows are there then."""
    if forgotten_people.is_changed(session, count.removed.forgotten):
        raise LeaseLost("People were forgotten meanwhile: the repository is counted again.")


def _check_head(session: Session, count: Count) -> Repository:
    now = queries.by_id(session, count.repository.id)
    if now is None or now.head != count.repository.head:
        raise LeaseLost("Another worker has counted this repository meanwhile.")
    return now


def _save_counted(
    session: Session,
    count: Count,
    count_id: int,
    *,
    total: int,
    merges: int,
    trimmed: int,
    contributors: int,
    roots: Collection[str],
    next_ordinal: int,
) -> None:
    is_saved = transitions.save_counted(
        session,
        count.repository,
        head=count.head,
        head_committed_at=count.head_committed_at,
        branch=count.branch,
        base=count.base,
        mailmap=count.mailmap,
        version=COUNTING_VERSION,
        total=total,
        merges=merges,
        trimmed=trimmed,
        contributors=contributors,
        roots=sorted(roots)[:MOST_ROOTS],
        next_ordinal=next_ordinal,
        count_id=count_id,
    )
    if not is_saved:
        raise LeaseLost("Another worker has taken this repository over.")
    if count.clone_bytes is not None:
        transitions.save_clone_size(session, count.repository.id, count.clone_bytes)


def _removal(repository_id: int, count_id: int) -> Iterator[Step]:
    is_more = True

    def remove(session: Session) -> None:
        nonlocal is_more
        is_more = hidden_counts.remove_some(session, repository_id, count_id)

    while is_more:
        yield remove


def _in_chunks(write: Callable[[Session, list[T]], object], rows: Iterable[T], size: int) -> Iterator[Step]:
    for some in chunked(rows, size):
        # Run before the next one is made.
        yield lambda session: write(session, some)  # noqa: B023
