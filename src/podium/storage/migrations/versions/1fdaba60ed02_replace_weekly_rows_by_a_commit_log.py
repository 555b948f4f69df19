"""replace_weekly_rows_by_a_commit_log

A board keeps its numbers by week until its repository is counted again:
:mod:`podium.storage.migrations.coarse_log`. The downgrade makes weekly rows of the log.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from podium.storage.migrations.coarse_log import write_coarse_logs
from podium.storage.migrations.weeks_of_log import write_weeks

revision = "1fdaba60ed02"
down_revision = "b7c41f6e02d9"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_BYTES = ("authors", "dates", "named", "named_sets", "roles", "role_sets", "oids")

_SUMS = ("co_authored_count", "co_authored_merge_count", "odd_dates")
_EDGES = tuple(f"{edge}_{what}_at" for what in ("commit", "merge", "co_authored") for edge in ("first", "last"))
_VALID = "SELECT count_id FROM repository WHERE repository.id = commit_data.repository_id"

_UNIQUE = "uq_commit_data_repository_id_count_id_email_name"
_FOREIGN_KEY = "fk_commit_data_repository_id_repository"
_INDEXES = {
    "ix_commit_data_email": (["email"], None),
    "ix_commit_data_unprocessed": (["repository_id", "count_id", "batch"], sa.text("NOT processed")),
}

_NUMBER = """
UPDATE commit_data SET ordinal = numbered.ordinal FROM (
    SELECT id AS row_id, ROW_NUMBER() OVER (PARTITION BY repository_id, count_id ORDER BY id) - 1 AS ordinal
    FROM commit_data
) AS numbered WHERE commit_data.id = numbered.row_id
"""


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def upgrade() -> None:
    op.add_column("repository", sa.Column("head_committed_at", sa.BigInteger))
    op.add_column("repository", sa.Column("roots", sa.Text))
    op.add_column("repository", sa.Column("is_recount", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("ix_repository_state_counting_version", "repository", ["state", "counting_version"])
    op.add_column("commit_data", sa.Column("mailmap_source", sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("commit_data", sa.Column("ordinal", sa.Integer))
    op.add_column("commit_data", sa.Column("sample_at", sa.BigInteger))
    op.add_column("commit_data", sa.Column("role_only", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(_NUMBER)
    op.execute("UPDATE commit_data SET sample_at = COALESCE(last_commit_at, last_merge_at, last_co_authored_at)")
    _create_commit_log()
    write_coarse_logs(op.get_bind())
    op.drop_table("weekly_activity")
    _drop_sums()
    op.drop_column("repository_contributor", "co_authored_count")


def _drop_sums() -> None:
    for name in _INDEXES:
        op.drop_index(name, "commit_data")
    with op.batch_alter_table("commit_data") as table:
        table.alter_column("ordinal", existing_type=sa.Integer(), nullable=False)
        for name in (*_SUMS, *_EDGES):
            table.drop_column(name)
        # All of them, because SQLite's copy keeps the others in any order.
        table.drop_constraint(_UNIQUE, type_="unique")
        table.drop_constraint(op.f("ck_commit_data_kind"), type_="check")
        table.drop_constraint(_FOREIGN_KEY, type_="foreignkey")
        table.create_foreign_key(_FOREIGN_KEY, "repository", ["repository_id"], ["id"], ondelete="CASCADE")
        table.create_check_constraint(op.f("ck_commit_data_kind"), "kind IN ('human', 'bot', 'agent')")
        table.create_unique_constraint(_UNIQUE, ["repository_id", "count_id", "email", "name"])
    for name, (columns, where) in _INDEXES.items():
        op.create_index(name, "commit_data", columns, sqlite_where=where, postgresql_where=where)


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
    for name in _SUMS:
        op.add_column("commit_data", _count(name))
    for name in _EDGES:
        op.add_column("commit_data", sa.Column(name, sa.BigInteger))
    op.add_column("repository_contributor", _count("co_authored_count"))
    op.create_table(
        "weekly_activity",
        sa.Column("repository_id", _Id, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("commit_data_id", "week")),
        *(_count(f"{name}_count") for name in ("commit", "merge", "co_authored", "co_authored_merge")),
        sa.PrimaryKeyConstraint("repository_id", "commit_data_id", "week", name="pk_weekly_activity"),
        sqlite_with_rowid=False,
    )
    op.execute(f"DELETE FROM commit_data WHERE role_only OR count_id <> ({_VALID})")
    op.execute("DELETE FROM hidden_count")
    write_weeks(op.get_bind())
    op.drop_table("commit_log")
    with op.batch_alter_table("commit_data") as table:
        for name in ("role_only", "sample_at", "ordinal", "mailmap_source"):
            table.drop_column(name)
    op.drop_index("ix_repository_state_counting_version", "repository")
    for name in ("is_recount", "roots", "head_committed_at"):
        op.drop_column("repository", name)
