"""A worker process's heartbeat: a row of table ``worker``. It is not in Redis, which is optional and may be flushed."""

from __future__ import annotations

import json
import logging
import os
import socket
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from podium import __version__
from podium.errors import PodiumError, StorageError
from podium.jobs import worker_fault_rules
from podium.jobs.periodic import Periodic
from podium.storage.session import Database, Row, Session
from podium.storage.transactions.time_limits import QUICK
from podium.telemetry.outage_log import OutageLog

log = logging.getLogger(__name__)

# Seconds between heartbeats; until a silent worker counts as dead; until its row is deleted.
INTERVAL = 12.0
DEAD_AFTER = worker_fault_rules.DEAD_AFTER
DELETE_AFTER = 86_400.0
_BEATS_PER_CLEANING = 450

_BEAT = """
INSERT INTO worker (id, host, pid, version, queues, report, started_at, seen_at)
VALUES (:id, :host, :pid, :version, :queues, :report, {now}, {now})
ON CONFLICT (id) DO UPDATE SET report = excluded.report, seen_at = excluded.seen_at
"""


def check_writable(db: Database) -> None:
    """Write a row and delete it in one transaction, which other transactions see nothing of.

    Raises:
        StorageError: the database cannot be written: it is away, read-only, or full.
    """
    # Both statements and the commit write to the disk; an UPDATE of no row would not.
    row = {"id": f"probe-{uuid.uuid4().hex}", "host": "", "pid": 0, "version": "", "queues": "", "report": "{}"}
    with db.write(QUICK) as session:
        session.run(_BEAT, **row)
        session.run("DELETE FROM worker WHERE id = :id", id=row["id"])


def rows(session: Session) -> list[Row]:
    """All workers in the order in which they started, with ``alive``."""
    return session.all(
        "SELECT *, seen_at >= {now} - :dead_after AS alive FROM worker ORDER BY started_at, id", dead_after=DEAD_AFTER
    )


def is_any_alive(session: Session) -> bool:
    return session.one("SELECT 1 AS one FROM worker WHERE seen_at >= {now} - :age LIMIT 1", age=DEAD_AFTER) is not None


class Heartbeat:
    """Writes the row from :meth:`start` to :meth:`stop`, which deletes it. ``report`` returns JSON values."""

    def __init__(
        self,
        db: Database,
        queues: Sequence[str],
        report: Callable[[], Mapping[str, Any]],
        worker_id: str | None = None,
    ) -> None:
        self._db = db
        self._report = report
        self._beats = 0
        self._row = {
            "id": worker_id or uuid.uuid4().hex,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "version": __version__,
            "queues": " ".join(queues),
        }
        self._report_log = OutageLog(log, "the heartbeat has no report", "the heartbeat has a report again")
        self._thread = Periodic(
            "heartbeat",
            INTERVAL,
            self.beat,
            at_once=True,
            outage_log=OutageLog(log, "the heartbeat cannot be written", "the heartbeat is written again"),
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._thread.stop()
        try:
            with self._db.write() as session:
                session.run("DELETE FROM worker WHERE id = :id", id=self._row["id"])
        except StorageError as error:
            log.warning("the heartbeat cannot be deleted: %s", error)

    def beat(self) -> None:
        """Write the row once, and at first and once in a while delete those of workers that died long ago.

        Raises:
            StorageError: the database cannot be written.
        """
        try:
            report = json.dumps(self._report())
            self._report_log.succeeded()
        except PodiumError as error:
            # A worker that cannot build a report is still alive.
            self._report_log.failed(error)
            report = "{}"
        with self._db.write() as session:
            session.run(_BEAT, report=report, **self._row)
            if self._beats % _BEATS_PER_CLEANING == 0:
                session.run("DELETE FROM worker WHERE seen_at < {now} - :age", age=DELETE_AFTER)
        self._beats += 1
