"""Accounts asked at GitHub: limits in force, a second commit of each person, why some e-mails stay unresolved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _sources(*names: str) -> str:
    return f"source IN ({', '.join(repr(name) for name in names)})"


def upgrade() -> None:
    """Add them."""
    op.add_column("repository", sa.Column("unresolved_reason", sa.Text))
    op.add_column("commit_data", sa.Column("other_sha", sa.Text))
    with op.batch_alter_table("known_email") as table:
        table.drop_constraint("ck_known_email_source", type_="check")
        table.create_check_constraint("ck_known_email_source", _sources("noreply", "host", "no-answer"))
    op.create_table(
        "github_limit",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("held_until", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_github_limit"),
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("github_limit")
    op.execute("DELETE FROM known_email WHERE source = 'no-answer'")
    with op.batch_alter_table("known_email") as table:
        table.drop_constraint("ck_known_email_source", type_="check")
        table.create_check_constraint("ck_known_email_source", _sources("noreply", "host"))
    with op.batch_alter_table("commit_data") as table:
        table.drop_column("other_sha")
    with op.batch_alter_table("repository") as table:
        table.drop_column("unresolved_reason")
