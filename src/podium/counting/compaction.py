"""Merges the small segments that refreshes add to a commit log."""

from __future__ import annotations

import contextlib

from podium.errors import BadCommitLog, LeaseLost, StorageError
from podium.jobs.lease import Lease
from podium.storage.commit_log import segments
from podium.storage.commit_log.codec import encode
from podium.storage.commit_log.compact import mergeable, merged
from podium.storage.commit_log.segments import Link
from podium.storage.session import Database


def compact(db: Database, held: Lease, count_id: int) -> None:
    """Merge segments if it is time to, under the lease. The next refresh tries again what fails."""
    with contextlib.suppress(StorageError, LeaseLost, BadCommitLog):
        _compact(db, held, count_id)


def _compact(db: Database, held: Lease, count_id: int) -> None:
    number = held.repository.id
    with db.read() as session:
        old = mergeable(segments.links(session, number, count_id))
        if not old:
            return
        parts = [segment for _, segment in segments.load(session, number, count_id, after=old[0].number - 1)]
    whole = merged(parts)
    link = Link(old[0].number, old[0].base_oid, old[-1].head_oid, whole.commits, is_coarse=False)
    new = link, encode(whole)
    with held.fence() as session:
        segments.replace(session, number, count_id, old, new)
