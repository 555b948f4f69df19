"""The mailmap that a repository's rows were identified by, so that a refresh need not ask about all of them again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add it; of what is counted already it is not known."""
    op.add_column("repository", sa.Column("mailmap", sa.Text))


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("repository") as table:
        table.drop_column("mailmap")
