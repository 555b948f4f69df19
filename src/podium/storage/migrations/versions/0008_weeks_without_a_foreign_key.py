"""Weeks without a foreign key: PostgreSQL checks it row by row, which takes three times as long as the row itself.

They are only ever written together with what they belong to, under the repository's lock, and a count from the start
removes whatever stands under the repository's number.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_FOREIGN_KEY = "fk_weekly_activity_repository_id_repository"
_COUNTS = ("commit_count", "merge_count", "co_authored_count", "co_authored_merge_count")


def upgrade() -> None:
    """Drop it."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(_FOREIGN_KEY, "weekly_activity", type_="foreignkey")
    else:
        _copied()


def downgrade() -> None:
    """Have it again."""
    op.execute("DELETE FROM weekly_activity WHERE repository_id NOT IN (SELECT id FROM repository)")
    if op.get_bind().dialect.name == "postgresql":
        op.create_foreign_key(
            _FOREIGN_KEY, "weekly_activity", "repository", ["repository_id"], ["id"], ondelete="CASCADE"
        )
    else:
        _copied(sa.ForeignKeyConstraint(["repository_id"], ["repository.id"], name=_FOREIGN_KEY, ondelete="CASCADE"))


def _copied(*constraints: sa.Constraint) -> None:
    """SQLite cannot change a table's constraints: all rows go into a new one, in the order of their key."""
    # Not in Alembic's batches, which know nothing of WITHOUT ROWID.
    op.rename_table("weekly_activity", "weekly_activity_before")
    op.create_table(
        "weekly_activity",
        sa.Column("repository_id", sa.Integer, nullable=False),
        sa.Column("commit_data_id", sa.BigInteger, nullable=False),
        sa.Column("week", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False, server_default="0") for name in _COUNTS),
        sa.PrimaryKeyConstraint("repository_id", "commit_data_id", "week", name="pk_weekly_activity"),
        *constraints,
        sqlite_with_rowid=False,
    )
    columns = ", ".join(("repository_id", "commit_data_id", "week", *_COUNTS))
    op.execute(
        f"INSERT INTO weekly_activity ({columns}) SELECT {columns} FROM weekly_activity_before "
        "ORDER BY repository_id, commit_data_id, week"
    )
    op.drop_table("weekly_activity_before")
