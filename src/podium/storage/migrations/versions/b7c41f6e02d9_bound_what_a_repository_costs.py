"""bound_what_a_repository_costs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "b7c41f6e02d9"
down_revision = "e0a3d8bbf538"


def upgrade() -> None:
    op.add_column("repository", sa.Column("refresh_error", sa.Text))
    op.add_column("repository", sa.Column("refresh_error_at", sa.Double))
    op.add_column("repository", sa.Column("is_slow", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("repository", sa.Column("clone_bytes", sa.BigInteger))
    op.add_column("repository", sa.Column("trimmed_commits", sa.BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    for name in ("trimmed_commits", "clone_bytes", "is_slow", "refresh_error_at", "refresh_error"):
        op.drop_column("repository", name)
