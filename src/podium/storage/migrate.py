"""Migrations and the database's revision. Alembic is imported only to migrate.

Revisions have random ids, compared by their place in :data:`REVISIONS`. The id of a removed migration (:data:`REMOVED`)
is never used again: a database may still be stamped with it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from podium.errors import BadRule, StorageError, WrongRevision
from podium.storage.session import Database, Session
from podium.storage.transactions.time_limits import QUICK

if TYPE_CHECKING:
    from sqlalchemy import URL

log = logging.getLogger(__name__)

# Seconds for which a migration is tried that does not get a table's lock, and between two tries.
LOCK_PATIENCE = 600.0
LOCK_PAUSE = 2.0

# Oldest first.
REVISIONS = (
    "0001",
    "e0a3d8bbf538",
    "b7c41f6e02d9",
    "1fdaba60ed02",
    "f9165e3604c7",
    "3a8787e6e94e",
    "db231556a330",
    "a5d07c41e9b2",
)
HEAD = REVISIONS[-1]
# Used before any release; no migration leads from them to HEAD.
REMOVED = frozenset({"0002", "0003", "0004", "0005", "0006", "0007", "0008"})


def revision(db: Database) -> str | None:
    """None: the database has no tables of Podium's.

    Raises:
        StorageError: the database cannot be read.
    """
    with contextlib.suppress(WrongRevision), db.read(QUICK) as session:
        found: str | None = session.value("SELECT version_num FROM alembic_version")
        return found
    return None


def is_older(found: str) -> bool:
    return found in REVISIONS[:-1]


def _is_newer(found: str | None) -> bool:
    """Whether a later version made it."""
    return found is not None and found not in REVISIONS and found not in REMOVED


def revision_fault(found: str | None) -> tuple[str, str] | None:
    """Return what is wrong and what to do, or None."""
    if found == HEAD:
        return None
    if found is None or is_older(found):
        return f"The database has revision {found or 'none'}, this Podium needs {HEAD}", "run `podium migrate`"
    if found in REMOVED:
        return (
            f"The database has revision {found}, which was made before the first release and cannot be migrated",
            "start with a new data folder (PODIUM_DATA_DIR) or an empty database (DATABASE_URL), and submit the "
            "repositories again: they are counted again",
        )
    return f"The database has revision {found}, which a newer Podium made (this one needs {HEAD})", "update Podium"


def works_beside(db: Database, found: str | None) -> bool:
    """Whether ``found`` is a newer revision whose migration says that this Podium may use its database.

    Raises:
        StorageError: the database cannot be read.
    """
    with contextlib.suppress(WrongRevision), db.read(QUICK) as session:
        return _names_this(session, found)
    return False


def _names_this(session: Session, found: str | None) -> bool:
    return _is_newer(found) and bool(
        session.value("SELECT 1 FROM compatible_revision WHERE revision = :head", head=HEAD)
    )


def warning_of(session: Session) -> str | None:
    """What is worth saying about the revision of a database that this Podium may use.

    Raises:
        WrongRevision: it may not use it; the message says what to do.
    """
    found: str | None = session.value("SELECT version_num FROM alembic_version")
    fault = revision_fault(found)
    if fault is None:
        return None
    what, do = fault
    if _names_this(session, found):
        return f"{what}. This one works beside it for as long as it is being replaced: {do}."
    raise WrongRevision(f"{what}: {do}.")


def check_revision(db: Database) -> str | None:
    """Refuse a database of another revision, except a newer one beside which this Podium may work.

    Returns:
        A warning about such a one.

    Raises:
        WrongRevision: the message says what to do.
        StorageError: the database cannot be read.
    """
    # A database without tables is not one that lacks some.
    _refuse(None if _is_newer(found := revision(db)) else revision_fault(found))
    with db.read(QUICK) as session:
        return warning_of(session)


def check_own_revision(db: Database) -> None:
    """Refuse every other revision: a copy of all tables must know all of them.

    Raises:
        WrongRevision: the message says what to do.
        StorageError: the database cannot be read.
    """
    _refuse(revision_fault(revision(db)))


def configuration(url: str | URL) -> Any:
    from alembic.config import Config

    # The caller reports.
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    # Not as an option: Alembic interpolates % in options.
    config.attributes["url"] = url
    return config


def migrate(url: str | URL, to: str = "head") -> str:
    """Migrate up or down to a revision, ``head`` or ``base``, and return its id. Concurrent calls are safe.

    Raises:
        BadRule: there is no such revision.
        WrongRevision: no migration starts at the database's revision.
        StorageError: the database cannot be migrated.
    """
    steps = ("base", *REVISIONS)
    target = HEAD if to == "head" else to
    if target not in steps:
        raise BadRule(f"There is no revision {to}: choose one of {', '.join(steps)}, head.")
    with _sqlalchemy_errors(url):
        found = _stamped(url) or "base"
        if found not in steps:
            _refuse(revision_fault(found))
        command = "downgrade" if steps.index(target) < steps.index(found) else "upgrade"
        _alembic(command, url, target)
    return target


def check_tables(url: str | URL) -> None:
    """Compare the database with the tables that the code declares.

    Raises:
        WrongRevision: the database has another revision.
        StorageError: they differ.
    """
    with _sqlalchemy_errors(url):
        _refuse(revision_fault(_stamped(url)))
        with warnings.catch_warnings():
            # Indexes on expressions cannot be compared on SQLite.
            warnings.filterwarnings("ignore", "(Skipped|autogenerate skipping) .*expression-based index")
            _alembic("check", url)


def _refuse(fault: tuple[str, str] | None) -> None:
    if fault is not None:
        raise WrongRevision(f"{fault[0]}: {fault[1]}.")


def _stamped(url: str | URL) -> str | None:
    from sqlalchemy import inspect, text

    from podium.storage.migration_engine import migration_engine

    with migration_engine(url).connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found


def _alembic(command: str, url: str | URL, *arguments: str) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command as commands
    from alembic.util import CommandError
    from sqlalchemy.exc import OperationalError

    from podium.storage.migration_engine import is_locked_out

    deadline = time.monotonic() + LOCK_PATIENCE
    done = False
    while not done:
        try:
            getattr(commands, command)(configuration(url), *arguments)
            done = True
        except CommandError as error:
            raise StorageError(f"The database cannot be migrated: {error}") from error
        except OperationalError as error:
            # What was committed is not repeated.
            if not is_locked_out(error) or time.monotonic() > deadline:
                raise
            log.warning("a table that the migration changes is in use: the next try is in %.0f s", LOCK_PAUSE)
            time.sleep(LOCK_PAUSE)


@contextlib.contextmanager
def _sqlalchemy_errors(url: str | URL) -> Iterator[None]:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        from podium.storage.migration_engine import reason

        raise StorageError(f"The database cannot be migrated: {reason(url, error)}") from error
