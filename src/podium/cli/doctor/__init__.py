"""``podium doctor``: check everything that Podium needs, and say how to fix it."""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from podium.app import factories
from podium.app.operations import check_database_exists, shared_queues
from podium.bots.tools import Bots
from podium.cli import STARTED_AT, output
from podium.cli.doctor import counts, database, exposure, github_api, machine, side_by_side, work
from podium.cli.doctor.findings import Finding, as_json, as_text, is_healthy, ok, problem, warning
from podium.cli.doctor.side_by_side import Examination
from podium.errors import MissingDependency, NoDatabaseYet, PodiumError, QueueError, StorageError
from podium.monitoring.inspector import Inspector
from podium.settings import Settings, unknown_variables
from podium.storage import migrate
from podium.storage.session import Database
from podium.web.middleware.proxy_watch import ADVICE, found, suspected_proxy

# Seconds from the start of the process to the end of all checks, and that they have at least.
ANSWERS_WITHIN = 4.0
LEAST_WAIT = 1.0
# Part of them that GitHub has, so that its check can say what is wrong.
_OF_WAIT = 0.8
# Seconds that a silent Redis is waited for, which is tried twice.
_REDIS_TIMEOUTS = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    settings = Settings.from_environment(environment)
    wait = options.wait or max(LEAST_WAIT, ANSWERS_WITHIN - _running_for())
    findings = _variables(environment) + examine(settings, ask_github=not options.offline, wait=wait)
    output.write(as_json(findings) if options.json else as_text(findings))
    # On a busy machine, the collection at the end of the process takes half a second.
    gc.freeze()
    return 0 if is_healthy(findings) else 1


def _running_for() -> float:
    """Seconds since the process started, where the system says so; otherwise since the command was imported."""
    with contextlib.suppress(OSError, ValueError, IndexError, AttributeError):
        # proc(5): field 22, after a name that may have any character.
        ticks = int(Path("/proc/self/stat").read_text(errors="replace").rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - STARTED_AT


def examine(settings: Settings, *, ask_github: bool, wait: float) -> list[Finding]:
    """Examine everything side by side.

    A check that cannot run, or takes longer than ``wait`` seconds, is a finding too. ``ask_github`` costs no points of
    the budget.
    """
    examinations = [
        _guarded("git", lambda: machine.git(settings)),
        _guarded("disk", lambda: machine.disk(settings)),
        _guarded("settings", lambda: _settings(settings)),
    ]
    if settings.mailmap_file:
        examinations.append(_guarded("mailmap", lambda: _own_mailmap(settings)))
    if settings.bots_file:
        examinations.append(_guarded("bots", lambda: _own_bots(settings)))
    if settings.uses_redis:
        examinations.append(_guarded("redis", lambda: _redis(settings)))
    examinations.append(_guarded("database", lambda: _database(settings)))
    unfinished = ok("counts", "as many commit logs checked as the time allowed; `--wait SECONDS` allows more")
    examinations.append(_guarded("counts", lambda: _counts(settings), late=unfinished))
    if ask_github:
        examinations += [
            _guarded("github", functools.partial(github_api.github, settings, number, _OF_WAIT * wait))
            for number in range(max(1, len(set(settings.github_tokens))))
        ]
    findings = side_by_side.run(examinations, wait)
    # A database that does not answer has no logs that could have been checked.
    is_away = any(finding.check == "database" and finding.level == "problem" for finding in findings)
    return [finding for finding in findings if not (is_away and finding is unfinished)]


def _variables(environment: Mapping[str, str]) -> list[Finding]:
    return [
        warning("settings", line, "Correct or unset it: it has no effect.") for line in unknown_variables(environment)
    ]


def _guarded(check: str, look: Callable[[], Iterable[Finding]], late: Finding | None = None) -> Examination:
    def guarded() -> Iterator[Finding]:
        try:
            yield from look()
        except ModuleNotFoundError as error:
            missing = MissingDependency.from_import(error, "podium doctor")
            yield problem(check, missing.message, "It could not be checked.")
        except PodiumError as error:
            yield problem(check, error.message, "Nothing that depends on it was checked.")
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            yield problem(check, f"{where}{error.strerror}.", "Give this user access to it.")

    return Examination(check, guarded, late)


def _own_mailmap(settings: Settings) -> Iterator[Finding]:
    if notes := factories.check_own_mailmap(settings):
        yield warning("mailmap", " ".join(notes), "Write lines such as: Name <e-mail> <other e-mail>")
    else:
        yield ok("mailmap", settings.mailmap_file)


def _own_bots(settings: Settings) -> Iterator[Finding]:
    bots = Bots.from_files(settings.bots_files())
    yield ok("bots", f"{settings.bots_file}: {len(bots.added)} added, {len(bots.removed)} removed")


def _redis(settings: Settings) -> Iterator[Finding]:
    from podium.cli.doctor import redis_server

    return redis_server.server(settings, **_REDIS_TIMEOUTS)


def _settings(settings: Settings) -> Iterator[Finding]:
    if settings.uses_redis and not settings.uses_postgres:
        yield warning(
            "settings",
            "The queues are in Redis, but the database is a file of this machine.",
            "Set DATABASE_URL to a PostgreSQL, or workers on other machines will work on another database.",
        )
    if settings.uses_postgres and not settings.uses_redis:
        yield warning(
            "settings",
            "The database is PostgreSQL, but each `podium serve` keeps its queues in its own memory.",
            "Set REDIS_URL, or run a single `podium serve` and no worker beside it.",
        )
    proxy = suspected_proxy(settings.data_folder(), time.time())
    if proxy is not None and proxy not in settings.trusted_proxies:
        yield warning("settings", found(proxy), ADVICE)
    yield from exposure.exposure(settings)
    if settings.webhook_secrets:
        yield ok("webhooks", exposure.webhooks(settings))


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        check_database_exists(settings)
        with contextlib.closing(factories.connect(settings)) as db:
            yield from database.server(settings, db)
            found = list(database.revision(settings, db))
            yield from found
            if found[0].level != "problem":
                yield from _work(settings, db)
    except NoDatabaseYet as error:
        yield ok("database", f"{error.message} That is normal on a new machine.")
    except StorageError as error:
        yield problem("database", error.message, "Nothing in it was checked.")


def _work(settings: Settings, db: Database) -> Iterator[Finding]:
    try:
        with shared_queues(settings, **_REDIS_TIMEOUTS) as queues:
            overview = Inspector(db, queues).overview()
    except (QueueError, ModuleNotFoundError):
        # The check of Redis has reported it.
        overview = Inspector(db).overview()
    yield from work.workers(settings, overview)
    yield from work.queues(overview)
    yield from work.limits(overview)
    yield from work.tokens(overview)
    yield from work.schedule(settings, overview)
    with db.read() as session:
        yield from work.stalled_work(settings, session)


def _counts(settings: Settings) -> Iterator[Finding]:
    try:
        check_database_exists(settings)
        with contextlib.closing(factories.connect(settings)) as db:
            revision = migrate.revision(db)
            if migrate.revision_fault(revision) is None or migrate.works_beside(db, revision):
                yield from counts.counts(db)
    except StorageError:
        # The check of the database reports it.
        return
