"""Check the database: its server, its revision, its tables."""

from __future__ import annotations

import time
from collections.abc import Iterator

from podium.app import factories
from podium.cli.doctor.findings import Finding, ok, problem, warning
from podium.errors import PodiumError
from podium.settings import Settings
from podium.storage import migrate
from podium.storage.session import Database

# RETURNING needs SQLite 3.35. PostgreSQL is tested with 18; 14 is the oldest maintained version.
OLDEST_SQLITE = (3, 35)
OLDEST_POSTGRES = 14
# Seconds by which this machine's clock may differ from the database's.
SKEW = 5.0

_CHECK = "database"


def server(settings: Settings, db: Database) -> Iterator[Finding]:
    with db.read() as session:
        now = session.value("SELECT {now} AS now")
        there = time.time()
        if settings.uses_postgres:
            number = int(session.value("SELECT current_setting('server_version_num')"))
            found, old = f"PostgreSQL {number // 10_000}.{number % 10_000}", number < OLDEST_POSTGRES * 10_000
            oldest = f"PostgreSQL {OLDEST_POSTGRES}"
        else:
            text = str(session.value("SELECT sqlite_version()"))
            found, old = f"SQLite {text}", tuple(int(part) for part in text.split(".")[:2]) < OLDEST_SQLITE
            oldest = "SQLite " + ".".join(map(str, OLDEST_SQLITE))
    if old:
        yield problem(_CHECK, f"{found} is too old.", f"Update it: {oldest} is the oldest that works.")
    else:
        yield ok(_CHECK, found)
    if abs(now - there) > SKEW:
        yield warning(
            "clock",
            f"This machine is {abs(now - there):.0f} s {'behind' if now > there else 'ahead of'} the database's clock.",
            "Set both by NTP: the database stores the end of GitHub's limits, and this machine waits for it.",
        )


def revision(settings: Settings, db: Database) -> Iterator[Finding]:
    found = migrate.revision(db)
    fault = migrate.revision_fault(found)
    if fault is not None:
        detail, advice = fault
        advice = f"{advice[0].upper()}{advice[1:]}."
        if migrate.works_beside(db, found):
            # Its tables are not those that this version declares.
            yield warning("revision", f"{detail}. This Podium works beside it while it is being replaced.", advice)
        else:
            yield problem("revision", f"{detail}.", advice)
        return
    yield ok("revision", migrate.HEAD)
    try:
        migrate.check_tables(factories.database_url(settings))
    except PodiumError as error:
        yield problem(
            "drift",
            f"The tables differ from what this Podium declares: {error.message[:300]}",
            "Undo manual changes, or restore a backup: `podium migrate --check` shows all differences.",
        )
    else:
        yield ok("drift", "none")
