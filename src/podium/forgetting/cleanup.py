"""Deletes, a little at a time, what nothing needs any more.

Boards that were not read, rows of forgotten repositories, known e-mails and accounts that no repository has, mirrors
without a repository, and pictures without an account. One of the workers with the same queues deletes rows, and each
deletes what its machine keeps. Usually there is nothing to do.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Collection

from podium.forgetting.forget_person import sweep
from podium.forgetting.forget_repository import NOTHING_KEPT, Kept, discard_mirrors, mark_repository, remove_marked
from podium.jobs.periodic import Periodic
from podium.repositories.store import queries
from podium.repositories.store.deletion import removal
from podium.repositories.store.freshness import names
from podium.storage.session import Database
from podium.telemetry.outage_log import OutageLog
from podium.textutil.plural import plural

log = logging.getLogger(__name__)

# Seconds between two looks for people who were forgotten, between two passes, and between two comparisons of the disk
# with the database.
LOOK_EVERY = 30.0
EVERY = 300.0
_DISK_EVERY = 3600.0
# Seconds for which a mirror or picture stays that no row names.
_YOUNG = 600.0

# Bounds of one pass.
_REPOSITORIES = 1_000
_BOARDS = 20
_STEPS = 100
_KNOWN = 5_000
_ROWS = 10_000

_RETENTION = "retention"


@dataclasses.dataclass(frozen=True, slots=True)
class Disk:
    """What this machine keeps.

    mirror_name: of a repository's host, owner, name and key.
    drop_mirrors: deletes those of other names that are older than some seconds.
    drop_pictures: deletes those of other addresses that are older than some seconds.
    """

    mirror_name: Callable[[str, str, str, str], str]
    drop_mirrors: Callable[[Collection[str], float], int]
    drop_pictures: Callable[[Collection[str], float], int]


class Cleanup:
    """Deletes what nothing needs any more, a bounded amount in each pass.

    Args:
        unread_max_age: seconds after which a board that was not read is forgotten; 0: never.
        always_kept: identities of repositories that are never forgotten automatically.
        leads: whether this process, of all with the same database, deletes rows. It may raise QueueError.
    """

    def __init__(
        self,
        db: Database,
        kept: Kept = NOTHING_KEPT,
        disk: Disk | None = None,
        *,
        github_host: str = "github.com",
        unread_max_age: float = 0.0,
        always_kept: Collection[str] = (),
        leads: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._kept = kept
        self._disk = disk
        self._github_host = github_host
        self._unread_max_age = unread_max_age
        self._always_kept = always_kept
        self._leads = leads
        self._clock = clock
        self._at = clock()
        self._disk_at = clock() + _YOUNG
        self._email = ("", "")
        self._contributor = 0

    def step(self) -> None:
        """Do a bounded part.

        Raises:
            StorageError, QueueError: the database or the queue did not answer.
        """
        if self._leads():
            sweep(self._db, self._github_host, most=_REPOSITORIES)
            if self._clock() >= self._at:
                self._at = self._clock() + EVERY
                self._forget_unread()
                remove_marked(self._db, self._kept, steps=_STEPS)
                self._drop_unused_emails()
                self._drop_unused_accounts()
        if self._disk is not None and self._clock() >= self._disk_at:
            self._disk_at = self._clock() + _DISK_EVERY
            self._compare_disk(self._disk)

    def _forget_unread(self) -> None:
        if not self._unread_max_age:
            return
        with self._db.write() as session:
            removal.begin_reads(session, limit=_KNOWN)
        with self._db.read() as session:
            numbers = removal.unread(session, age=self._unread_max_age, kept=self._always_kept, limit=_BOARDS)
        for number in numbers:
            with self._db.write() as session:
                # It may have been read or submitted meanwhile.
                unread = removal.is_unread(session, number, age=self._unread_max_age)
                found = mark_repository(session, number, actor=_RETENTION, act="forget unread") if unread else []
            for repository in found:
                log.info("repository %d was not read for a long time and is forgotten", repository.id)
            discard_mirrors(found, self._kept)

    def _drop_unused_emails(self) -> None:
        with self._db.read() as session:
            unused, end = removal.unused_after(session, self._email, limit=_KNOWN)
        if unused:
            with self._db.write() as session:
                pictures = removal.drop_unused(session, unused)
            self._kept.drop_pictures(pictures)
        self._email = end or ("", "")

    def _drop_unused_accounts(self) -> None:
        with self._db.read() as session:
            unused, end = removal.unused_contributors_after(session, self._contributor, limit=_KNOWN)
        if unused:
            with self._db.write() as session:
                pictures = removal.drop_contributors(session, unused)
            self._kept.drop_pictures(pictures)
        self._contributor = end or 0

    def _compare_disk(self, disk: Disk) -> None:
        mirrors: set[str] = set()
        last = 0
        while True:
            with self._db.read() as session:
                rows = queries.mirrored_after(session, last, limit=_ROWS)
            mirrors.update(disk.mirror_name(*named) for _, *named in rows)
            if len(rows) < _ROWS:
                break
            last = rows[-1][0]
        former = ""
        while True:
            with self._db.read() as session:
                keys = names.former_keys_after(session, former, limit=_ROWS)
            mirrors.update(disk.mirror_name("", "", "", key) for _, key in keys)
            if len(keys) < _ROWS:
                break
            former = keys[-1][0]
        if removed := disk.drop_mirrors(mirrors, _YOUNG):
            log.info("deleted %s without a repository", plural(removed, "mirror"))
        pictures: set[str] = set()
        last = 0
        while True:
            with self._db.read() as session:
                found = removal.pictures_after(session, last, limit=_ROWS)
            pictures.update(url for _, url in found)
            if len(found) < _ROWS:
                break
            last = found[-1][0]
        disk.drop_pictures(pictures, _YOUNG)


def periodic(cleanup: Cleanup) -> Periodic:
    return Periodic(
        "cleanup",
        LOOK_EVERY,
        cleanup.step,
        outage_log=OutageLog(log, "the cleanup waits", "the cleanup continues"),
    )
