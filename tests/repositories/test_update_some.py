"""An UPDATE of some rows changes no more than its SELECT's limit, however PostgreSQL plans it."""

from __future__ import annotations

from podium.repositories.store.queries import update_some
from podium.storage.postgresql.postgres import PostgresDatabase
from tests.support.rows import add_repository

CHOSEN = "SELECT id FROM repository WHERE error IS NULL ORDER BY id LIMIT 2 {skip_locked}"
PLAIN = f"UPDATE repository SET error = 'x' WHERE id IN ({CHOSEN})"


def changed(db: PostgresDatabase, statement: str) -> int:
    with db.write() as session:
        # A nested loop that keeps nothing reads the plain subquery once per row.
        for way in ("hashjoin", "mergejoin", "material", "hashagg", "sort", "memoize"):
            session.run(f"SET LOCAL enable_{way} = off")
        return session.run(statement)


def test_no_more_rows_change_than_the_limit(postgresql: PostgresDatabase) -> None:
    for place in range(8):
        add_repository(postgresql, f"github.com/o/{place}")
    assert changed(postgresql, update_some("error = 'x'", chosen=CHOSEN)) == 2
    # It also shows that this plan is one in which a plain subquery would change more.
    assert changed(postgresql, PLAIN) > 2
