"""Faults of one worker are not the repository's: another worker takes it, without a try being used up.

A worker whose machine is at fault (its disk is full or read-only, it has no git) gives the repository back, and takes
no more until a check passes again. The repository waits, because disks are freed. A repository that exceeds a limit of
one worker fails once no live worker has a higher one. Faults of dead workers are forgotten.
"""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Mapping
from typing import Any

from podium.errors import HistoryError
from podium.jobs.messages.queues import COMMITS
from podium.repositories.model import Repository
from podium.repositories.store import transitions
from podium.repositories.store.queue import worker_faults
from podium.storage.session import Database, Session
from podium.telemetry.current_job import note_outcome

log = logging.getLogger(__name__)

# Seconds until a silent worker counts as dead.
DEAD_AFTER = 25.0

# Codes of faults of the machine, with what a reader sees: it names no folder and no setting.
_OF_MACHINE = {
    "disk-full": "The worker's disk is full. The repository is counted by another worker, or once there is space.",
    "mirrors": "The worker cannot write to its disk. The repository is counted by another worker, or once it can.",
    "not-readable": "The worker cannot read its disk. The repository is counted by another worker, or once it can.",
    "git-missing": "The worker has no git. The repository is counted by another worker, or once it has one.",
    "no-process": "The worker cannot start a process. The repository is counted by another worker, or once it can.",
}
_ALL_STOPPED = "No worker can count now: each has a full disk or no git. It continues automatically once one can."
_WAITS = "A worker has a lower limit than this repository needs; another one takes it."

# A full disk, no permission, no memory, too many open files: whichever call failed.
_OF_DISK = (errno.ENOSPC, errno.EDQUOT)
_MACHINE_ERRORS = (
    *_OF_DISK,
    *(errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN),
)

# Each worker must say these itself.
_LIMITS = ("too-large", "needs-newer-git")

# Seconds until a worker tries a repository again that its machine could not count although its check passes: doubled
# each time.
_FIRST_AGAIN = 60.0
_LATEST_AGAIN = 21_600.0


def hand_over(session: Session, repository: Repository, worker_id: str, error: Exception) -> bool:
    """Give a repository to other workers if ``error`` is a fault of this one; return False if it is the repository's.

    The caller's transaction has locked the repository's row.
    """
    code = machine_fault(error)
    if code is not None:
        reason = _OF_MACHINE[code]
        worker_faults.note_machine(
            session, repository.id, worker_id, code, str(error), first=_FIRST_AGAIN, latest=_LATEST_AGAIN
        )
    elif isinstance(error, HistoryError) and error.code in _LIMITS:
        code, reason = error.code, _WAITS
        if not _may_another(session, repository.id, worker_id, error):
            worker_faults.forget(session, repository.id)
            return False
    else:
        return False
    note_outcome("worker_fault")
    log.warning("repository %d: %s; another worker may take it", repository.id, error)
    return transitions.hand_over(session, repository, code=code, reason=reason)


def machine_fault(error: Exception) -> str | None:
    """The code of a fault of this machine; None: it is not such a fault."""
    if isinstance(error, HistoryError):
        return error.code if error.code in _OF_MACHINE else None
    if isinstance(error, OSError) and error.errno in _MACHINE_ERRORS:
        return "disk-full" if error.errno in _OF_DISK else "mirrors"
    return None


def _may_another(session: Session, repository_id: int, worker_id: str, error: HistoryError) -> bool:
    worker_faults.note_limit(session, repository_id, worker_id, error.code, error.message)
    live = {each.id: each for each in worker_faults.live(session, COMMITS, dead_after=DEAD_AFTER)}
    failed = worker_faults.of_repository(session, repository_id)
    if error.code == "too-large":
        limits = {number: _limits(each.report) for number, each in live.items()}
        for number in live.keys() - failed:
            if any(_covers(limits[other], limits[number]) for other in failed & limits.keys()):
                # It has the same limits or lower ones.
                worker_faults.note_limit(session, repository_id, number, error.code, error.message)
                failed = failed | {number}
    return bool(live.keys() - failed)


def why_stopped(session: Session) -> str | None:
    """Say to readers why no live worker takes repositories: their machines cannot; None: one does, or none is alive."""
    live = worker_faults.live(session, COMMITS, dead_after=DEAD_AFTER)
    return _ALL_STOPPED if live and all(json.loads(each.report).get("problem") for each in live) else None


def _limits(report: str) -> Mapping[str, float]:
    found: Any = json.loads(report).get("limits", {})
    return {name: float("inf") if value is None else float(value) for name, value in found.items()}


def _covers(wide: Mapping[str, float], narrow: Mapping[str, float]) -> bool:
    """Whether no limit of ``narrow`` is above that of ``wide``. An unknown one is: it belongs to another version."""
    return bool(narrow) and all(name in wide and value <= wide[name] for name, value in narrow.items())


def settle_impossible(db: Database) -> None:
    """Forget faults of dead workers, and fail what no live worker can count any more.

    Raises:
        StorageError: the database did not answer.
    """
    with db.read() as session:
        if not worker_faults.is_any(session):
            return
    with db.write() as session:
        worker_faults.forget_dead(session, dead_after=DEAD_AFTER)
        live = {each.id for each in worker_faults.live(session, COMMITS, dead_after=DEAD_AFTER)}
        for found in worker_faults.beyond_limits(session, live):
            log.warning("repository %d failed: %s", found.repository_id, found.message)
            transitions.fail_waiting(session, found.repository_id, code=found.code, reason=found.message)
            worker_faults.forget(session, found.repository_id)
