"""Forgotten people: keyed hashes of what names them, and the values that their rows get.

The table ``block`` has HMAC-SHA256 hashes of e-mails, accounts and logins under a key of this database
(``instance_secret``), which travels with every backup and copy. Without the key, nothing tells who they are.

A row of ``commit_data`` of a forgotten person keeps its number and its counts. Its name is empty, and its other texts
are hashes in angle brackets, which no e-mail that git reads can have. The same person gets the same texts again, so a
refresh adds to the row.
"""

from __future__ import annotations

import dataclasses
import functools
import hmac
import secrets
from collections.abc import Collection, Mapping

from podium.bots.noreply import noreply_account
from podium.repositories.stored_person import StoredPerson
from podium.storage.session import Session
from podium.textutil.full_names import full_name

_KEY_NAME = "people"
_KEY_BYTES = 32


@dataclasses.dataclass(frozen=True)
class ForgottenPeople:
    """Who is forgotten in one database.

    hashes: of each e-mail, account or login the hash of its person.
    """

    key: bytes
    hashes: Mapping[str, str]
    github_host: str

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def of_email(self, email: str) -> str | None:
        """The person who has this e-mail; None: no forgotten one."""
        found = self.hashes.get(self.email_hash(email))
        if found is not None:
            return found
        account = noreply_account(email, self.github_host)
        if account is None:
            return None
        if account.account_id is None:
            return self.hashes.get(self.login_hash(account.login))
        return self.of_account(account.account_id, account.login)

    def of_account(self, account_id: int, login: str | None) -> str | None:
        """The person who has this account at GitHub.

        A login alone counts only as long as the number of the person's account is not known: logins are reused.
        """
        found = self.hashes.get(self.account_hash(account_id))
        if found is not None or not login:
            return found
        found = self.hashes.get(self.login_hash(login))
        return None if found in self._with_account else found

    @functools.cached_property
    def _with_account(self) -> set[str]:
        return {person for value, person in self.hashes.items() if value.startswith("account:")}

    def email_hash(self, email: str) -> str:
        return f"email:{self._hash('email', email.strip().lower())}"

    def account_hash(self, account_id: int) -> str:
        return f"account:{self._hash('account', f'{self.github_host}/{account_id}')}"

    def login_hash(self, login: str) -> str:
        return f"login:{self._hash('login', f'{self.github_host}/{login.strip().lower()}')}"

    def name_text(self, name: str) -> str:
        """What stands for a full name in a row; empty: it is none."""
        key = full_name(name)
        return f"<{self._hash('name', key)}>" if key else ""

    def identity_text(self, identity: str) -> str:
        return f"<{self._hash('identity', identity)}>"

    def stored(self, email: str, name: str, *, mailmap_name: str, identity: str) -> StoredPerson:
        text = f"<{self._hash('row', email, name)}>"
        return StoredPerson(text, "", text, self.name_text(mailmap_name), self.identity_text(identity))

    def _hash(self, *words: str) -> str:
        # Bytes of commits that are no UTF-8 are surrogates.
        message = "\0".join(words).encode("utf-8", "surrogateescape")
        return hmac.digest(self.key, message, "sha256").hex()[:32]


def load(session: Session, github_host: str) -> ForgottenPeople:
    """Read who is forgotten: usually no one, which costs one look-up in an index."""
    rows = session.tuples("SELECT value, subject FROM block WHERE kind = 'person'")
    key = _key(session) if rows else None
    return ForgottenPeople(key or b"", {value: subject or value for value, subject in rows}, github_host)


def with_key(session: Session, github_host: str) -> ForgottenPeople:
    """Like :func:`load`, with a key, which is made if there is none. The transaction must be a writing one."""
    if _key(session) is None:
        session.run(
            "INSERT INTO instance_secret (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING",
            name=_KEY_NAME,
            value=secrets.token_bytes(_KEY_BYTES),
        )
    found = load(session, github_host)
    return dataclasses.replace(found, key=_key(session) or b"")


def is_changed(session: Session, known: ForgottenPeople) -> bool:
    """Whether people were forgotten or remembered since ``known`` was read."""
    return {
        value for (value,) in session.tuples("SELECT value FROM block WHERE kind = 'person'")
    } != known.hashes.keys()


def add(session: Session, person: str, values: Collection[str], *, reason: str | None = None) -> None:
    """Save hashes of one person, and have all repositories compared."""
    session.executemany(
        """INSERT INTO block (kind, value, subject, swept_to, reason, at)
        VALUES ('person', :value, :person, 0, :reason, {now})
        ON CONFLICT (kind, value) DO UPDATE SET swept_to = 0""",
        [{"value": value, "person": person, "reason": reason} for value in sorted(values)],
    )


def remove(session: Session, persons: Collection[str]) -> int:
    """Remove all hashes of people; return how many there were."""
    return sum(
        session.run("DELETE FROM block WHERE kind = 'person' AND coalesce(subject, value) = :person", person=person)
        for person in sorted(persons)
    )


def merge(session: Session, into: str, others: Collection[str]) -> None:
    """Give the hashes of ``others`` the person ``into``: they turned out to be one."""
    for other in sorted(set(others) - {into}):
        session.run(
            "UPDATE block SET subject = :into WHERE kind = 'person' AND subject = :other", into=into, other=other
        )


def sweep_again(session: Session) -> None:
    """Have all repositories compared with all forgotten people, such as after a restore."""
    session.run("UPDATE block SET swept_to = 0 WHERE kind = 'person'")


def swept_to(session: Session) -> int | None:
    """The last repository that was compared; None: all were."""
    found: int | None = session.value("SELECT min(swept_to) FROM block WHERE kind = 'person' AND swept_to IS NOT NULL")
    return found


def note_swept(session: Session, known: ForgottenPeople, before: int, last: int | None) -> None:
    """Note that the repositories up to ``last`` were compared with ``known``; None: all were.

    ``before``: from where on. What was added or begun again meanwhile keeps its place.
    """
    session.executemany(
        """UPDATE block SET swept_to = :last
        WHERE kind = 'person' AND value = :value AND swept_to IS NOT NULL AND swept_to >= :before""",
        [{"last": last, "value": value, "before": before} for value in sorted(known.hashes)],
    )


def _key(session: Session) -> bytes | None:
    found = session.value("SELECT value FROM instance_secret WHERE name = :name", name=_KEY_NAME)
    return None if found is None else bytes(found)
