"""Forget a person: off every board, and out of every row, now and after each later count.

First the hashes of what names the person are saved. From then on, no count and no look-up saves the person. Then the
repositories are compared one after another; a worker continues where that is interrupted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from podium.audit import audit_log
from podium.blocks import forgotten_people
from podium.blocks.forgotten_in_repository import CountedPerson, RemovedRows, forgotten_among
from podium.blocks.forgotten_people import ForgottenPeople
from podium.blocks.other_accounts import emails_with_accounts
from podium.bots.noreply import noreply_account
from podium.errors import BadRule, NotFound
from podium.forgetting.forget_repository import NOTHING_KEPT, Kept
from podium.repositories.store import queries
from podium.repositories.store.deletion import forgotten_rows
from podium.repositories.store.queue import leases
from podium.repositories.stored_person import StoredPerson, is_removed
from podium.storage.session import Database, Session
from podium.storage.transactions.steps import STEP_STATEMENTS, chunked

_LONGEST = 500
# Repositories that are looked up at a time.
_AT_A_TIME = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Forgotten:
    """``person``: the hash by which logs name the person. ``repositories``: those with the person's own e-mails."""

    person: str
    repositories: list[int]


@dataclasses.dataclass(frozen=True, slots=True)
class _Named:
    """What a login or an e-mail names: hashes; known e-mails; accounts by their rows."""

    hashes: set[str]
    emails: set[str]
    contributors: set[int]


def forget_person(
    db: Database, text: str, *, github_host: str, actor: str, kept: Kept = NOTHING_KEPT, reason: str | None = None
) -> Forgotten:
    """Block a person and take the person off the boards with the known e-mails; :func:`sweep` does the others.

    Args:
        text: an e-mail, or a login at GitHub.

    Raises:
        BadRule: it is neither.
        StorageError: the database did not answer.
    """
    text = checked_person(text)
    with db.write() as session:
        forgotten = forgotten_people.with_key(session, github_host)
        named = _named(session, forgotten, text)
        known = {forgotten.hashes[value] for value in named.hashes if value in forgotten.hashes}
        person = min(known, default=min(named.hashes))
        forgotten_people.merge(session, person, known)
        forgotten_people.add(session, person, named.hashes, reason=reason)
        forgotten_rows.end_live_rankings(session)
        repositories = forgotten_rows.repositories_with(session, named.emails, named.contributors)
        audit_log.record(session, actor, "forget person", person)
    for number in repositories:
        forget_in(db, number, github_host)
    with db.write() as session:
        kept_pictures = _drop_accounts(session, named)
    kept.drop_pictures(kept_pictures)
    return Forgotten(person, repositories)


def remember_person(db: Database, text: str, *, github_host: str, actor: str) -> int:
    """Undo :func:`forget_person`; return how many repositories are counted again, which brings the person back.

    Raises:
        BadRule: it is neither an e-mail nor a login.
        NotFound: the person is not forgotten.
    """
    text = checked_person(text)
    with db.write() as session:
        forgotten = forgotten_people.with_key(session, github_host)
        named = _named(session, forgotten, text)
        persons = {forgotten.hashes[value] for value in named.hashes if value in forgotten.hashes}
        if not persons:
            raise NotFound("This person is not forgotten here: a login or an e-mail by which that was done is needed.")
        forgotten_people.remove(session, persons)
        for person in sorted(persons):
            audit_log.record(session, actor, "remember person", person)
        return forgotten_rows.count_removed_again(session)


def sweep(db: Database, github_host: str, *, most: int | None = None) -> bool:
    """Compare repositories with the forgotten people, after those that were compared before.

    Args:
        most: repositories to compare at most; None: all.

    Returns:
        Whether there may be more.
    """
    left = most
    while True:
        with db.read() as session:
            before = forgotten_people.swept_to(session)
            if before is None:
                return False
            forgotten = forgotten_people.load(session, github_host)
            numbers = forgotten_rows.repositories_after(
                session, before, limit=_AT_A_TIME if left is None else min(left, _AT_A_TIME)
            )
        for number in numbers:
            forget_in(db, number, github_host)
        with db.write() as session:
            forgotten_people.note_swept(session, forgotten, before, numbers[-1] if numbers else None)
        if left is not None:
            left -= len(numbers)
            if left <= 0 and numbers:
                return True


def forget_in(db: Database, repository_id: int, github_host: str) -> bool:
    """Take the forgotten people off one board; return whether there were any."""
    with db.write() as session:
        # A count that is being saved and does not know the latest of them ends first.
        leases.lock_holder(session, repository_id)
    with db.read() as session:
        forgotten = forgotten_people.load(session, github_host)
        repository = queries.by_id(session, repository_id)
        if not forgotten or repository is None:
            return False
        found, emails = _rows(session, forgotten, repository_id)
    for some in chunked(found, STEP_STATEMENTS):
        with db.write() as session:
            # A later one ends first, or finds that people were forgotten.
            now = queries.lock(session, repository_id)
            if now is None:
                return False
            if now.count_id != repository.count_id:
                break
            forgotten_rows.remove(session, repository_id, some)
    else:
        if emails:
            with db.write() as session:
                _drop_emails(session, emails, github_host)
        return bool(found)
    # Another count became valid meanwhile.
    return forget_in(db, repository_id, github_host)


def _rows(
    session: Session, forgotten: ForgottenPeople, repository_id: int
) -> tuple[list[tuple[int, StoredPerson]], set[str]]:
    """The rows to change, and e-mails that only they have."""
    rows = forgotten_rows.people_of(session, repository_id)
    removed = [row for row in rows if is_removed(row[1])]
    earlier = RemovedRows(
        frozenset(row[1] for row in removed),
        frozenset(row[4] for row in removed if row[4]),
        frozenset(row[5] for row in removed),
    )
    rows = [row for row in rows if not is_removed(row[1])]
    counted = [CountedPerson(*row[1:]) for row in rows]

    def others(emails: Collection[str]) -> Collection[str]:
        return emails_with_accounts(session, emails, forgotten.github_host)

    found = forgotten_among(forgotten, counted, others, earlier)
    kept = {person.email for index, person in enumerate(counted) if index not in found}
    changed = [
        (
            rows[index][0],
            forgotten.stored(person.email, person.name, mailmap_name=person.mailmap_name, identity=person.identity),
        )
        for index, person in enumerate(counted)
        if index in found
    ]
    return changed, {counted[index].email for index in found} - kept


def checked_person(text: str) -> str:
    """Return a login or an e-mail as it is looked up.

    Raises:
        BadRule: it is neither.
    """
    text = text.strip().removeprefix("@")
    if not text or len(text) > _LONGEST or not text.isprintable() or "/" in text or " " in text:
        raise BadRule("Give a person's e-mail address, or login at GitHub.")
    return text


def _named(session: Session, forgotten: ForgottenPeople, text: str) -> _Named:
    """An e-mail names its known account, and an account all of its known e-mails."""
    host = forgotten.github_host
    named = _Named(set(), set(), set())
    if "@" in text:
        email = text.lower()
        named.hashes.add(forgotten.email_hash(email))
        named.emails.update((email, text))
        account = noreply_account(email, host)
        if account is not None and account.account_id is not None:
            named.hashes.add(forgotten.account_hash(account.account_id))
        elif account is not None:
            named.hashes.add(forgotten.login_hash(account.login))
        rows = session.all(
            """SELECT p.id, p.account_id, p.username FROM known_email k JOIN contributor p ON p.id = k.contributor_id
            WHERE k.host = :host AND k.email = :email""",
            host=host,
            email=email,
        )
    else:
        named.hashes.add(forgotten.login_hash(text))
        # If several accounts have one login, the host renamed those that were asked for longer ago.
        rows = session.all(
            """SELECT id, account_id, username FROM contributor WHERE host = :host AND lower(username) = :login
            ORDER BY coalesce(enriched_at, 0) DESC, id DESC LIMIT 1""",
            host=host,
            login=text.lower(),
        )
    for row in rows:
        named.contributors.add(row["id"])
        if row["account_id"] is not None:
            named.hashes.add(forgotten.account_hash(row["account_id"]))
        if row["username"]:
            named.hashes.add(forgotten.login_hash(row["username"]))
        emails = session.tuples("SELECT email FROM known_email WHERE contributor_id = :id", id=row["id"])
        named.emails.update(email for (email,) in emails)
    named.hashes.update(forgotten.email_hash(email) for email in named.emails)
    return named


def _drop_accounts(session: Session, named: _Named) -> list[str]:
    pictures = []
    for number in sorted(named.contributors):
        rows = session.tuples("DELETE FROM contributor WHERE id = :id RETURNING avatar_url", id=number)
        pictures += [url for (url,) in rows if url]
    return pictures


def _drop_emails(session: Session, emails: Collection[str], github_host: str) -> None:
    session.executemany(
        "DELETE FROM known_email WHERE host = :host AND email = :email",
        [{"host": github_host, "email": email} for email in sorted(emails)],
    )
