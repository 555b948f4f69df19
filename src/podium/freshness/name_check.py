"""Names while a repository is counted: its host may show that it has another one, or that another repository has it."""

from __future__ import annotations

import dataclasses
import threading

from podium.blocks import block_list
from podium.clones.mirrors import MirrorOwner
from podium.errors import HistoryError, Interrupted, LeaseLost
from podium.freshness.apply_answer import apply
from podium.freshness.check import Hosts
from podium.freshness.host_answer import HostAnswer, Unseen
from podium.freshness.stated_addresses import StatedAddresses
from podium.jobs import failures, lease
from podium.repositories.model import Repository
from podium.repositories.store import queries
from podium.repositories.store.freshness import names
from podium.storage.session import Database, Session

# Seconds until a host is asked again that did not say whether a repository with another history is the same one.
_UNCONFIRMED_AGAIN = 3600.0
_WHY_UNCONFIRMED = (
    "This name has a history without a commit of the one before, and its host did not say whether it is the same "
    "repository: the board stays as it was until the host says so."
)
# Seconds for which an answer of the host is believed.
RECENT = 300.0


def note_redirect(db: Database, stated: StatedAddresses, repository: Repository, url: str) -> None:
    """Apply the redirect that git met, before anything is fetched.

    Raises:
        LeaseLost: the row was joined to another one of the same repository, and needs no count.
        StorageError: the database did not answer.
    """
    address = stated.of_url(repository, url)
    if address is None:
        return
    with db.write() as session:
        applied = apply(session, repository, HostAnswer(address=address), next_check_in=names.AS_PLANNED)
    if applied.repository_id != repository.id:
        raise LeaseLost(f"It is the same repository as {applied.repository_id}, and was joined to it.")


def confirm(db: Database, hosts: Hosts, repository: Repository, stop: threading.Event) -> None:
    """Ask whether a name with another history than before is still the repository's: its owner may have replaced that.

    Raises:
        HistoryError: another repository has the name, or the host did not say.
        LeaseLost: the row was joined to another one.
        Interrupted: ``stop`` was set.
        StorageError: the database did not answer.
    """
    with db.read() as session:
        found = queries.by_id(session, repository.id)
        number = names.number_of(session, found.repository_key) if found is not None else None
    if found is None:
        raise LeaseLost("It was deleted meanwhile.")
    answer = hosts.identify(dataclasses.replace(found, host_number=number), stop)
    if not isinstance(answer, HostAnswer):
        if answer is Unseen.SILENT and found.parent_key is None:
            with db.write() as session:
                names.make_due(session, found.key, within=_UNCONFIRMED_AGAIN)
        raise HistoryError(names.TAKEN, _WHY_UNCONFIRMED)
    with db.write() as session:
        applied = apply(session, found, answer, next_check_in=names.AS_PLANNED)
    if applied.repository_id != repository.id:
        raise LeaseLost(f"It is the same repository as {applied.repository_id}, and was joined to it.")
    if applied.is_taken:
        raise HistoryError(names.TAKEN, names.WHY_TAKEN)


def mirror_owner(db: Database, repository: Repository) -> MirrorOwner | None:
    """Whose mirror a repository's is; None: the row was removed meanwhile."""
    with db.read() as session:
        ids, keys = names.mirror_owner(session, repository.repository_key)
    return MirrorOwner(ids, keys) if ids else None


@dataclasses.dataclass(frozen=True, slots=True)
class NameCheck:
    """Asks the host which repository a leased one is before it is counted, where that is cheap.

    That is: its number is known, and was not asked for just now; or it was never counted, and its host has given the
    number of another repository, or one of its repositories is blocked by number. The host's API is asked, and not at
    all if the requests without a token are few.
    """

    db: Database
    hosts: Hosts

    def may_count(self, row: Repository, stop: threading.Event) -> bool:
        """Apply what the host says; return whether to count it, under the name that it has then.

        Otherwise its lease is given back, also if this raises.

        Raises:
            StorageError, QueueError: the database or the queue's Redis did not answer.
        """
        try:
            return self._may_count(row, stop)
        except BaseException as error:
            # It would expire as that of a worker that crashed.
            lease.give_back(self.db, row)
            if isinstance(error, Interrupted):
                return False
            raise

    def _may_count(self, row: Repository, stop: threading.Event) -> bool:
        for _ in range(2):
            with self.db.read() as session:
                found = queries.by_id(session, row.id)
                if found is None or found.lease_token != row.lease_token:
                    return False
                number = names.number_of(session, found.repository_key)
                is_taken = names.is_taken(session, found.repository_key)
                is_asked = is_taken or self._is_asked(session, found, number)
            asked = dataclasses.replace(found, host_number=number)
            answer = self.hosts.identify(asked, stop) if is_asked else Unseen.SILENT
            if isinstance(answer, HostAnswer):
                with self.db.write() as session:
                    applied = apply(session, found, answer, next_check_in=names.AS_PLANNED)
                if applied.repository_id != row.id:
                    return False
                if applied.is_taken and not is_taken:
                    # Its host id may find it elsewhere.
                    continue
                is_taken = applied.is_taken
            break
        if is_taken:
            self._refuse(row)
        return not is_taken

    def _is_asked(self, session: Session, row: Repository, number: str | None) -> bool:
        if number is None:
            return row.head is None and (
                names.is_any_numbered(session, row.host) or block_list.is_any_numbered(session, row.host)
            )
        return not names.was_checked(session, row.id, within=RECENT)

    def _refuse(self, row: Repository) -> None:
        with self.db.write() as session:
            failures.fail(session, row, names.TAKEN, names.WHY_TAKEN)
        lease.give_back(self.db, row)
