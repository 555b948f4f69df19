"""Repositories of a state are listed, and those that failed are found, without looking at the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_LOCAL, _OTHERS, _FAILED = sa.text("host = ''"), sa.text("host <> ''"), sa.text("state = 'failed'")


def upgrade() -> None:
    """Add their indexes; the first serves for what the one of this machine's repositories did."""
    op.create_index(
        "ix_repository_state_created_at",
        "repository",
        ["state", "created_at", "id", "host"],
        sqlite_where=_OTHERS,
        postgresql_where=_OTHERS,
    )
    op.create_index(
        "ix_repository_failed", "repository", ["updated_at"], sqlite_where=_FAILED, postgresql_where=_FAILED
    )
    op.drop_index("ix_repository_local_state", "repository")


def downgrade() -> None:
    """Forget them."""
    op.create_index("ix_repository_local_state", "repository", ["state"], sqlite_where=_LOCAL, postgresql_where=_LOCAL)
    op.drop_index("ix_repository_failed", "repository")
    op.drop_index("ix_repository_state_created_at", "repository")
