"""Workers that are alive, and a short way to the repositories of this machine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "worker",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("queues", sa.Text, nullable=False),
        sa.Column("report", sa.Text, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_worker"),
    )
    local = sa.text("host = ''")
    op.create_index("ix_repository_local_state", "repository", ["state"], sqlite_where=local, postgresql_where=local)


def downgrade() -> None:
    """Forget them."""
    op.drop_index("ix_repository_local_state", "repository")
    op.drop_table("worker")
