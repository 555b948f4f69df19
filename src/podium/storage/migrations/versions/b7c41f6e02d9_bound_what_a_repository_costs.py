"""bound_what_a_repository_costs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "b7c41f6e02d9"
down_revision = "e0a3d8bbf538"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("repository", sa.Column("refresh_error", sa.Text))
    op.add_column("repository", sa.Column("refresh_error_at", sa.Double))
    op.add_column("repository", sa.Column("is_slow", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("repository", sa.Column("clone_bytes", sa.BigInteger))
    op.add_column("repository", sa.Column("trimmed_commits", sa.BigInteger, nullable=False, server_default="0"))
    _add_count_ids()


_UNIQUE = "uq_commit_data_repository_id_email_name"
_UNIQUE_PER_COUNT = "uq_commit_data_repository_id_count_id_email_name"
_FOREIGN_KEY = "fk_commit_data_repository_id_repository"
_UNPROCESSED = sa.text("NOT processed")


def _add_count_ids() -> None:
    op.create_table(
        "hidden_count",
        sa.Column("repository_id", _Id, nullable=False),
        sa.Column("count_id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "count_id", name="pk_hidden_count"),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repository.id"], name="fk_hidden_count_repository_id_repository", ondelete="CASCADE"
        ),
    )
    op.add_column("repository", sa.Column("count_id", sa.BigInteger, nullable=False, server_default="0"))
    with op.batch_alter_table("commit_data") as table:
        table.add_column(sa.Column("count_id", sa.BigInteger, nullable=False, server_default="0"))
        # All of them, because SQLite's copy keeps the others in any order.
        table.drop_constraint(_UNIQUE, type_="unique")
        table.drop_constraint(op.f("ck_commit_data_kind"), type_="check")
        table.drop_constraint(_FOREIGN_KEY, type_="foreignkey")
        table.create_foreign_key(_FOREIGN_KEY, "repository", ["repository_id"], ["id"], ondelete="CASCADE")
        table.create_check_constraint(op.f("ck_commit_data_kind"), "kind IN ('human', 'bot', 'agent')")
        table.create_unique_constraint(_UNIQUE_PER_COUNT, ["repository_id", "count_id", "email", "name"])
    _index_unprocessed("repository_id", "count_id", "batch")


def _index_unprocessed(*columns: str) -> None:
    name = "ix_commit_data_unprocessed"
    op.drop_index(name, "commit_data")
    op.create_index(name, "commit_data", [*columns], sqlite_where=_UNPROCESSED, postgresql_where=_UNPROCESSED)


def downgrade() -> None:
    op.execute(
        """DELETE FROM commit_data
        WHERE count_id <> (SELECT count_id FROM repository WHERE repository.id = commit_data.repository_id)"""
    )
    op.execute("DELETE FROM weekly_activity WHERE commit_data_id NOT IN (SELECT id FROM commit_data)")
    _index_unprocessed("repository_id", "batch")
    with op.batch_alter_table("commit_data") as table:
        table.drop_constraint(_UNIQUE_PER_COUNT, type_="unique")
        table.create_unique_constraint(_UNIQUE, ["repository_id", "email", "name"])
        table.drop_column("count_id")
    op.drop_column("repository", "count_id")
    op.drop_table("hidden_count")
    for name in ("trimmed_commits", "clone_bytes", "is_slow", "refresh_error_at", "refresh_error"):
        op.drop_column("repository", name)
