"""Podium's pass and its whole commit job in this process, without start-up, for :mod:`benchmarks.history`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Measured, processor_seconds
from benchmarks.subjects import ENVIRONMENT
from podium.app import factories
from podium.clones.local import open_local
from podium.clones.source import Source
from podium.git.command import Git
from podium.history.count import count
from podium.history.totals import Tally
from podium.jobs.messages.queues import NullQueues
from podium.repositories.address import Address, parse_address, path_address
from podium.settings import Settings
from podium.storage.session import Database
from podium.submissions.submit import start_over, submit


def settings_of(data: Path) -> Settings:
    """Podium's settings with its data in a folder."""
    return Settings.from_environment({**ENVIRONMENT, "PODIUM_DATA_DIR": str(data)})


def timed(work: Callable[[], object]) -> Measured:
    """How long ``work`` takes."""
    begun, used = time.perf_counter(), processor_seconds()
    work()
    return Measured(time.perf_counter() - begun, 0, processor_seconds() - used)


def one_pass(clone: Path) -> Tally:
    """Commits to totals in memory."""
    git = Git.for_person(ENVIRONMENT)
    found = open_local(git, clone)
    return count(git, found.path, found.head)


def forget(db: Database) -> None:
    """The database stays, but has never seen a repository: ranking again would count nothing."""
    with db.write() as session:
        session.run("DELETE FROM repository")


def job_of_path(db: Database, settings: Settings, path: Path) -> None:
    """The whole commit job on a repository of this machine."""
    source = factories.path_source(ENVIRONMENT, path)
    _run(db, settings, source, path_address(source.repository.path))


def job_of_url(db: Database, settings: Settings, url: str) -> None:
    """The whole commit job on an address, through the mirror that is kept below the data folder."""
    source = factories.person_source(settings, ENVIRONMENT, url)
    _run(db, settings, source, parse_address(url, settings.github_server_url))


def _run(db: Database, settings: Settings, source: Source, address: Address) -> None:
    job = factories.commit_job(settings, db, source, ask=False)
    repository = submit(db, NullQueues(), address, refresh_after=0).repository
    start_over(db, repository.id)
    error = job.run(repository.id, threading.Event())
    if error is not None:
        raise error
