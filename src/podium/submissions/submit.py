"""Submit a repository: save first, then enqueue.

A crash between the two leaves a row that the reconciler finds.
"""

from __future__ import annotations

import dataclasses

from podium.blocks import block_list
from podium.errors import Conflict, NotFound
from podium.jobs.messages.queues import Queues
from podium.repositories.address import Address
from podium.repositories.model import Repository, State
from podium.repositories.store import queries, revision_rows, transitions
from podium.repositories.store.freshness import names
from podium.repositories.store.queue import host_outages, pauses
from podium.repositories.store.queue.due_work import next_virtual_start
from podium.storage.session import Database, Session
from podium.submissions.capacity import Capacity
from podium.submissions.revision_limit import make_room, remove

# Seconds after which a submission of a known repository is noted as a read of its board.
_NOTED = 3600.0


@dataclasses.dataclass(frozen=True, slots=True)
class Submission:
    repository: Repository
    is_new: bool
    refreshing: bool


def submit(
    db: Database,
    queues: Queues,
    address: Address,
    *,
    refresh_after: float,
    client_id: str | None = None,
    capacity: Capacity | None = None,
    max_revisions: int = 0,
) -> Submission:
    """Save a new repository, or refresh one whose board is older than ``refresh_after`` seconds.

    What waits for a retry is tried now. If its host is down, it is only if no other repository of the host is tried.

    Args:
        client_id: from :class:`podium.web.client_ids.ClientIds`.
        capacity: limits new repositories, not refreshes.
        max_revisions: boards of branches and tags that one repository may have; the least recently read makes way for a
            new one. 0: no limit.

    A former name means the repository that had it. Where another repository has the name now, nothing is counted.

    Raises:
        Blocked: the operator has blocked it.
        Conflict: it is a new branch or tag of a repository whose name another one has.
        QueueFull: the repository is new, and too much waits.
        StorageError: the database cannot be written.
    """
    with db.write() as session:
        block_list.check(session, address)
        # Before any row is locked, as wherever a count may follow.
        virtual_start = next_virtual_start(session, client_id)
        present = names.present_address(session, address)
        if present is not address:
            names.ask_about_name(
                session, address.parent_key or address.key, present_key=present.parent_key or present.key
            )
            address = present
            block_list.check(session, address)
        is_new = transitions.insert(session, address, virtual_start=virtual_start, client_id=client_id)
        if is_new and names.is_taken(session, address.parent_key or address.key):
            raise Conflict(names.WHY_TAKEN)
        if is_new and capacity is not None:
            capacity.check(session)
        is_limited = is_new and address.host and address.parent_key is not None and max_revisions > 0
        replaced = make_room(session, address.parent_key or "", max_revisions) if is_limited else []
        transitions.correct_url(session, address.key, address.url)
        repository = _known(session, address)
        refreshing = repository.state in (State.COMPLETED, State.FAILED) and transitions.restart_stale(
            session, repository.id, age=refresh_after, virtual_start=virtual_start, client_id=client_id
        )
        if not is_new:
            # A client wants the board: retention and the schedule go by that.
            revision_rows.note_reads(session, [repository.id], every=_NOTED)
        # What waits for the schedule's turn is this client's now.
        transitions.take_over(session, repository.id, virtual_start=virtual_start, client_id=client_id)
        is_tried = is_new or refreshing or transitions.try_now(session, repository.id)
        waits = repository.waiting_code is not None
        if is_tried and waits_for_host(session, repository):
            waits, is_tried, refreshing = True, False, False
        if waits:
            repository = _known(session, address)
    if is_tried:
        queues.enqueue_commits(repository.id)
    remove(db, replaced)
    return Submission(repository, is_new, refreshing)


def waits_for_host(session: Session, repository: Repository) -> bool:
    """Let a pending repository wait if its host is paused, or down and tried already; return whether it waits."""
    if pauses.park_if_host_is_paused(session, repository):
        return True
    reason = host_outages.may_not_try(session, repository.host, repository.id)
    if reason is not None:
        host_outages.park(session, repository.id, reason=reason)
    return reason is not None


def start_over(db: Database, repository_id: int) -> None:
    """Count a repository again, however recently it was counted, unless a count is waiting or running."""
    with db.write() as session:
        virtual_start = next_virtual_start(session, None)
        repository = queries.lock(session, repository_id)
        if repository is not None and repository.state.stage != "commits":
            transitions.restart(
                session,
                repository.id,
                repository.state,
                virtual_start=virtual_start,
                client_id=None,
            )


def _known(session: Session, address: Address) -> Repository:
    # One URL has two keys only after the configured GitHub changed; the older row counts.
    repository = queries.by_key(session, address.key) or queries.by_url(session, address.url)
    if repository is None:
        raise NotFound(f"{address.url} was deleted meanwhile: submit it again.")
    return repository
