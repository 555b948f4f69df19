"""The order in which repositories are counted; and texts that PostgreSQL sorts by their bytes, as SQLite does."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

# Everything that is sorted or looked up. By its bytes a board is in the same order on every server, and an index stays
# right when the operating system changes its mind about the alphabet.
_BY_BYTES = {
    "repository": ("key", "url", "host"),
    "known_email": ("host", "email"),
    "contributor": ("host",),
    "commit_data": ("email", "name", "mailmap_email", "mailmap_name", "mailmap_identity"),
}


def upgrade() -> None:
    """Add the order of repositories; those that wait already share one place."""
    op.add_column("repository", sa.Column("virtual_start", sa.Double, nullable=False, server_default="0"))
    op.add_column("repository", sa.Column("client_id", sa.Text))
    waits = sa.text("state IN ('pending', 'commits_processing')")
    op.create_index(
        "ix_repository_virtual_start", "repository", ["virtual_start", "id"], sqlite_where=waits, postgresql_where=waits
    )
    submitted = sa.text("client_id IS NOT NULL")
    op.create_index(
        "ix_repository_client_id", "repository", ["client_id"], sqlite_where=submitted, postgresql_where=submitted
    )
    _sort("C")


def _sort(collation: str) -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, columns in _BY_BYTES.items():
        changes = ", ".join(f'ALTER COLUMN {column} TYPE text COLLATE "{collation}"' for column in columns)
        op.execute(f"ALTER TABLE {table} {changes}")


def downgrade() -> None:
    """Forget them."""
    _sort("default")
    op.drop_index("ix_repository_client_id", "repository")
    op.drop_index("ix_repository_virtual_start", "repository")
    with op.batch_alter_table("repository") as table:
        table.drop_column("client_id")
        table.drop_column("virtual_start")
