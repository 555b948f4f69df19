"""``podium doctor``: check everything that Podium needs, and say how to fix it."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from podium.app import factories
from podium.app.operations import check_database_exists, shared_queues
from podium.bots.tools import Bots
from podium.cli import output
from podium.cli.doctor import counts, database, exposure, github_api, machine, work
from podium.cli.doctor.findings import Finding, as_json, as_text, is_healthy, ok, problem, warning
from podium.errors import MissingDependency, NoDatabaseYet, PodiumError, QueueError, StorageError
from podium.monitoring.inspector import Inspector
from podium.settings import Settings, unknown_variables
from podium.storage.session import Database
from podium.web.middleware.proxy_watch import ADVICE, found, suspected_proxy


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    findings = _variables(environment) + examine(Settings.from_environment(environment), ask_github=not options.offline)
    output.write(as_json(findings) if options.json else as_text(findings))
    return 0 if is_healthy(findings) else 1


def examine(settings: Settings, *, ask_github: bool) -> list[Finding]:
    """A check that cannot run is a finding too. ``ask_github`` costs no points of the budget."""
    return list(_examine(settings, ask_github=ask_github))


def _examine(settings: Settings, *, ask_github: bool) -> Iterator[Finding]:
    yield from _guarded("git", lambda: machine.git(settings))
    yield from _guarded("disk", lambda: machine.disk(settings))
    yield from _guarded("settings", lambda: _settings(settings))
    if settings.mailmap_file:
        yield from _guarded("mailmap", lambda: _own_mailmap(settings))
    if settings.bots_file:
        yield from _guarded("bots", lambda: _own_bots(settings))
    if settings.uses_redis:
        yield from _guarded("redis", lambda: _redis(settings))
    yield from _guarded("database", lambda: _database(settings))
    if ask_github:
        yield from _guarded("github", lambda: github_api.github(settings))


def _variables(environment: Mapping[str, str]) -> list[Finding]:
    return [
        warning("settings", line, "Correct or unset it: it has no effect.") for line in unknown_variables(environment)
    ]


def _guarded(check: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
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

    return redis_server.server(settings)


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


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        check_database_exists(settings)
        with contextlib.closing(factories.connect(settings)) as db:
            yield from database.server(settings, db)
            found = list(database.revision(settings, db))
            yield from found
            if found[0].level == "ok":
                yield from _work(settings, db)
    except NoDatabaseYet as error:
        yield ok("database", f"{error.message} That is normal on a new machine.")
    except StorageError as error:
        yield problem("database", error.message, "Nothing in it was checked.")


def _work(settings: Settings, db: Database) -> Iterator[Finding]:
    try:
        with shared_queues(settings) as queues:
            overview = Inspector(db, queues).overview()
    except (QueueError, ModuleNotFoundError):
        # The check of Redis has reported it.
        overview = Inspector(db).overview()
    yield from work.workers(settings, overview)
    yield from work.queues(overview)
    yield from work.limits(overview)
    yield from work.tokens(overview)
    with db.read() as session:
        yield from work.stuck_work(settings, session)
    yield from counts.counts(db)
