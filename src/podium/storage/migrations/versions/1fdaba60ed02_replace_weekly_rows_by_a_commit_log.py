"""replace_weekly_rows_by_a_commit_log

A board keeps its numbers by week until its repository is counted again:
:mod:`podium.storage.migrations.coarse_log`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from podium.storage.migrations.coarse_log import write_coarse_logs

revision = "1fdaba60ed02"
down_revision = "b7c41f6e02d9"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_IS_COMPLETED = sa.text("state = 'completed'")
_BYTES = ("authors", "dates", "named", "named_sets", "roles", "role_sets", "oids")

_NUMBER = """
UPDATE commit_data SET ordinal = numbered.ordinal FROM (
    SELECT id AS row_id, ROW_NUMBER() OVER (PARTITION BY repository_id, count_id ORDER BY id) - 1 AS ordinal
    FROM commit_data
) AS numbered WHERE commit_data.id = numbered.row_id
"""


def upgrade() -> None:
    op.add_column("repository", sa.Column("head_committed_at", sa.BigInteger))
    op.add_column("repository", sa.Column("roots", sa.Text))
    op.add_column("repository", sa.Column("is_recount", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index(
        "ix_repository_counting_version",
        "repository",
        ["counting_version"],
        sqlite_where=_IS_COMPLETED,
        postgresql_where=_IS_COMPLETED,
    )
    op.add_column("commit_data", sa.Column("mailmap_source", sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("commit_data", sa.Column("ordinal", sa.Integer))
    op.add_column("commit_data", sa.Column("role_only", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(_NUMBER)
    _create_commit_log()
    write_coarse_logs(op.get_bind())


def _create_commit_log() -> None:
    op.create_table(
        "commit_log",
        sa.Column("repository_id", _Id, nullable=False),
        sa.Column("count_id", sa.BigInteger, nullable=False),
        sa.Column("segment", sa.Integer, nullable=False),
        sa.Column("base_oid", sa.Text, nullable=False),
        sa.Column("head_oid", sa.Text, nullable=False),
        sa.Column("commits", sa.Integer, nullable=False),
        sa.Column("is_coarse", sa.Boolean, nullable=False),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in _BYTES),
        sa.PrimaryKeyConstraint("repository_id", "count_id", "segment", name="pk_commit_log"),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repository.id"], name="fk_commit_log_repository_id_repository", ondelete="CASCADE"
        ),
    )
    if op.get_bind().dialect.name == "postgresql":
        for name in _BYTES:
            # They are compressed already.
            op.execute(f"ALTER TABLE commit_log ALTER COLUMN {name} SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.drop_table("commit_log")
    for name in ("role_only", "ordinal", "mailmap_source"):
        op.drop_column("commit_data", name)
    op.drop_index("ix_repository_counting_version", "repository")
    for name in ("is_recount", "roots", "head_committed_at"):
        op.drop_column("repository", name)
