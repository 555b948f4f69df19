"""Repository, Contributor and RepositoryContributor, as one worker fills them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "repository",
        sa.Column("id", _Id, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("total_commits", sa.BigInteger),
        sa.Column("unique_contributors", sa.BigInteger),
        sa.Column("last_attempt", sa.Double),
        sa.Column("last_processed_at", sa.Double),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_repository"),
        sa.UniqueConstraint("url", name="uq_repository_url"),
        sa.CheckConstraint("state IN ('pending', 'processing', 'completed', 'failed')", name="ck_repository_state"),
    )
    op.create_table(
        "contributor",
        sa.Column("id", _Id, nullable=False),
        sa.Column("account_id", sa.BigInteger),
        sa.Column("username", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("email", sa.Text),
        sa.Column("avatar_url", sa.Text),
        sa.Column("profile_url", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contributor"),
        sa.UniqueConstraint("account_id", name="uq_contributor_account_id"),
    )
    op.create_table(
        "repository_contributor",
        sa.Column("repository_id", _Id, nullable=False),
        sa.Column("contributor_id", _Id, nullable=False),
        sa.Column("commit_count", sa.BigInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("repository_id", "contributor_id", name="pk_repository_contributor"),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repository.id"],
            name="fk_repository_contributor_repository_id_repository",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["contributor_id"],
            ["contributor.id"],
            name="fk_repository_contributor_contributor_id_contributor",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_repository_contributor_contributor_id", "repository_contributor", ["contributor_id"])


def downgrade() -> None:
    op.drop_table("repository_contributor")
    op.drop_table("contributor")
    op.drop_table("repository")
