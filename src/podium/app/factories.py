"""Factories: each makes one object from the settings. Late imports let the command line start fast."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from podium.errors import StorageError
from podium.repositories.address import host_of
from podium.settings import Settings
from podium.storage import migrate, sqlite_schema
from podium.storage.session import Database, Session

if TYPE_CHECKING:
    from sqlalchemy import URL

    from podium.accounts.github.client import GitHub
    from podium.accounts.github.github_lookup import GitHubLookup
    from podium.accounts.github.token_pool import BudgetStore, TokenPool
    from podium.accounts.lookup import Lookup
    from podium.accounts.stale import MaxAges
    from podium.accounts.user_job import UserJob
    from podium.bots.tools import Bots
    from podium.clones.mailmaps.own_mailmap import OwnMailmap
    from podium.clones.mirrors import Mirrors
    from podium.clones.path_source import PathSource
    from podium.clones.source import Source
    from podium.counting.commit_job import CommitJob
    from podium.counting.count_budget import Budget
    from podium.forgetting.cleanup import Cleanup
    from podium.forgetting.forget_repository import Kept
    from podium.freshness.check import Hosts
    from podium.freshness.schedule import Schedule
    from podium.git.command import Git
    from podium.history.count_limits import CountLimits
    from podium.jobs.messages.broker import Backend
    from podium.jobs.messages.queues import Queues
    from podium.repositories.model import Repository


def database_url(settings: Settings) -> str | URL:
    from sqlalchemy import URL

    if settings.uses_postgres:
        return settings.database_url
    # A '?' or '%' in the folder's name would be special in text.
    return URL.create("sqlite", database=str(settings.sqlite_path()))


def open_database(settings: Settings, *, patience: float = 0.0) -> Database:
    """Open the database at this Podium's revision. Only the default SQLite database is created and migrated.

    ``patience``: seconds for which each transaction waits for a server that is away.

    Raises:
        WrongRevision: the database must be migrated first.
        StorageError: the data folder or the database cannot be used.
    """
    db = connect(settings, patience=patience)
    try:
        if not settings.uses_postgres:
            found = migrate.revision(db)
            if found is None:
                sqlite_schema.create(db)
            elif not settings.database_url and migrate.is_older(found):
                migrate.migrate(database_url(settings))
        migrate.check_revision(db)
    except BaseException:
        db.close()
        raise
    return db


def connect(settings: Settings, *, patience: float = 0.0) -> Database:
    """Return the database at any revision; it connects on first use.

    Raises:
        BadSetting, StorageError: ``DATABASE_URL`` cannot be read; the data folder cannot be created.
    """
    make_data_folder(settings)
    if settings.uses_postgres:
        from podium.storage.postgresql.postgres import PostgresDatabase

        return PostgresDatabase(settings.database_url, most=settings.database_connections, patience=patience)
    from podium.storage.sqlite import SqliteDatabase

    return SqliteDatabase(settings.sqlite_path())


def make_data_folder(settings: Settings) -> None:
    """Create the data folder, or raise StorageError."""
    folder = settings.data_folder() if settings.uses_postgres else settings.sqlite_path().parent
    try:
        # It holds e-mail addresses.
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StorageError(
            f"The data folder {folder} cannot be made ({error.strerror}): set PODIUM_DATA_DIR to one that can."
        ) from error


def github_host(settings: Settings) -> str:
    return host_of(settings.github_server_url)


def max_ages(settings: Settings) -> MaxAges:
    from podium.accounts.stale import MaxAges

    return MaxAges(
        account=settings.account_age(), email=settings.email_max_age, unknown_email=settings.unknown_email_max_age
    )


def backend(settings: Settings) -> Backend:
    """Return the configured backend; raise BadSetting if the settings of Redis cannot be read."""
    if settings.uses_redis:
        from podium.jobs.messages.redis_broker import RedisBackend
        from podium.jobs.messages.redis_broker import connect as connect_redis

        return RedisBackend(connect_redis(settings))
    from podium.jobs.messages.memory_broker import MemoryBackend

    return MemoryBackend()


def commit_job(
    settings: Settings,
    db: Database,
    source: Source,
    *,
    ask: bool = True,
    budget: Budget | None = None,
    bots: Bots | None = None,
    patient: bool = True,
) -> CommitJob:
    """Return the commit job; without ``ask``, the user job has nothing to look up.

    ``budget``, ``bots``: None: the settings'. ``patient``: see ``CommitJob``.

    Raises:
        BadSetting: ``PODIUM_BOTS_FILE`` cannot be read.
    """
    from podium.accounts.repository_emails import classify_emails
    from podium.bots.tools import Bots
    from podium.counting.commit_job import CommitJob
    from podium.counting.progress_notes import QUIET

    return CommitJob(
        db=db,
        source=source,
        classify_emails=functools.partial(
            classify_emails,
            github_host=github_host(settings),
            ages=max_ages(settings) if ask else None,
            bots=bots or Bots.from_files(settings.bots_files()),
        ),
        lease_seconds=settings.lease_seconds,
        max_crashes=settings.max_crashes,
        max_attempts=settings.max_attempts,
        budget=budget or count_budget(settings),
        quiet=QUIET,
        patient=patient,
        github_host=github_host(settings),
        confirm=functools.partial(_confirm, settings, db),
    )


def _confirm(settings: Settings, db: Database, repository: Repository, stop: threading.Event) -> None:
    """Ask a host about a repository in the middle of a count. What asks takes long to import, and is seldom needed."""
    from podium.freshness.name_check import confirm

    with contextlib.closing(hosts(settings, db)) as asked:
        confirm(db, asked, repository, stop)


def count_budget(settings: Settings) -> Budget:
    from podium.counting.count_budget import Budget

    return Budget(memory=settings.count_memory or None, cpu_seconds=settings.count_cpu_seconds or None)


def count_limits(settings: Settings) -> CountLimits:
    from podium.history.count_limits import CountLimits

    return CountLimits(commits=settings.max_commits or None, people=settings.max_people or None)


def user_job(settings: Settings, db: Database, lookup: Lookup, *, max_rounds: int = 8) -> UserJob:
    """Return the user job, which the caller closes."""
    from podium.accounts.user_job import UserJob

    return UserJob(
        db=db,
        lookup=lookup,
        github_host=github_host(settings),
        ages=max_ages(settings),
        max_crashes=settings.max_crashes,
        max_rounds=max_rounds,
    )


def github_lookup(
    settings: Settings,
    db: Database,
    *,
    pools: tuple[TokenPool | None, TokenPool] | None = None,
    github: GitHub | None = None,
    repo_slug: tuple[str, str] | None = None,
    max_faults: int = 5,
) -> GitHubLookup:
    from podium.accounts.github.github_lookup import GitHubLookup

    tokens, anonymous = pools or token_pools(settings, db)
    return GitHubLookup(
        github or github_client(settings),
        tokens,
        anonymous,
        host=github_host(settings),
        looked_up_recently=looked_up_recently(settings, db),
        repo_slug=repo_slug,
        max_faults=max_faults,
    )


def github_client(settings: Settings) -> GitHub:
    from podium.accounts.github.client import GitHub

    return GitHub(settings.github_api_url, settings.github_graphql_url, settings.github_tokens)


def token_pools(settings: Settings, db: Database) -> tuple[TokenPool | None, TokenPool]:
    """Return the request budgets with a token (if the settings have one) and without."""
    from podium.accounts.github.budget import ANONYMOUS, token_key
    from podium.accounts.github.held_limits import HeldLimits
    from podium.accounts.github.token_pool import TokenPool

    store, memory = _budget_store(settings), HeldLimits(db)
    keys = [token_key(token) for token in settings.github_tokens]
    return TokenPool(keys, store, memory) if keys else None, TokenPool([ANONYMOUS], store, memory)


def _budget_store(settings: Settings) -> BudgetStore:
    if settings.uses_redis:
        from podium.accounts.github.redis_budget import RedisBudgetStore
        from podium.jobs.messages.redis_broker import connect
        from podium.jobs.messages.redis_queues import NAMESPACE

        return RedisBudgetStore(connect(settings), f"{NAMESPACE}:budget:{github_host(settings)}")
    from podium.accounts.github.token_pool import MemoryBudgetStore

    return MemoryBudgetStore()


def looked_up_recently(settings: Settings, db: Database) -> Callable[[Collection[str]], Collection[str]]:
    from podium.accounts import links

    def known(emails: Collection[str]) -> Collection[str]:
        with db.read() as session:
            return links.looked_up_recently(session, emails, github_host(settings), max_ages(settings).shortest)

    return known


def stale_rows(settings: Settings) -> Callable[[Session, int, int], list[int]]:
    from podium.accounts.stale import stale_rows
    from podium.bots.tools import Bots

    return functools.partial(
        stale_rows,
        github_host=github_host(settings),
        ages=max_ages(settings).for_refresh(),
        bots=Bots.from_files(settings.bots_files()),
    )


def own_mailmaps(settings: Settings, files: Sequence[str] = ()) -> list[OwnMailmap]:
    """The user's own mailmaps: the settings' file, then ``files`` of the command line."""
    from podium.clones.mailmaps.own_mailmap import OwnMailmap

    own = [OwnMailmap.at(settings.mailmap_file, "The file of PODIUM_MAILMAP_FILE")] if settings.mailmap_file else []
    return own + [OwnMailmap.at(file, f"The file {file} of --mailmap-file") for file in files]


def check_own_mailmap(settings: Settings) -> list[str]:
    """Name the lines of the settings' file that have no effect.

    Raises:
        BadMailmapFile: it cannot be used, before a count needs it.
    """
    from podium.clones.mailmaps.own_mailmap import notes_on

    return notes_on(own_mailmaps(settings))


def path_source(environment: Mapping[str, str], path: Path, revision: str | None = None) -> PathSource:
    """Return the history at ``path`` or above it; see ``PathSource``.

    Raises:
        HistoryError: it cannot be ranked.
    """
    from podium.clones.path_source import PathSource
    from podium.git.command import Git

    return PathSource(Git.for_person(environment), path, revision)


def person_source(
    settings: Settings, environment: Mapping[str, str], clone_url: str, own_mailmaps: Sequence[OwnMailmap] = ()
) -> Source:
    from podium.clones.mirrors import Mirrors
    from podium.clones.source import MirrorSource
    from podium.git.command import Git

    git = Git.for_person(environment)
    mirrors = Mirrors(mirror_folder(settings), git, cache_bytes=settings.mirror_cache_bytes)
    return MirrorSource(git, mirrors, lambda _row: clone_url, limits=count_limits(settings), own_mailmaps=own_mailmaps)


def server_source(settings: Settings, db: Database | None = None) -> Source:
    """``db``: notes redirects of hosts, and knows whose each mirror is."""
    from podium.clones.mirrors import Mirrors
    from podium.clones.source import MirrorSource
    from podium.freshness.name_check import mirror_owner, note_redirect
    from podium.freshness.stated_addresses import StatedAddresses
    from podium.repositories.address_policy import AddressPolicy

    policy = AddressPolicy(settings)
    git = _server_git(settings)
    mirrors = Mirrors(
        mirror_folder(settings),
        git,
        cache_bytes=settings.mirror_cache_bytes,
        resolve=policy.resolve,
    )
    source = MirrorSource(
        git,
        mirrors,
        lambda row: row.repository_url,
        limits=count_limits(settings),
        own_mailmaps=own_mailmaps(settings),
    )
    if db is not None:
        source.on_moved = functools.partial(note_redirect, db, StatedAddresses(policy, settings.github_server_url))
        source.owner = functools.partial(mirror_owner, db)
    return source


def _server_git(settings: Settings) -> Git:
    from podium.git.command import Git
    from podium.git.limits import Limits

    limits = Limits(
        timeout=settings.git_timeout or None,
        idle_timeout=settings.git_idle_timeout,
        memory=settings.git_memory or None,
        repository_bytes=settings.max_repository_bytes or None,
        disk_reserve=settings.disk_reserve_bytes,
        cpu_seconds=settings.count_cpu_seconds or None,
    )
    return Git.for_server(limits, search_path=settings.search_path, protocols=("https", "http"))


def hosts(
    settings: Settings,
    db: Database,
    *,
    pools: tuple[TokenPool | None, TokenPool] | None = None,
    github: GitHub | None = None,
) -> Hosts:
    """Return the object that asks hosts about single repositories."""
    from podium.freshness.check import Hosts
    from podium.repositories.address_policy import AddressPolicy

    return Hosts(
        _server_git(settings),
        AddressPolicy(settings),
        github or github_client(settings),
        pools or token_pools(settings, db),
        github_host=github_host(settings),
        github_url=settings.github_server_url,
    )


def schedule(
    settings: Settings,
    db: Database,
    queues: Queues,
    *,
    pools: tuple[TokenPool | None, TokenPool],
    github: GitHub,
    leads: Callable[[], bool],
    stop: threading.Event,
) -> Schedule:
    """Return the schedule, which asks hosts about the boards whose checks are due."""
    from podium.freshness.github_heads import GitHubHeads
    from podium.freshness.schedule import Schedule

    asked = hosts(settings, db, pools=pools, github=github)
    tokens, _ = pools
    return Schedule(
        db,
        queues,
        asked,
        GitHubHeads(github, tokens, asked.stated_addresses, host=github_host(settings), stop=stop) if tokens else None,
        every=settings.refresh_interval(),
        per_hour=settings.refresh_per_host,
        leads=leads,
        stop=stop,
    )


def kept_on_disk(settings: Settings) -> Kept:
    """What this machine keeps of repositories."""
    from podium.avatars.forgotten_pictures import CachedPictures
    from podium.forgetting.forget_repository import Kept

    mirrors, pictures = _mirrors_to_delete(settings), CachedPictures(settings)
    return Kept(
        lambda row: mirrors.discard(row.host, row.owner, row.name, row.repository_key), drop_pictures=pictures.drop
    )


def cleanup(settings: Settings, db: Database, leads: Callable[[], bool] = lambda: True) -> Cleanup:
    """Return the cleanup, which deletes boards that are not read, and what nothing needs.

    leads: see :class:`Cleanup`.

    Raises:
        BadSetting: ``PODIUM_DEMO`` has an address that this server does not accept.
    """
    from podium.avatars.forgotten_pictures import CachedPictures
    from podium.clones.mirrors import mirror_path
    from podium.forgetting.cleanup import Cleanup, Disk
    from podium.submissions.demo import demo_addresses

    mirrors, pictures, folder = _mirrors_to_delete(settings), CachedPictures(settings), mirror_folder(settings)
    return Cleanup(
        db,
        kept_on_disk(settings),
        Disk(
            lambda host, owner, name, key: mirror_path(folder, host, owner, name, key).name,
            lambda names, age: mirrors.remove_unknown(names, age=age),
            lambda urls, age: pictures.drop_others(urls, age=age),
        ),
        github_host=github_host(settings),
        unread_max_age=settings.unread_max_age,
        always_kept=[address.key for address in demo_addresses(settings)] if settings.unread_max_age else (),
        leads=leads,
    )


def _mirrors_to_delete(settings: Settings) -> Mirrors:
    from podium.clones.mirrors import Mirrors
    from podium.git.command import Git

    # It runs no git.
    return Mirrors(mirror_folder(settings), Git.for_person({}))


def mirror_folder(settings: Settings) -> Path:
    return settings.data_folder() / "mirrors"
