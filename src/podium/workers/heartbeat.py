"""The heartbeat of a process that works off queues: a row that says it is alive, and what only it can see.

In the database, not in Redis: it must be there for the embedded default too, and survive a Redis that was flushed,
since whoever looks then wants to know exactly whether somebody still works.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from podium import __version__
from podium.errors import PodiumError, StorageError
from podium.storage.session import Database
from podium.telemetry.outage import Outage

log = logging.getLogger(__name__)

# Seconds between two beats; silent for how long means gone; a row of one that was killed is kept so long for people.
BEAT = 5.0
SILENT = 20.0
FORGET = 86_400.0

_BEAT = """
INSERT INTO worker (id, host, pid, version, queues, report, started_at, seen_at)
VALUES (:id, :host, :pid, :version, :queues, :report, {now}, {now})
ON CONFLICT (id) DO UPDATE SET report = excluded.report, seen_at = excluded.seen_at
"""


class Heartbeat:
    """A thread that writes the row every :data:`BEAT` seconds until it is stopped, and then deletes it.

    Args:
        db: where to.
        queues: the names of the queues that this process works off.
        report: is asked at each beat for what to tell besides (fit for JSON).
    """

    def __init__(self, db: Database, queues: Sequence[str], report: Callable[[], Mapping[str, Any]]) -> None:
        self._db = db
        self._report = report
        self._row = {
            "id": uuid.uuid4().hex,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "version": __version__,
            "queues": " ".join(queues),
        }
        self._silent = Outage(log, "the heartbeat has nothing to tell", "the heartbeat tells everything")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin, with a first beat at once."""
        self._thread.start()

    def stop(self) -> None:
        """Say that this process ends by its own will."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        try:
            with self._db.write() as session:
                session.run("DELETE FROM worker WHERE id = :id", id=self._row["id"])
        except StorageError as error:
            log.warning("the database was not told that this worker ends: %s", error)

    def beat(self) -> None:
        """Write the row once, and drop rows of workers that are long gone.

        Raises:
            StorageError: the database cannot be written.
        """
        try:
            report = json.dumps(self._report())
            self._silent.is_over()
        except PodiumError as error:
            # Whoever cannot tell more is alive all the same.
            self._silent.lasts(error)
            report = "{}"
        with self._db.write() as session:
            session.run(_BEAT, report=report, **self._row)
            session.run("DELETE FROM worker WHERE seen_at < {now} - :age", age=FORGET)

    def _run(self) -> None:
        outage = Outage(log, "the heartbeat could not reach the database", "the heartbeat reaches the database")
        while not self._stop.is_set():
            try:
                self.beat()
                outage.is_over()
            except StorageError as error:
                outage.lasts(error)
            self._stop.wait(BEAT)
