"""add_commit_data_and_two_worker_states

A filled database of the first revision keeps its repositories, contributors and totals. Its boards were sums without
the rows they are made of, so every repository that was not failed is counted again, by itself.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FIRST_HOST = "github.com"

# What the two revisions call a state.
_UP = {"processing": "pending", "completed": "pending"}
_DOWN = {"commits_processing": "processing", "users_processing": "processing"}


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def _rename_states(names: dict[str, str]) -> None:
    for old, new in names.items():
        op.execute(sa.text("UPDATE repository SET state = :new WHERE state = :old").bindparams(old=old, new=new))


def upgrade() -> None:
    """Add the tables and fields of two workers."""
    _upgrade_repository()
    _upgrade_contributor()
    _create_known_email()
    _create_commit_data()
    _create_weekly_activity()


def _upgrade_repository() -> None:
    with op.batch_alter_table("repository") as table:
        table.drop_constraint("ck_repository_state", type_="check")
        for name in ("key", "host", "owner", "name", "error_code", "head", "branch", "lease_holder", "progress"):
            table.add_column(sa.Column(name, sa.Text))
        table.add_column(sa.Column("merge_commits", sa.BigInteger))
        table.add_column(sa.Column("counting_version", sa.Integer))
        table.add_column(sa.Column("generation", sa.Integer, nullable=False, server_default="0"))
        table.add_column(sa.Column("lease_token", sa.BigInteger, nullable=False, server_default="0"))
        for name in ("crashes", "attempts"):
            table.add_column(sa.Column(name, sa.Integer, nullable=False, server_default="0"))
        for name in ("lease_until", "enqueued_at", "not_before", "commits_processed_at", "users_processed_at"):
            table.add_column(sa.Column(name, sa.Double))
    _rename_states(_UP)
    _name_repositories()
    with op.batch_alter_table("repository") as table:
        for name in ("key", "host", "owner", "name"):
            table.alter_column(name, existing_type=sa.Text(), nullable=False)
        table.create_unique_constraint("uq_repository_key", ["key"])
        table.create_check_constraint(
            "ck_repository_state",
            "state IN ('pending', 'commits_processing', 'users_processing', 'completed', 'failed')",
        )
    op.create_index("ix_repository_state_enqueued_at", "repository", ["state", "enqueued_at"])
    op.create_index("ix_repository_created_at", "repository", ["created_at"])


def _name_repositories() -> None:
    connection = op.get_bind()
    update = sa.text("UPDATE repository SET key = :key, host = :host, owner = :owner, name = :name WHERE id = :id")
    taken: set[str] = set()
    for row in connection.execute(sa.text("SELECT id, url FROM repository ORDER BY id")).all():
        parts = urlsplit(row.url)
        host = parts.netloc.lower()
        owner, _, name = parts.path.strip("/").removesuffix(".git").rpartition("/")
        key = f"{host}/{owner}/{name}"
        key = key.lower() if host == _FIRST_HOST else key
        # The first revision told addresses apart by their spelling alone: the older row keeps the name.
        if key in taken:
            key = f"{key}#{row.id}"
        taken.add(key)
        connection.execute(update, {"id": row.id, "key": key, "host": host, "owner": owner, "name": name})


def _upgrade_contributor() -> None:
    with op.batch_alter_table("contributor") as table:
        table.add_column(sa.Column("host", sa.Text, nullable=False, server_default=_FIRST_HOST))
        table.add_column(sa.Column("is_bot", sa.Boolean, nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("enriched_at", sa.Double))
        table.drop_constraint("uq_contributor_account_id", type_="unique")
        table.create_unique_constraint("uq_contributor_host_account_id", ["host", "account_id"])
    with op.batch_alter_table("contributor") as table:
        table.alter_column("host", existing_type=sa.Text(), existing_nullable=False, server_default=None)
    with op.batch_alter_table("repository_contributor") as table:
        table.add_column(_count("merge_count"))
        table.add_column(_count("co_authored_count"))


def _create_known_email() -> None:
    op.create_table(
        "known_email",
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("contributor_id", _Id),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("known_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("host", "email", name="pk_known_email"),
        sa.ForeignKeyConstraint(
            ["contributor_id"], ["contributor.id"], name="fk_known_email_contributor_id_contributor", ondelete="CASCADE"
        ),
        sa.CheckConstraint("source IN ('noreply', 'host')", name="ck_known_email_source"),
    )
    op.create_index("ix_known_email_contributor_id", "known_email", ["contributor_id"])
    # The first revision kept one e-mail with each account.
    op.execute(
        """INSERT INTO known_email (host, email, contributor_id, source, known_at)
        SELECT host, LOWER(email), MIN(id), 'host', MAX(updated_at) FROM contributor
        WHERE email IS NOT NULL AND email <> '' AND account_id IS NOT NULL GROUP BY host, LOWER(email)"""
    )
    with op.batch_alter_table("contributor") as table:
        table.drop_column("email")


def _create_commit_data() -> None:
    op.create_table(
        "commit_data",
        sa.Column("id", _Id, nullable=False),
        sa.Column("repository_id", _Id, nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("email", "name", "mailmap_email", "mailmap_name", "mailmap_identity")
        ),
        sa.Column("kind", sa.Text, nullable=False, server_default="human"),
        *(_count(name) for name in ("commit_count", "merge_count", "co_authored_count", "co_authored_merge_count")),
        *(
            sa.Column(f"{edge}_{what}_at", sa.BigInteger)
            for what in ("commit", "merge", "co_authored")
            for edge in ("first", "last")
        ),
        _count("odd_dates"),
        sa.Column("sample_sha", sa.Text, nullable=False),
        sa.Column("sample_co_authors", sa.Integer, nullable=False, server_default="0"),
        sa.Column("processed", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("batch", sa.Integer),
        sa.Column("claim_token", sa.Text),
        sa.Column("claim_until", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_commit_data"),
        sa.UniqueConstraint("repository_id", "email", "name", name="uq_commit_data_repository_id_email_name"),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repository.id"], name="fk_commit_data_repository_id_repository", ondelete="CASCADE"
        ),
        sa.CheckConstraint("kind IN ('human', 'bot', 'agent')", name="ck_commit_data_kind"),
    )
    op.create_index(
        "ix_commit_data_unprocessed",
        "commit_data",
        ["repository_id", "batch"],
        sqlite_where=sa.text("NOT processed"),
        postgresql_where=sa.text("NOT processed"),
    )
    op.create_index("ix_commit_data_email", "commit_data", ["email"])


def _create_weekly_activity() -> None:
    op.create_table(
        "weekly_activity",
        sa.Column("repository_id", _Id, nullable=False),
        sa.Column("commit_data_id", sa.BigInteger, nullable=False),
        sa.Column("week", sa.BigInteger, nullable=False),
        *(_count(name) for name in ("commit_count", "merge_count", "co_authored_count", "co_authored_merge_count")),
        sa.PrimaryKeyConstraint("repository_id", "commit_data_id", "week", name="pk_weekly_activity"),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repository.id"], name="fk_weekly_activity_repository_id_repository", ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Go back to one worker: commits, weeks and states in between are given up, contributors and sums kept."""
    op.drop_table("weekly_activity")
    op.drop_table("commit_data")
    _downgrade_contributor()
    op.drop_index("ix_repository_created_at", "repository")
    op.drop_index("ix_repository_state_enqueued_at", "repository")
    with op.batch_alter_table("repository") as table:
        table.drop_constraint("ck_repository_state", type_="check")
        table.drop_constraint("uq_repository_key", type_="unique")
        for name in (
            *("key", "host", "owner", "name", "error_code", "head", "branch", "lease_holder", "progress"),
            *("merge_commits", "counting_version", "generation", "lease_token", "crashes", "attempts"),
            *("lease_until", "enqueued_at", "not_before", "commits_processed_at", "users_processed_at"),
        ):
            table.drop_column(name)
    _rename_states(_DOWN)
    with op.batch_alter_table("repository") as table:
        table.create_check_constraint(
            "ck_repository_state", "state IN ('pending', 'processing', 'completed', 'failed')"
        )


def _downgrade_contributor() -> None:
    with op.batch_alter_table("repository_contributor") as table:
        table.drop_column("merge_count")
        table.drop_column("co_authored_count")
    with op.batch_alter_table("contributor") as table:
        table.add_column(sa.Column("email", sa.Text))
    op.execute(
        "UPDATE contributor SET email = (SELECT MIN(email) FROM known_email k WHERE k.contributor_id = contributor.id)"
    )
    op.drop_table("known_email")
    # Accounts of other hosts have no place in the first revision.
    op.execute(
        sa.text(
            """DELETE FROM repository_contributor
            WHERE contributor_id IN (SELECT id FROM contributor WHERE host <> :host)"""
        ).bindparams(host=_FIRST_HOST)
    )
    op.execute(sa.text("DELETE FROM contributor WHERE host <> :host").bindparams(host=_FIRST_HOST))
    with op.batch_alter_table("contributor") as table:
        table.drop_constraint("uq_contributor_host_account_id", type_="unique")
        for name in ("host", "is_bot", "enriched_at"):
            table.drop_column(name)
        table.create_unique_constraint("uq_contributor_account_id", ["account_id"])
